"""Writing folders: all files of one, or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqtag.errors import OutputError, reason_of
from seqtag.files.asides import aside_of, is_at, lock, sync
from seqtag.files.writing import regular_target, replace

TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Gives a new folder aside, which is renamed to `target` after the block, or removed after a fault.

    Raises:
        OutputError: it cannot be created, or `target` exists after the block.
    """
    make_folder(target.parent)
    with aside_of(target) as aside:
        yield aside
        _rename_synced(aside, target)


@contextmanager
def filled_folder(target: Path) -> Iterator[Path]:
    """Gives a folder aside for files that go to the folder `target` together, when the block ends without a fault.

    Files of the same names are replaced, as by `atomic_write`, and others stay. `target` is created where it does not
    exist.

    Raises:
        OutputError: `target` is no folder that can be written to, or a name in it is no regular file's.
    """
    check_folder(target)
    exists = target.is_dir()
    make_folder(target.parent)
    with aside_of(target, inside=exists) as aside:
        yield aside
        if not exists:
            # Another process may have made it meanwhile.
            with suppress(OutputError):
                return _rename_synced(aside, target)
        files = {path: regular_target(target / path.name) for path in sorted(aside.iterdir())}
        for path, place in files.items():
            replace(path, place)


@contextmanager
def locked_folder(folder: Path, held: str) -> Iterator[bool]:
    """Locks a folder for the block; False where the file system has no locks.

    Raises:
        OutputError: another process has locked it, or renamed it meanwhile; `held` is the message.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield _lock(descriptor, folder, held)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, held: str) -> bool:
    try:
        locks = lock(descriptor)
    except BlockingIOError:
        raise OutputError(held) from None
    if not is_at(descriptor, folder):
        raise OutputError(held)
    return locks


def _rename_synced(folder: Path, target: Path) -> None:
    for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
        sync(path)
    rename_new(folder, target)


def rename_new(folder: Path, target: Path) -> None:
    """Renames a folder to a name that no other has.

    Raises:
        OutputError: something has that name now.
    """
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in TAKEN:
            raise OutputError(f"{target}: expected no file or folder of this name, found a new one") from None
        raise
    sync(target.parent)


def check_folder(target: Path) -> None:
    """Checks that `target` is a folder to write to, or that it can be created.

    Raises:
        OutputError: otherwise.
    """
    place = target
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        found = "a link to nothing" if place.is_symlink() and not place.exists() else "a file"
        raise OutputError(f"{place}: expected a folder to write to, found {found}")
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{place}: expected a folder to write to, found one that is write-protected")


def make_folder(folder: Path) -> None:
    """Creates a folder, and those above it, where they do not exist.

    Raises:
        OutputError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: expected a folder to write to, found a fault: {reason_of(error)}") from None
