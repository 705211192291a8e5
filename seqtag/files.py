"""Writing files: a fault leaves the old file or none, never half of a new one."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from seqtag.errors import escaped


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary path in the folder of `path`, which is renamed to `path` when the block ends without a fault.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "answer.txt")
    ...     with atomic_write(target) as temporary:
    ...         _ = temporary.write_text("42")
    ...     target.read_text(), [p.name for p in Path(folder).iterdir()]
    ('42', ['answer.txt'])
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "expected a folder to write to, found none", str(path.parent))
    # The suffix stays last: Keras and NumPy read the format off it.
    temporary = path.with_name(f".{path.stem}.writing{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_output(parts: Iterable[bytes], target: Path | None) -> None:
    """Writes to a file, which appears when it is whole, or to standard output where `target` is None."""
    if target is None:
        _write(map(_for_terminal, parts) if sys.stdout.isatty() else parts, sys.stdout.buffer)
    elif target.exists() and not target.is_file():
        # A device or a pipe must not be replaced by a file.
        with target.open("wb") as file:
            _write(parts, file)
    else:
        with atomic_write(target) as temporary, temporary.open("wb") as file:
            _write(parts, file)


def _write(parts: Iterable[bytes], file: BinaryIO) -> None:
    for part in parts:
        file.write(part)
    file.flush()


def _for_terminal(part: bytes) -> bytes:
    """A part as a terminal can show it; a file or a pipe gets the part itself."""
    return escaped(part.decode("utf-8", "backslashreplace").replace("\r\n", "\n"), keep="\n\t").encode()
