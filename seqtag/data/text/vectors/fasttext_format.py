"""fastText's models (`.bin`): a dictionary, then a matrix of the vectors of words and of buckets of n-grams."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqtag.data.text.vectors.byte_source import ByteSource
from seqtag.data.text.vectors.parsed import (
    BLOCK,
    LONGEST_NGRAM,
    Block,
    Parsed,
    Subwords,
    check_finite,
    check_width,
    decoded,
)
from seqtag.errors import DataError, shown

MAGIC = struct.pack("<i", 793712314)
VERSIONS = (11, 12)
LONGEST_WORD = 1 << 14
# Its arguments: width, window, epochs, least count, negative samples, word n-grams, loss, model, buckets, shortest and
# longest n-gram, rate of updates, sampling threshold. The model 3 is a classifier.
_ARGUMENTS, CLASSIFIER = "<12id", 3
# Of the dictionary: entries, words, labels, tokens, pruned buckets. Of an entry after its word: its count, its kind.
_COUNTS, _ENTRY = "<3i2q", "<qb"


def parse_fasttext(source: ByteSource) -> Parsed:
    """Reads a model that is not quantised.

    The vectors of its words are those of the rows in the file: their means with those of their n-grams are the words'
    vectors; see `seqtag.data.text.vectors.subwords`.

    Raises:
        DataError: the file is damaged, cut off, quantised, or of an unknown version.
    """
    source.read(len(MAGIC))
    [version] = _unpack(source, "<i")
    if version not in VERSIONS:
        known = " or ".join(map(str, VERSIONS))
        raise DataError(f"expected a fastText model of version {known}, found {version}", source.name)
    width, *_, kind, buckets, shortest, longest, _, _ = _unpack(source, _ARGUMENTS)
    check_width(width, source.name)
    if version == 11 and kind == CLASSIFIER:
        longest = 0  # as fastText itself reads such files
    if min(shortest, longest, buckets) < 0 or longest > LONGEST_NGRAM:
        message = f"expected n-grams of up to {LONGEST_NGRAM} characters, found {shortest} to {longest}"
        raise DataError(f"{message} in {buckets} buckets", source.name)
    words = _words(source)
    _check_plain(source)
    rows, columns = _unpack(source, "<2q")
    if (rows, columns) != (len(words) + buckets, width):
        message = f"expected a matrix of {len(words) + buckets} rows and {width} columns, found {rows} and {columns}"
        raise DataError(message, source.name)
    left = source.left()
    if left is not None and left < 4 * rows * columns:
        message = f"expected a matrix of {4 * rows * columns} bytes, found {left}; the file may be cut off"
        raise DataError(message, source.name)
    subwords = Subwords(shortest, longest, buckets)
    if not subwords.is_possible():
        return Parsed(width, _blocks(source, words, 0, width))
    return Parsed(width, _blocks(source, words, buckets, width), subwords)


def _words(source: ByteSource) -> list[str | None]:
    entries, words, labels, _, pruned = _unpack(source, _COUNTS)
    if not (min(words, labels) >= 0 and entries == words + labels):
        message = f"expected as many entries as words and labels, found {entries}, {words} and {labels}"
        raise DataError(message, source.name)
    if pruned > 0:
        raise DataError("expected a fastText model that is not quantised, found one with pruned n-grams", source.name)
    found = [_entry(source, number, entries) for number in range(entries)]
    return found[:words]


def _entry(source: ByteSource, number: int, entries: int) -> str | None:
    word = source.read_until(b"\0", LONGEST_WORD)
    if word is None:
        found = shown(source.peek(LONGEST_WORD)[:40])
        raise DataError(f"expected a dictionary of {entries} entries, found {found} after {number}", source.name)
    _unpack(source, _ENTRY)
    return decoded(word)


def _check_plain(source: ByteSource) -> None:
    [quantised] = _unpack(source, "<b")
    if quantised:
        raise DataError("expected a fastText model that is not quantised, found a quantised one", source.name)


def _blocks(source: ByteSource, words: list[str | None], buckets: int, width: int) -> Iterator[Block]:
    most = max(1, BLOCK // width)
    for start in range(0, len(words), most):
        some = words[start : start + most]
        yield some, _vectors(source, some, len(some), width)
    for start in range(0, buckets, most):
        yield (), _vectors(source, (), min(most, buckets - start), width)


def _vectors(source: ByteSource, words: Any, count: int, width: int) -> np.ndarray:
    content = source.read(4 * count * width)
    if len(content) < 4 * count * width:
        raise DataError("expected a whole matrix, found the end of the file; it may be cut off", source.name)
    values = np.frombuffer(content, "<f4").reshape(count, width)
    check_finite(values, words, source.name)
    return values


def _unpack(source: ByteSource, form: str) -> tuple[Any, ...]:
    content = source.read(struct.calcsize(form))
    if len(content) < struct.calcsize(form):
        raise DataError("expected a whole fastText model, found the end of the file; it may be cut off", source.name)
    return struct.unpack(form, content)
