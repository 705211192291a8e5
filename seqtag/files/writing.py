"""Writing files: a fault leaves the old file or none, never half of a new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seqtag.errors import OutputError, escaped, reason_of
from seqtag.files.asides import aside_of, sync
from seqtag.process.streams import standard_output

MOST_LINKS = 40


class Coloured(bytes):
    """A part of the output that a terminal shows in colours, and a file as plain text.

    Args:
        plain: for files and pipes.
        coloured: for terminals; what came from data is escaped in it, so that its only controls are colours of ours.
    """

    coloured: bytes

    def __new__(cls, plain: str, coloured: str) -> Coloured:
        """Both texts as UTF-8."""
        part = super().__new__(cls, plain.encode())
        part.coloured = coloured.encode()
        return part


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives the path of an empty file aside, which is renamed to `path` when the block ends without a fault.

    Everything is checked, and the file aside created, before the block. Of two writers of one file the later one wins,
    whole. Where `path` is a link, the link stays and the file behind it is replaced. A new file has the permissions
    that the umask gives, a replaced one keeps its own, and its owner and group as far as the user may set them. Another
    name of the same file, a hard link, keeps the old content.

    Raises:
        OutputError: `path` is a folder, a device, a pipe, a link to nothing or write-protected, or there is no folder
            for it that can be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "answer.txt")
    ...     with atomic_write(target) as aside:
    ...         _ = aside.write_text("42")
    ...     target.read_text(), [p.name for p in Path(folder).iterdir()]
    ('42', ['answer.txt'])
    """
    target = regular_target(Path(path))
    # What is secret in the old file is secret in the new one from its first byte on.
    mode = stat.S_IMODE(target.stat().st_mode) | stat.S_IRUSR | stat.S_IWUSR if target.exists() else 0o666
    with aside_of(target, mode=mode) as aside:
        yield aside
        replace(aside, target)


@contextmanager
def output_file(target: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Gives the function that writes the output of a command: to a file, or to standard output where there is none.

    A file appears when it is whole. A device or a pipe is written to as it is, and so is a descriptor such as
    /dev/stdout or /dev/fd/3, from where it stands. A terminal gets control characters escaped, and `Coloured` parts in
    colours.

    Raises:
        OutputError: as `atomic_write`; standard output or the descriptor is not open.
    """
    if target is None:
        stdout = standard_output()
        yield _writer(stdout.buffer, stdout.isatty())
        stdout.buffer.flush()
    elif (descriptor := _descriptor_named(target)) is not None:
        with _duplicate(descriptor, target) as file:
            yield _writer(file, file.isatty())
    elif target.exists() and not target.is_file() and not target.is_dir():
        with target.open("wb") as file:
            yield _writer(file, file.isatty())
    else:
        with atomic_write(target) as aside, aside.open("wb") as file:
            yield file.write


def regular_target(path: Path) -> Path:
    """The file that a write to `path` makes or replaces: `path` itself, or the file behind a link.

    Raises:
        OutputError: see `atomic_write`.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        _check_new(path)
        return path
    except OSError as error:
        raise OutputError(f"{path}: expected a file to write, found a fault: {reason_of(error)}") from None
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{path}: expected a file to write, found a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OutputError(f"{path}: expected a regular file, found a device, a pipe or a socket")
    if not os.access(path, os.W_OK):
        raise OutputError(f"{path}: expected a file that may be written, found one that is write-protected")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def replace(aside: Path, target: Path) -> None:
    """Renames a file that is written to `target`, with the permissions and the owner of the file that was there."""
    sync(aside)
    with suppress(FileNotFoundError):
        _keep_owner_and_mode(aside, os.stat(target))
    os.replace(aside, target)
    sync(target.parent)


def _check_new(path: Path) -> None:
    if path.is_symlink():
        raise OutputError(f"{path}: expected a file to write, found a link to nothing, {os.readlink(path)}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: expected a folder to write to, found none")


def _keep_owner_and_mode(aside: Path, old: os.stat_result) -> None:
    new = os.stat(aside)
    if hasattr(os, "chown") and (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with suppress(PermissionError):
            os.chown(aside, -1, old.st_gid)
            os.chown(aside, old.st_uid, -1)
    os.chmod(aside, stat.S_IMODE(old.st_mode))


def _writer(file: BinaryIO, terminal: bool) -> Callable[[bytes], object]:
    return (lambda part: file.write(_for_terminal(part))) if terminal else file.write


def _for_terminal(part: bytes) -> bytes:
    """A part as a terminal can show it."""
    if isinstance(part, Coloured):
        return part.coloured
    return escaped(part.decode("utf-8", "backslashreplace").replace("\r\n", "\n"), keep="\n\t").encode()


def _descriptor_named(path: Path) -> int | None:
    """The number of this process's descriptor that a path stands for, such as /dev/stdout; None for other paths."""
    folders = {os.path.realpath(folder) for folder in ("/dev/fd", "/proc/self/fd")}
    current = os.path.abspath(path)
    for _ in range(MOST_LINKS):
        folder, name = os.path.split(current)
        if name.isdecimal() and os.path.realpath(folder) in folders:
            return int(name)
        if not os.path.islink(current):
            break
        current = os.path.join(folder, os.readlink(current))
    return None


def _duplicate(descriptor: int, path: Path) -> BinaryIO:
    """A descriptor as a file of its own. To open its path anew would empty a file, and start at its beginning."""
    try:
        return os.fdopen(os.dup(descriptor), "wb")
    except OSError as error:
        raise OutputError(f"{path}: expected an open descriptor, found a fault: {reason_of(error)}") from None
