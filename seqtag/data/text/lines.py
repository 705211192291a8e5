r"""Lines of a text file or stream, decoded strictly, with their line ends, in bounded memory.

Lines end at ``\n`` alone: a token may be a form feed or U+2028, which `str.splitlines` would cut. Bytes are
decoded here rather than by `io.TextIOWrapper` because an undecodable byte must be reported with its line
number, also on a pipe that cannot be read twice.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import IO, Any, TypeAlias

from seqtag.errors import ConfigError, DataError, shown
from seqtag.streams import standard_input

Source: TypeAlias = str | os.PathLike[str] | IO[str] | IO[bytes]

_CHUNK = 1 << 16


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
    decoder = _decoder(encoding)
    number = 0
    pieces: list[str] = []
    with _open(source) as stream:
        for text in _decoded(stream, decoder, name, encoding):
            if "\0" in text:
                line = number + 1 + text.count("\n", 0, text.index("\0"))
                raise DataError("expected text, found a NUL byte", name, line)
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


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        "".encode(encoding)  # codecs such as hex exist, but their result is no text
        return codecs.getincrementaldecoder(encoding)()
    except LookupError:
        message = f"expected an encoding such as utf-8, found {shown(encoding)}"
        raise ConfigError(message, setting="data.encoding") from None


def _open(source: Source) -> Any:
    if not isinstance(source, str | os.PathLike):
        return nullcontext(source)
    if source == "-":
        return nullcontext(standard_input())
    try:
        return open(source, "rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"expected a readable file, found: {reason}", source) from None


def _decoded(
    stream: IO[str] | IO[bytes], decoder: codecs.IncrementalDecoder, name: str, encoding: str
) -> Iterator[str]:
    """Yields decoded chunks; counts lines, so that the line of a bad byte is known."""
    binary = getattr(stream, "buffer", stream)
    read = getattr(binary, "read1", binary.read)  # read1 returns what a pipe holds instead of waiting for more
    lines = 0
    while chunk := read(_CHUNK):
        text = chunk if isinstance(chunk, str) else _decode(decoder, chunk, False, name, encoding, lines)
        lines += text.count("\n")
        yield text
    yield _decode(decoder, b"", True, name, encoding, lines)


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool, name: str, encoding: str, lines: int) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, errors="replace")
        raise DataError(
            f"expected {encoding}, found byte 0x{error.object[error.start]:02x} ({error.reason})",
            name,
            lines + before.count("\n") + 1,
            setting="data.encoding",
        ) from None
