"""Reads a vector file of any form, through a cache."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import warnings
import weakref
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from seqtag.data.text.vectors.byte_source import ByteSource, opened
from seqtag.data.text.vectors.fasttext_format import MAGIC, parse_fasttext
from seqtag.data.text.vectors.parsed import Parsed, check_width
from seqtag.data.text.vectors.store import MATRIX, VectorWriter, WordVectors
from seqtag.data.text.vectors.text_format import LONGEST_LINE, header_of, is_text_line, parse_text
from seqtag.data.text.vectors.word2vec_format import parse_binary
from seqtag.errors import DataError, DataWarning, OutputError, shown
from seqtag.files.asides import remove
from seqtag.files.folders import make_folder, whole_folder
from seqtag.progress import LiveLine, time_left

LONGEST_STEM = 40


def read_vectors(
    path: str | os.PathLike[str], cache: Path | None = None, verbose: bool = True, width: int | None = None
) -> WordVectors:
    """The vectors in a file: GloVe's, word2vec's or fastText's, text or binary; what it holds tells which.

    Args:
        path: the file, as it is or packed by gzip or zip.
        cache: a folder for the vectors in the form that they are used in, which is quick to open: it is used as long
            as the file has the size and the time that it had. Without one they are kept in a temporary folder as long
            as the process lives.
        verbose: whether a line shows how far the file is read.
        width: the numbers that a vector must have, if that is known.

    Raises:
        DataError: the file cannot be read, or is at fault; the message has the line where there are lines. Its vectors
            are of another width.
        OutputError: the cache cannot be written.
    """
    if cache is None:
        folder = tempfile.TemporaryDirectory(prefix="seqtag-vectors-")
        vectors = _read_into(Path(folder.name), path, verbose, width)
        # Removed with the vectors: the matrix is a part of it.
        weakref.finalize(vectors.matrix, folder.cleanup)
        return vectors
    target = cache / _cached_name(path)
    found = _fresh(target, path)
    if found is not None:
        _check_width(found.width, width, os.fspath(path))
        return found
    make_folder(cache)
    remove(target)
    try:
        with whole_folder(target) as aside:
            _read_into(aside, path, verbose, width)
    except OutputError:
        # Somebody else may have written the same at the same time: theirs is as good.
        found = _fresh(target, path)
        if found is None:
            raise
        return found
    return WordVectors.load(target)[0]


def read_words(path: str | os.PathLike[str]) -> WordVectors:
    """The words in a file, with vectors of no numbers: as quick as `read_vectors` can be, and nothing is written.

    Raises:
        DataError: as `read_vectors`.
    """
    words: dict[str, None] = {}
    with opened(path) as source:
        parsed = _parsed(source)
        seen = _passed_on(parsed, source, lambda some, _: words.update(dict.fromkeys(filter(None, some))), True)
    _check_any(words, source.name)
    seen.warn(source.name)
    buckets = parsed.subwords.buckets if parsed.subwords else 0
    return WordVectors(list(words), np.zeros((len(words) + buckets, 0), np.float32), parsed.subwords)


def _check_any(words: Collection[str], name: str) -> None:
    if not words:
        raise DataError("expected word vectors, found none", name)


def _cached_name(path: str | os.PathLike[str]) -> str:
    place = os.path.abspath(path)
    return f"{Path(place).name[:LONGEST_STEM]}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"


def _source_of(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return {}
    return {"name": os.path.basename(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _fresh(folder: Path, path: str | os.PathLike[str]) -> WordVectors | None:
    """What a cache holds of a file, as the file is now."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        vectors, about = WordVectors.load(folder)
        if about["source"] == _source_of(path):
            return vectors
    return None


def _check_width(found: int, expected: int | None, name: str) -> None:
    if expected not in (None, found):
        raise DataError(f"expected vectors of {expected} numbers as in data.vector_dims, found {found}", name)


def _read_into(folder: Path, path: str | os.PathLike[str], verbose: bool, width: int | None) -> WordVectors:
    about = {"source": _source_of(path)}
    with opened(path) as source:
        parsed = _parsed(source)
        _check_width(parsed.width, width, source.name)
        with VectorWriter(folder, parsed.width) as writer:
            seen = _passed_on(parsed, source, writer.add, verbose)
            writer.finish(parsed.subwords, about)
    if parsed.subwords is not None:
        _finish_words(folder)
    _check_any(writer.known, source.name)
    seen.warn(source.name)
    return WordVectors.load(folder)[0]


def _parsed(source: ByteSource) -> Parsed:
    """The reader of a file, chosen by its first bytes."""
    if source.peek(len(MAGIC)) == MAGIC:
        return parse_fasttext(source)
    first = source.peek(LONGEST_LINE).split(b"\n", 1)[0]
    header = header_of(first)
    if header is not None:
        check_width(header.width, source.name)
        source.read(len(first) + 1)
        first = source.peek(LONGEST_LINE).split(b"\n", 1)[0]
    if not first and header is None:
        raise DataError("expected word vectors, found an empty file", source.name)
    if is_text_line(first):
        return parse_text(source, header)
    if header is not None:
        return parse_binary(source, header)
    message = "expected word vectors in text, or in the binary form of word2vec or fastText"
    raise DataError(f"{message}, found {shown(first[:40])}", source.name, 1)


def _finish_words(folder: Path) -> None:
    """Gives the words of a fastText model their vectors, the means of their own and of those of their n-grams."""
    from seqtag.data.text.vectors.subwords import word_means

    vectors, _ = WordVectors.load(folder)
    assert vectors.subwords is not None
    count = len(vectors.words)
    matrix = np.load(folder / MATRIX, mmap_mode="r+", allow_pickle=False)
    row = 0
    for means in word_means(vectors.words, matrix[:count], matrix[count:], vectors.subwords):
        matrix[row : row + len(means)] = means
        row += len(means)
    matrix.flush()


class _Oddities:
    """Words of a file that no tokeniser gives, counted, with an example."""

    def __init__(self) -> None:
        self.spaced: list[str] = []
        self.spaces = self.left_out = 0

    def add(self, words: Sequence[str | None]) -> None:
        spaced = [word for word in words if word is not None and " " in word]
        self.spaced = self.spaced or spaced[:1]
        self.spaces += len(spaced)
        self.left_out += sum(word is None for word in words)

    def warn(self, name: str) -> None:
        if self.spaces:
            _warn(
                f"words that hold a space, which no token is found by: {self.spaces}, such as {shown(self.spaced[0])}",
                name,
            )
        if self.left_out:
            _warn(f"words left out that are no text in utf-8: {self.left_out}", name)


def _warn(message: str, name: str) -> None:
    warnings.warn(DataWarning(message, name), stacklevel=3)


def _passed_on(
    parsed: Parsed, source: ByteSource, add: Callable[[Sequence[str | None], np.ndarray], object], verbose: bool
) -> _Oddities:
    """Hands on all that a file holds, and shows how far it is read."""
    started, words, oddities = time.monotonic(), 0, _Oddities()

    def text() -> str:
        seconds = time.monotonic() - started
        share = source.done() / max(1, source.packed_size)
        left = time_left(seconds, source.done(), source.packed_size)
        return f"{source.name}: {words:,} words  {words / max(seconds, 1e-9):,.0f} words/s  {share:.0%}  {left}"

    with LiveLine(plain_lines=True) as line:
        for block_words, vectors in parsed.blocks:
            add(block_words, vectors)
            oddities.add(block_words)
            words += len(block_words)
            if verbose:
                line.show(text)
    return oddities
