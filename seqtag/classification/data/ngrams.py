"""Which n-grams of words and of characters a text has, hashed, in the TensorFlow graph.

The same function serves training, `predict` and the exported SavedModel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from seqtag.data.text.word_features import first_and_last, normalise_digits

# The least n-grams of characters; those of one tell little.
LEAST_CHARACTERS = 2
# Stands for the ends of a word.
END = " "


class NgramHasher(NamedTuple):
    """Finds the distinct n-grams of texts, in lower case and with digits as 0.

    Words have n-grams of one to `words` of them; each word, with a space before and after it, has n-grams of two to
    `characters` characters. A text has an n-gram or does not, however often.

    Attributes:
        words: the most words of an n-gram; 0 for none.
        characters: the most characters of an n-gram; 0 for none.
        word_rows: how many rows the n-grams of words share.
        char_rows: how many rows those of characters share.

    Example:

        >>> hasher = NgramHasher(words=2, characters=0, word_rows=1000)
        >>> tokens = tf.ragged.constant([["good", "good", "film"], []], ragged_rank=1, dtype=tf.string)
        >>> [len(rows) for rows in hasher(tokens).to_list()]
        [4, 0]
    """

    words: int
    characters: int
    word_rows: int = 1 << 18
    char_rows: int = 1 << 19

    @property
    def num_rows(self) -> int:
        """Rows of a table of weights: one of padding, then those of words, then those of characters."""
        return 1 + (self.word_rows if self.words else 0) + (self.char_rows if self.characters else 0)

    @property
    def groups(self) -> dict[str, slice]:
        """The rows of the n-grams of words and of those of characters."""
        middle = 1 + (self.word_rows if self.words else 0)
        found = {"words": slice(1, middle), "characters": slice(middle, self.num_rows)}
        return {name: rows for name, rows in found.items() if rows.stop > rows.start}

    def __call__(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """The rows of the distinct n-grams of each text, int32 `(batch, None)`; a pure graph function.

        Args:
            tokens: strings `(batch, None)`.
        """
        normal = tokens.with_flat_values(_normal(tokens.flat_values))
        parts = []
        if self.words:
            found = tf.concat([_joined(normal, size, " ") for size in range(1, self.words + 1)], axis=1)
            parts.append(_hashed(found, self.word_rows, first=1))
        if self.characters:
            first = 1 + (self.word_rows if self.words else 0)
            parts.append(self._of_characters(normal, first))
        return _distinct(tf.concat(parts, axis=1), self.num_rows)

    def _of_characters(self, tokens: tf.RaggedTensor, first: int) -> tf.RaggedTensor:
        """The n-grams of characters of each text, taken from those of its distinct words."""
        words, rows = tf.unique(tokens.flat_values)
        characters = tf.strings.unicode_split(tf.strings.join([END, words, END]), "UTF-8")
        sizes = range(LEAST_CHARACTERS, self.characters + 1)
        of_words = _hashed(tf.concat([_joined(characters, size, "") for size in sizes], axis=1), self.char_rows, first)
        return tokens.with_flat_values(rows).with_flat_values(tf.gather(of_words, rows)).merge_dims(1, 2)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return self._asdict()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NgramHasher:
        """The hasher that `to_dict` described."""
        return cls(**data)


def _normal(words: tf.Tensor) -> tf.Tensor:
    return first_and_last(tf.strings.lower(normalise_digits(words), encoding="utf-8"))


def _joined(symbols: tf.RaggedTensor, size: int, separator: str) -> tf.RaggedTensor:
    return tf.strings.ngrams(symbols, size, separator=separator)


def _hashed(ngrams: tf.RaggedTensor, rows: int, first: int) -> tf.RaggedTensor:
    hashes = tf.strings.to_hash_bucket_fast(ngrams.flat_values, rows)
    return ngrams.with_flat_values(tf.cast(hashes, tf.int32) + first)


def _distinct(rows: tf.RaggedTensor, num_rows: int) -> tf.RaggedTensor:
    """The distinct rows of each text, in the order of their first places."""
    texts = tf.cast(rows.value_rowids(), tf.int64)
    distinct, _ = tf.unique(texts * num_rows + tf.cast(rows.flat_values, tf.int64))
    values, owners = tf.cast(distinct % num_rows, tf.int32), distinct // num_rows
    return tf.RaggedTensor.from_value_rowids(values, owners, nrows=rows.nrows(), validate=False)
