"""Documents as one row of symbols, cut into pieces that are read side by side; NumPy only.

The row holds a boundary before each document, and one at its end where ends are predicted. A span `start, stop` of the
row is read at `start ... stop - 1`, and each of these symbols predicts the one after it:

    inputs row[start:stop],    targets row[start + 1:stop + 1].
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, pairwise
from typing import NamedTuple

import numpy as np

from seqtag.data.text.vocabulary import BOUNDARY
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.data.texts import Texts

# Short documents are sorted by length within so many times the rows, so that those side by side end together.
POOL = 32


class Corpus(NamedTuple):
    """Documents as symbols.

    Attributes:
        row: int32 `(symbols,)`.
        starts, stops: the span of each document, int64 `(documents,)`.
    """

    row: np.ndarray
    starts: np.ndarray
    stops: np.ndarray

    @classmethod
    def of(cls, texts: Texts, coder: TextCoder) -> Corpus:
        """The symbols of texts.

        >>> Corpus.of(Texts(["aba", "b"], ends=True), TextCoder.count("characters", ["aab"])).row
        array([0, 2, 3, 2, 0, 0, 3, 0], dtype=int32)
        """
        boundary = np.full(1, BOUNDARY, np.int32)
        ends = [boundary] if texts.ends else []
        parts = [np.concatenate([boundary, rows, *ends]) for rows in coder.rows_of_texts(texts.documents)]
        sizes = np.array([len(part) for part in parts])
        stops = np.cumsum(sizes) - 1
        return cls(np.concatenate(parts), stops - sizes + 1, stops)

    @property
    def targets(self) -> int:
        """How many symbols are predicted."""
        return int((self.stops - self.starts).sum())

    @property
    def inputs(self) -> np.ndarray:
        """The places in the row that predict the symbol after them, int64 `(targets,)`."""
        lengths = self.stops - self.starts
        before = np.cumsum(lengths) - lengths
        return np.arange(self.targets) + np.repeat(self.starts - before, lengths)

    def backwards(self) -> Corpus:
        """The same documents, each from its end to its start.

        The boundary before a document is its last target then, if there is one at its end. Where ends are not
        predicted, the row gets a boundary before its last symbol, and loses the one before the first.

        >>> Corpus(np.array([0, 2, 3]), np.array([0]), np.array([2])).backwards().row
        array([0, 3, 2])
        """
        row = self.row.copy()
        for start, stop in zip(self.starts, self.stops, strict=True):
            has_end = row[stop] == BOUNDARY and stop > start
            low, high = start + 1, stop + (not has_end)
            row[low:high] = row[low:high][::-1].copy()
        return Corpus(row, self.starts, self.stops)


class Chunk(NamedTuple):
    """Where the rows of a batch read; all fields are `(rows,)`.

    Attributes:
        start: the first input.
        real: how many symbols are read, 0 in a row that has nothing.
        fresh: whether the state is zero before it.
    """

    start: np.ndarray
    real: np.ndarray
    fresh: np.ndarray


def chunks(corpus: Corpus, rows: int, steps: int, seed: int) -> Iterator[Chunk]:
    """Endless chunks of at most `steps` symbols a row; each row goes on where its last chunk ended.

    A pass takes the documents in another order. One that is longer than its share of a row is cut into pieces, at
    other places in each pass; a piece starts with a state of zeros.
    """
    waiting = chain.from_iterable(_pieces(corpus, rows, np.random.default_rng([seed, n])) for n in count())
    at, stop = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    while True:
        fresh = at == stop
        for row in np.flatnonzero(fresh):
            at[row], stop[row] = next(waiting)
        real = np.minimum(stop - at, steps)
        yield Chunk(at.copy(), real, fresh)
        at += real


def _pieces(corpus: Corpus, rows: int, random: np.random.Generator) -> list[tuple[int, int]]:
    """The spans of one pass in the order in which rows take them."""
    most = max(-(-corpus.targets // rows), 2)
    found: list[tuple[int, int]] = []
    for number in random.permutation(len(corpus.starts)):
        start, stop = int(corpus.starts[number]), int(corpus.stops[number])
        if stop - start <= most:
            found += [(start, stop)] if stop > start else []
            continue
        cuts = [start, *range(start + int(random.integers(1, most + 1)), stop, most), stop]
        found += pairwise(cuts)
    pool = POOL * rows
    for first in range(0, len(found), pool):
        found[first : first + pool] = sorted(found[first : first + pool], key=lambda span: span[0] - span[1])
    return found
