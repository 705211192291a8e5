"""What the readers of all forms of vector files give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from seqtag.errors import DataError, shown

# Numbers of a block of vectors, so that memory does not grow with the file; numbers of the widest vector.
BLOCK, MOST_WIDTH = 1 << 20, 1 << 16
LONGEST_NGRAM = 100
Block = tuple[Sequence[str | None], np.ndarray]


class Subwords(NamedTuple):
    """How fastText makes the vector of any word of its parts.

    Attributes:
        shortest, longest: the least and the most characters of an n-gram of `<word>`.
        buckets: how many vectors all n-grams share.
    """

    shortest: int
    longest: int
    buckets: int

    @classmethod
    def read(cls, values: Any) -> Self | None:
        """What is stored as a list, or None.

        Raises:
            ValueError: it is something else.
        """
        if values is None:
            return None
        shortest, longest, buckets = values
        if not all(type(value) is int for value in values) or not cls(*values).is_possible():
            raise ValueError(f"n-grams of {shortest} to {longest} characters in {buckets} buckets")
        return cls(shortest, longest, buckets)

    def is_possible(self) -> bool:
        """Whether there are any n-grams, and none longer than `LONGEST_NGRAM`."""
        return 0 <= self.shortest <= self.longest <= LONGEST_NGRAM and self.longest > 0 and self.buckets > 0


class Parsed(NamedTuple):
    """A vector file while it is read.

    Attributes:
        width: the numbers of a vector.
        blocks: some words, None where one is no text, and their vectors `(words, width)`; after the last word blocks
            of vectors alone, those of `subwords`.
        subwords: those of a fastText model that has any.
    """

    width: int
    blocks: Iterator[Block]
    subwords: Subwords | None = None


def decoded(word: bytes) -> str | None:
    """A word of a file; None for none, and for what is no text in UTF-8 on one line."""
    try:
        text = word.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and "\n" not in text and "\0" not in text else None


def check_width(width: int, name: str) -> None:
    """Raises a `DataError` for a width that no vectors have."""
    if not 1 <= width <= MOST_WIDTH:
        raise DataError(f"expected vectors of 1 to {MOST_WIDTH} numbers, found a header with {shown(width)}", name)


def check_finite(vectors: np.ndarray, words: Sequence[str | None], name: str, lines: Sequence[int] = ()) -> None:
    """Raises a `DataError` for vectors that hold what is no finite number; `lines` are those of a text file."""
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        found = vectors[row][~np.isfinite(vectors[row])][0]
        word = f" in the vector of {shown(words[row])}" if len(words) else ""
        raise DataError(f"expected finite numbers, found {found}{word}", name, lines[row] if lines else None)
