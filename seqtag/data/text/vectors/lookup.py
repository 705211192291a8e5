"""The look-up of word vectors in the graph: strings in, rows of a table out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from seqtag.data.text.vectors.forms import DIGIT_SIGNS
from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vectors.store import WordVectors
from seqtag.data.text.vectors.subwords import bucket_rows


class VectorLookup:
    """Finds the rows of words in a table whose row 0 is the vector of words that it does not have.

    The forms of a word are those of `forms_of`. A word without a row of its own may have those of its n-grams, whose
    mean is its vector.

    Args:
        words: the words of rows 1, 2, ...
        subwords: how the n-grams are made that have the rows after those.

    Example:

        >>> lookup = VectorLookup(["the", "Paris", "00"])
        >>> lookup(tf.constant(["The", "Paris", "42", "cat"])).numpy().tolist()
        [[1], [2], [3], [0]]
    """

    def __init__(self, words: Sequence[str], subwords: Subwords | None = None) -> None:
        self.words = words
        self.subwords = subwords
        # TensorFlow's table needs at least one entry.
        keys = tf.constant(list(words) or [""], tf.string)
        rows = tf.range(1, 1 + tf.size(keys)) if len(words) else tf.zeros([1], tf.int32)
        self._table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, rows), 0)
        self.trackable = [self._table]

    @classmethod
    def of(cls, vectors: WordVectors) -> VectorLookup:
        """The look-up of these vectors in a table with a row of zeros before them."""
        return cls(vectors.words, vectors.subwords)

    @property
    def num_rows(self) -> int:
        """How many rows the table has."""
        return 1 + len(self.words) + (self.subwords.buckets if self.subwords else 0)

    def __call__(self, words: tf.Tensor) -> tf.Tensor:
        """`words (n,)` -> rows `(n, most)` int32, 0 beyond the rows of a word."""
        rows = self._table.lookup(words)
        for form in _further_forms(words):
            rows = tf.where(rows == 0, self._table.lookup(form), rows)
        if self.subwords is None:
            return rows[:, None]
        parts = bucket_rows(words, self.subwords)
        parts = tf.where((rows == 0)[:, None] & (parts > 0), parts + len(self.words), 0)
        return tf.concat([rows[:, None], parts], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"words": list(self.words), "subwords": self.subwords}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> VectorLookup:
        """The look-up that `to_dict` described."""
        return cls(data["words"], Subwords.read(data["subwords"]))


def _further_forms(words: tf.Tensor) -> list[tf.Tensor]:
    """All forms but the first one, in the order of `forms_of`."""
    normal = [tf.strings.regex_replace(words, r"\p{N}", sign) for sign in DIGIT_SIGNS]
    lowered = [tf.strings.lower(form, encoding="utf-8") for form in (words, *normal)]
    return [lowered[0], normal[0], lowered[1], normal[1], lowered[2]]
