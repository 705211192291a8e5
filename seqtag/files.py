"""Writing files so that a fault leaves the old one or none, never half of one."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes the name `path` when the block ends without a fault.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "answer.txt")
    ...     with written_aside(target) as aside:
    ...         _ = aside.write_text("42")
    ...     target.read_text(), [p.name for p in Path(folder).iterdir()]
    ('42', ['answer.txt'])
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "expected a folder to write to, found none", str(path.parent))
    # The suffix stays last, since Keras and NumPy look at it.
    aside = path.with_name(f".{path.stem}.writing{path.suffix}")
    try:
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_output(parts: Iterable[bytes], target: Path | None) -> None:
    """Writes to a file, which appears only when it is whole, or to standard output."""
    if target is None:
        _write(parts, sys.stdout.buffer)
    elif target.exists() and not target.is_file():
        # A device or a pipe must not be replaced by a file.
        with target.open("wb") as file:
            _write(parts, file)
    else:
        with written_aside(target) as aside, aside.open("wb") as file:
            _write(parts, file)


def _write(parts: Iterable[bytes], file: BinaryIO) -> None:
    for part in parts:
        file.write(part)
    file.flush()
