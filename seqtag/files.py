"""Writing files so that a fault leaves the old one or none, never half of one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
