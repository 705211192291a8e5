r"""Lines of a text file or stream, decoded strictly, with their line ends, in bounded memory.

Lines end at ``\n`` alone: a token may be a form feed or U+2028, which `str.splitlines` would cut. Bytes are
decoded here rather than by `io.TextIOWrapper` because an undecodable byte must be reported with its line
number, also on a pipe that cannot be read twice.
"""

from __future__ import annotations

import codecs
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import IO, Any, TypeAlias

from seqtag.errors import ConfigError, DataError, DataWarning, shown
from seqtag.process.streams import standard_input

Source: TypeAlias = str | os.PathLike[str] | IO[str] | IO[bytes]

_CHUNK = 1 << 16
# Python counts these among the encodings of text, but what they decode is written in no file of words.
_NO_CHARSETS = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_C1_CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")


def source_name(source: Source) -> str:
    """The name of a source in messages: its path, or ``<stdin>`` and the like for a stream.

    >>> source_name("-"), source_name("dev.conll")
    ('<stdin>', 'dev.conll')
    """
    if isinstance(source, str | os.PathLike):
        return "<stdin>" if source == "-" else os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


def read_lines(source: Source, encoding: str = "utf-8") -> Iterator[str]:
    r"""Yields the lines of `source`, line ends and a byte order mark included.

    Args:
        source: a path, ``"-"`` for standard input, or a text or binary stream, which is left open.
        encoding: the name of a codec; text streams are decoded already.

    Raises:
        DataError: the file cannot be opened, holds a byte that is not `encoding`, or a NUL byte.
        ConfigError: no such encoding.

    >>> import io
    >>> list(read_lines(io.BytesIO(b"Paris\tB-LOC\r\n\r\nNice")))
    ['Paris\tB-LOC\r\n', '\r\n', 'Nice']
    """
    name = source_name(source)
    decoder = _Decoder(encoding, name)
    number = 0
    pieces: list[str] = []
    with _open(source) as stream:
        for text in _decoded(stream, decoder):
            if "\0" in text:
                line = number + 1 + text.count("\n", 0, text.index("\0"))
                raise _zeros(text, name, line)
            first, *rest = text.split("\n")
            pieces.append(first)
            if rest:
                yield "".join(pieces) + "\n"
                for line_text in rest[:-1]:
                    yield line_text + "\n"
                number += len(rest)
                pieces = [rest[-1]]
    if last := "".join(pieces):
        yield last


def _open(source: Source) -> Any:
    if not isinstance(source, str | os.PathLike):
        return nullcontext(source)
    if source == "-":
        return nullcontext(standard_input())
    try:
        return open(source, "rb")
    except (OSError, ValueError) as error:  # a ValueError where the name holds a NUL
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise DataError(f"expected a readable file, found: {reason}", source) from None


def _decoded(stream: IO[str] | IO[bytes], decoder: _Decoder) -> Iterator[str]:
    """Yields decoded chunks."""
    binary = getattr(stream, "buffer", stream)
    read = getattr(binary, "read1", binary.read)  # read1 returns what a pipe holds instead of waiting for more
    while chunk := read(_CHUNK):
        yield chunk if isinstance(chunk, str) else decoder(chunk)
    yield decoder(b"", final=True)


class _Decoder:
    """Decodes one source chunk by chunk; counts lines, so that the line of a bad byte is known."""

    def __init__(self, encoding: str, name: str) -> None:
        self.name = name
        self.encoding = encoding
        self.lines = 0
        self._decoder = _decoder(encoding)
        self._watches = not codecs.lookup(encoding).name.startswith("utf")

    def __call__(self, chunk: bytes, final: bool = False) -> str:
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            raise self._bad_byte(error) from None
        except UnicodeError as error:
            raise DataError(f"expected {self.encoding}, found: {error}", self.name, self.lines + 1) from None
        if self._watches and (other := _visible_encoding(chunk, text, self.encoding)):
            self._watches = False
            message = f"reads as {self.encoding}, but looks like {other}"
            warnings.warn(DataWarning(message, self.name, setting="data.encoding"), stacklevel=2)
        self.lines += text.count("\n")
        return text

    def _bad_byte(self, error: UnicodeDecodeError) -> DataError:
        before = error.object[: error.start].decode(self.encoding, errors="replace")
        found = f"byte 0x{error.object[error.start]:02x} ({error.reason})"
        if not (self.lines or error.start):
            marks = [name for mark, name in _MARKS.items() if error.object.startswith(mark)]
            found = f"the byte order mark of {marks[0]}" if marks else found
        line = self.lines + before.count("\n") + 1
        return DataError(f"expected {self.encoding}, found {found}", self.name, line, setting="data.encoding")


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        "".encode(encoding)  # codecs such as hex exist, but their result is no text
        if codecs.lookup(encoding).name not in _NO_CHARSETS:
            return codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):  # a ValueError where the name holds what no name can
        pass
    raise ConfigError(f"expected an encoding such as utf-8, found {shown(encoding)}", setting="data.encoding")


def _visible_encoding(chunk: bytes, text: str, encoding: str) -> str | None:
    """The encoding that bytes are visibly in, where they have been decoded by another; None where nothing is odd."""
    if chunk.isascii():
        return None
    try:
        # A character of UTF-8 may be cut at either end of a chunk.
        inner = codecs.getincrementaldecoder("utf-8")().decode(chunk.lstrip(_CONTINUATIONS))
        return None if inner.isascii() else "utf-8"
    except UnicodeDecodeError:
        is_latin = codecs.lookup(encoding).name == "iso8859-1"
        return "cp1252" if is_latin and _C1_CONTROLS.search(text) else None


def _zeros(text: str, name: str, line: int) -> DataError:
    """The error for NUL bytes in a text, which is UTF-16 without a byte order mark where every other one is NUL."""
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(text) > 1 and 2 * text[first::2].count("\0") > len(text[first::2]):
            message = f"expected text, found NUL bytes between all others, as in {encoding}"
            return DataError(message, name, line, setting="data.encoding")
    return DataError("expected text, found a NUL byte", name, line)
