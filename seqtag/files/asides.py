"""Files and folders that are written aside, under names of their own, before they take the name they are meant for.

Each is locked while its writer lives. The lock goes with the process, however it ends, so that what a killed process
left behind is known, and removed by the next writer of the same name.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqtag.errors import OutputError, reason_of

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None  # type: ignore[assignment]

MARK = ".writing-"
# A file system limits names to 255 bytes; a character has at most four.
LONGEST_STEM, LONGEST_SUFFIX = 40, 12
WITHOUT_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def aside_of(target: Path, *, inside: bool = False, mode: int | None = None) -> Iterator[Path]:
    """Gives an empty, locked file or folder aside, which is removed after the block unless it was renamed.

    Args:
        target: the file or folder that it is meant for.
        inside: whether it goes into the folder `target`; otherwise beside it.
        mode: the permissions of a file; None makes a folder. The umask applies.

    Raises:
        OutputError: nothing can be created there.
    """
    parent = target if inside else target.parent
    prefix, suffix = _marks(target)
    clear_asides(parent, prefix, suffix)
    path, descriptor = _created(parent, prefix, suffix, mode)
    try:
        yield path
    finally:
        remove(path)
        os.close(descriptor)


def clear_asides(parent: Path, prefix: str = ".", suffix: str = "") -> None:
    """Removes what killed writers left in a folder, of all names or of one; what a living writer has locked stays."""
    with suppress(OSError):
        for name in os.listdir(parent):
            if name.startswith(prefix) and name.endswith(suffix) and MARK in name:
                _remove_if_dead(parent / name)


def lock(descriptor: int) -> bool:
    """Locks an open file or folder until it is closed or the process ends; False where the file system has no locks.

    Raises:
        BlockingIOError: it is locked already, by this process or another.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in WITHOUT_LOCKS:
            return False
        raise
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file or folder still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def remove(path: Path) -> None:
    """Removes a file or a folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sync(path: Path) -> None:
    """Waits until a file, or the list of the names in a folder, is on the disk."""
    if path.is_dir():
        # Not every file system can do this with a folder.
        with suppress(OSError):
            _sync(path)
    else:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _marks(target: Path) -> tuple[str, str]:
    """How the names of a target's asides begin and end. The suffix stays: Keras and NumPy read the format off it."""
    suffix = target.suffix if len(target.suffix) <= LONGEST_SUFFIX else ""
    return f".{target.stem[:LONGEST_STEM]}{MARK}", suffix


def _created(parent: Path, prefix: str, suffix: str, mode: int | None) -> tuple[Path, int]:
    while True:
        path = parent / f"{prefix}{secrets.token_hex(6)}{suffix}"
        try:
            descriptor = _opened(path, mode)
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(f"{parent}: expected a folder to write to, found a fault: {reason_of(error)}") from None
        try:
            lock(descriptor)
            if is_at(descriptor, path):
                return path, descriptor
        except BlockingIOError:
            pass
        # Another writer saw it before it was locked, and removes it.
        os.close(descriptor)


def _opened(path: Path, mode: int | None) -> int:
    if mode is not None:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def _remove_if_dead(path: Path) -> None:
    with suppress(OSError):
        # Some file systems lock only what is open for writing, which a folder cannot be.
        descriptor = os.open(path, (os.O_RDONLY if path.is_dir() else os.O_RDWR) | os.O_NOFOLLOW)
        try:
            if lock(descriptor) and is_at(descriptor, path):
                remove(path)
        finally:
            os.close(descriptor)
