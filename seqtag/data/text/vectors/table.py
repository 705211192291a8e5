"""The vectors of a model: those of one file, or of several side by side, of all words or of those that a text has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vectors.store import WordVectors
from seqtag.errors import ConfigError

# Rows that are filled at once.
BLOCK = 1 << 12


def combined(files: Sequence[WordVectors], words: Iterable[str] | None = None) -> WordVectors:
    """One table of the vectors of several files, each word's one after the other.

    A word that only some of the files have, in whatever form, has zeros for the others.

    Args:
        files: their vectors.
        words: the words that the table is for, each found there as it is found in the files; None for all words of
            the files, and whatever can be made of n-grams.

    Raises:
        ConfigError: several files have n-grams.
    """
    if words is None and len(files) == 1:
        return files[0]
    with_subwords = [vectors for vectors in files if vectors.subwords]
    if len(with_subwords) > 1:
        raise ConfigError(f"model.vectors: expected at most one file with n-grams, found {len(with_subwords)}")
    if words is None:
        keys = list(dict.fromkeys(word for vectors in files for word in vectors.words))
        subwords: Subwords | None = with_subwords[0].subwords if with_subwords else None
    else:
        keys, subwords = _keys(files, words), None
    rows = len(keys) + (subwords.buckets if subwords else 0)
    matrix = np.zeros((rows, sum(vectors.width for vectors in files)), np.float32)
    column = 0
    for vectors in files:
        columns = matrix[:, column : column + vectors.width]
        _fill(columns, vectors, keys)
        if subwords is not None and vectors.subwords is not None:
            columns[len(keys) :] = vectors.matrix[len(vectors.words) :]
        column += vectors.width
    return WordVectors(keys, matrix, subwords)


def _keys(files: Sequence[WordVectors], words: Iterable[str]) -> list[str]:
    """The words of a table under which all of these are found: forms that a file has, and what n-grams make."""
    keys: dict[str, None] = {}
    for word in words:
        for vectors in files:
            _, row = vectors.find(word)
            if row >= 0:
                keys[vectors.words[row]] = None
            elif vectors.subwords:
                keys[word] = None
    return list(keys)


def _fill(matrix: np.ndarray, vectors: WordVectors, keys: Sequence[str]) -> None:
    """Writes the vectors of one file into its columns."""
    found = np.array([vectors.find(key)[1] for key in keys], np.int64)
    for start in range(0, len(keys), BLOCK):
        rows = found[start : start + BLOCK]
        own = np.flatnonzero(rows >= 0)
        matrix[start + own] = vectors.matrix[rows[own]]
        others = np.flatnonzero(rows < 0)
        if vectors.subwords is not None and len(others):
            from seqtag.data.text.vectors.subwords import subword_vectors

            matrix[start + others] = subword_vectors([keys[start + int(n)] for n in others], vectors)
