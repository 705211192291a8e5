"""The bytes of a vector file, whatever it is packed in, with a look ahead."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from seqtag.errors import DataError, reason_of, shown

BUFFER = 1 << 18
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
# gzip.BadGzipFile is an OSError.
_DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile, OSError)


class ByteSource:
    """A binary stream with a look ahead; it knows how far it has been read.

    Attributes:
        name: of the file, for messages.
        size: the number of its bytes unpacked; None where that is not known before they are read.
        packed_size: the size of the file.
    """

    def __init__(self, stream: BinaryIO, name: str, size: int | None, raw: BinaryIO, packed_size: int) -> None:
        self.name = name
        self.size = size
        self.packed_size = packed_size
        self._stream = stream
        self._raw = raw
        self._buffer = b""
        self._place = 0
        self._taken = 0

    def peek(self, count: int) -> bytes:
        """The next bytes, without reading them: fewer than `count` at the end alone."""
        self._have(count)
        return self._buffer[self._place : self._place + count]

    def read(self, count: int) -> bytes:
        """The next bytes: fewer than `count` at the end alone."""
        found = self.peek(count)
        self._place += len(found)
        self._taken += len(found)
        return found

    def read_until(self, end: bytes, most: int) -> bytes | None:
        """The bytes before the next `end`, which is read too; None where it is not among the next `most` bytes."""
        place = self._buffer.find(end, self._place, self._place + most)
        if place < 0:
            self._have(most)
            place = self._buffer.find(end, self._place, self._place + most)
        return None if place < 0 else self.read(place + len(end) - self._place)[: -len(end)]

    def left(self) -> int | None:
        """How many bytes are still to be read; None where that is not known."""
        return None if self.size is None else self.size - self._taken

    def done(self) -> int:
        """How many bytes of the file have been read, packed as they are."""
        return self._raw.tell()

    def _have(self, count: int) -> None:
        """Reads on until so many bytes are in the buffer, or all that there are."""
        missing = count - (len(self._buffer) - self._place)
        if missing <= 0:
            return
        parts = [self._buffer[self._place :]]
        try:
            while missing > 0 and (more := self._stream.read(max(missing, BUFFER))):
                parts.append(more)
                missing -= len(more)
        except _DAMAGE as error:
            raise DataError(f"expected a whole packed file, found damage: {error}", self.name) from None
        self._buffer, self._place = b"".join(parts), 0


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[ByteSource]:
    """Opens a file as it is, or unpacks it: gzip, or a zip archive of one file. Its first bytes tell.

    Raises:
        DataError: the file cannot be opened, is damaged, or is an archive of several files.
    """
    name = os.fspath(path)
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(open(path, "rb"))
            magic = raw.read(len(ZIP))
            raw.seek(0)
        except (OSError, ValueError) as error:
            found = reason_of(error) if isinstance(error, OSError) else str(error)
            raise DataError(f"expected a readable file, found: {found}", name) from None
        packed = os.fstat(raw.fileno()).st_size
        if magic.startswith(GZIP):
            yield ByteSource(stack.enter_context(gzip.open(raw)), name, None, raw, packed)  # type: ignore[arg-type]
        elif magic == ZIP:
            stream, size = _member(raw, name, stack)
            yield ByteSource(stream, name, size, raw, packed)
        else:
            yield ByteSource(raw, name, packed, raw, packed)


def _member(raw: BinaryIO, name: str, stack: ExitStack) -> tuple[BinaryIO, int]:
    """The one file of an archive, and its size."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(raw))
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            names = shown([member.filename for member in members])
            raise DataError(f"expected an archive of one vector file, found {len(members)}: {names}", name)
        return stack.enter_context(archive.open(members[0])), members[0].file_size  # type: ignore[return-value]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # for example, it needs a password
        raise DataError(f"expected a readable archive, found: {error}", name) from None
