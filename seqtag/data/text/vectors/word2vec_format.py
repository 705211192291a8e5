"""word2vec's binary form: a header in text, then each word, a space and its numbers as float32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqtag.data.text.vectors.byte_source import ByteSource
from seqtag.data.text.vectors.parsed import BLOCK, Block, Parsed, check_finite, decoded
from seqtag.data.text.vectors.text_format import Header
from seqtag.errors import DataError, shown

LONGEST_WORD = 1 << 14


def parse_binary(source: ByteSource, header: Header) -> Parsed:
    """Reads a file after its header.

    Raises:
        DataError: the file is shorter than the header says, goes on after its last word, or is no such file.
    """
    least, left = header.words * (2 + 4 * header.width), source.left()
    if left is not None and left < least:
        message = f"expected {header.words} words of {header.width} numbers as in the header, at least {least} bytes"
        raise DataError(f"{message}, found {left}; the file may be cut off", source.name)
    return Parsed(header.width, _blocks(source, header))


def _blocks(source: ByteSource, header: Header) -> Iterator[Block]:
    most = max(1, BLOCK // header.width)
    for first in range(0, header.words, most):
        words: list[str | None] = []
        rows: list[bytes] = []
        for number in range(first, min(first + most, header.words)):
            words.append(decoded(_word(source, number, header.words)))
            rows.append(source.read(4 * header.width))
            if len(rows[-1]) < 4 * header.width:
                raise _cut(source, number, header.words)
        values = np.frombuffer(b"".join(rows), "<f4").reshape(len(rows), header.width)
        check_finite(values, words, source.name)
        yield words, values
    if source.read(LONGEST_WORD).strip():
        raise DataError(f"expected {header.words} words as in the header, found more", source.name)


def _word(source: ByteSource, number: int, count: int) -> bytes:
    """The next word; the line before it may have an end."""
    word = source.read_until(b" ", LONGEST_WORD)
    if word is not None:
        return word.removeprefix(b"\n")
    ahead = source.peek(LONGEST_WORD)
    if len(ahead) < LONGEST_WORD:
        raise _cut(source, number, count)
    message = f"expected word {number + 1} and its vector in word2vec's binary form, found {shown(ahead[:40])}"
    raise DataError(message, source.name)


def _cut(source: ByteSource, number: int, count: int) -> DataError:
    message = f"expected {count} words as in the header, found {number}; the file may be cut off"
    return DataError(message, source.name)
