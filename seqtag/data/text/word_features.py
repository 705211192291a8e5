"""Features of words: vocabulary rows, characters, affixes and shape, computed in the TensorFlow graph.

The same functions serve training, `predict` and the exported SavedModel, so all three agree. They are functions of the
distinct words of a batch, not of its tokens: a word that occurs fifty times is processed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vocabulary import UNKNOWN, Vocabulary

LONGEST_AFFIX = 4
# Of a longer word the middle is left out, so that a token of any length costs the same.
MAX_CHARACTERS = 32


class WordFeatures(NamedTuple):
    """Features of distinct words, all int32 with one row a word.

    Attributes:
        words: (words,) rows of the word vocabulary; the lower-cased form where the exact form is unknown.
        chars: (words, characters) rows of the character vocabulary, 0 beyond the word's end.
        buckets: (words, NUM_HASHED) hashed: the word's shape, then for each size its prefix and suffix.
        vectors: (words, most) rows of pretrained vectors, 0 beyond a word's; without columns where there are none.
        symbols: (words, characters) rows of a language model's characters, as `chars`; without columns where there is
            none.
    """

    words: tf.Tensor
    chars: tf.Tensor
    buckets: tf.Tensor
    vectors: tf.Tensor
    symbols: tf.Tensor


NUM_HASHED = 2 * LONGEST_AFFIX + 1


def word_shape(words: tf.Tensor) -> tf.Tensor:
    """The casing pattern of words (strings of any shape): upper `X`, lower `x`, digit `d`, runs cut to two.

    >>> [s.decode() for s in word_shape(tf.constant(["McDonald", "2,500", "IL-2", "Ærø"])).numpy()]
    ['XxXxx', 'd,dd', 'XX-d', 'Xxx']
    """
    shapes = tf.strings.regex_replace(words, r"\p{Lu}|\p{Lt}", "X")
    shapes = tf.strings.regex_replace(shapes, r"\p{Ll}", "x")
    shapes = tf.strings.regex_replace(shapes, r"\p{N}", "d")
    for kind in "Xxd":
        shapes = tf.strings.regex_replace(shapes, kind * 2 + "+", kind * 2)
    return shapes


def normalise_digits(words: tf.Tensor) -> tf.Tensor:
    """Every digit becomes 0, so that numbers share rows (Lample et al. 2016, section 4.2 does the same)."""
    return tf.strings.regex_replace(words, r"\p{N}", "0")


def first_and_last(words: tf.Tensor, longest: int = MAX_CHARACTERS) -> tf.Tensor:
    """Words of more than `longest` characters without their middle."""
    half = longest // 2
    ends = _first(words, half) + _last(words, half)
    return tf.where(tf.strings.length(words, unit="UTF8_CHAR") > longest, ends, words)


def _first(words: tf.Tensor, count: int) -> tf.Tensor:
    """At most the first `count` characters."""
    return tf.strings.substr(words, tf.zeros_like(words, tf.int32), tf.fill(tf.shape(words), count), "UTF8_CHAR")


def _last(words: tf.Tensor, count: int) -> tf.Tensor:
    """At most the last `count` characters."""
    starts = tf.maximum(tf.strings.length(words, unit="UTF8_CHAR") - count, 0)
    return tf.strings.substr(words, starts, tf.fill(tf.shape(words), count), "UTF8_CHAR")


class WordEncoder:
    """Encodes distinct words as `WordFeatures`, in the graph.

    Args:
        words: vocabulary of (digit-normalised) words.
        chars: vocabulary of single characters.
        num_buckets: how many rows the hashed features share.
        vectors: the look-up of pretrained vectors, if there are any.
        symbols: the characters of a language model that reads the words too, if there is one.

    Example:

        >>> encoder = WordEncoder(Vocabulary(["the", "Cat"]), Vocabulary(list("theca")), num_buckets=100)
        >>> features = encoder(tf.constant(["The", "Cat", "zebra"]))
        >>> features.words.numpy(), features.chars.numpy()[0]
        (array([2, 3, 1], dtype=int32), array([1, 3, 4, 0, 0], dtype=int32))
    """

    def __init__(
        self,
        words: Vocabulary,
        chars: Vocabulary,
        num_buckets: int,
        vectors: VectorLookup | None = None,
        symbols: Vocabulary | None = None,
    ) -> None:
        self.words = words
        self.chars = chars
        self.num_buckets = num_buckets
        self.vectors = vectors
        self._word_table = lookup_table(words)
        self._char_table = lookup_table(chars)
        self.symbols = symbols
        self._symbol_table = None if symbols is None else lookup_table(symbols)
        self.trackable = [self._word_table, self._char_table, *(vectors.trackable if vectors else [])]
        self.trackable += [] if self._symbol_table is None else [self._symbol_table]

    def __call__(self, words: tf.Tensor) -> WordFeatures:
        """`WordFeatures` of a vector of strings."""
        characters = tf.strings.unicode_split(first_and_last(words), "UTF-8")
        symbols = tf.zeros([tf.size(words), 0], tf.int32)
        if self._symbol_table is not None:
            symbols = _rows_of_characters(self._symbol_table, characters)
        chars = _rows_of_characters(self._char_table, characters)
        return WordFeatures(self._word_rows(words), chars, self._hashed(words), self._vector_rows(words), symbols)

    def _word_rows(self, words: tf.Tensor) -> tf.Tensor:
        normal = normalise_digits(words)
        exact = self._word_table.lookup(normal)
        lowered = self._word_table.lookup(tf.strings.lower(normal, encoding="utf-8"))
        return tf.where(exact == UNKNOWN, lowered, exact)

    def _vector_rows(self, words: tf.Tensor) -> tf.Tensor:
        return tf.zeros([tf.size(words), 0], tf.int32) if self.vectors is None else self.vectors(words)

    def _hashed(self, words: tf.Tensor) -> tf.Tensor:
        lowered = tf.strings.lower(normalise_digits(words), encoding="utf-8")
        lengths = tf.strings.length(lowered, unit="UTF8_CHAR")
        columns = ["shape:" + word_shape(words)]
        for size in range(1, LONGEST_AFFIX + 1):
            # A word no longer than the affix has no affix of that size: an affix is a part that several words share.
            fits = lengths > size
            columns.append(tf.where(fits, f"{size}-" + _first(lowered, size), f"{size}-"))
            columns.append(tf.where(fits, f"-{size}" + _last(lowered, size), f"-{size}"))
        hashes = tf.strings.to_hash_bucket_fast(tf.stack(columns, axis=-1), self.num_buckets)
        return tf.cast(hashes, tf.int32)


def _rows_of_characters(table: tf.lookup.StaticHashTable, characters: tf.RaggedTensor) -> tf.Tensor:
    padded = tf.ragged.map_flat_values(table.lookup, characters).to_tensor()
    # At least one column, also where no word has a character.
    return tf.pad(padded, [[0, 0], [0, tf.cast(tf.shape(padded)[1] == 0, tf.int32)]])


def lookup_table(vocabulary: Vocabulary) -> tf.lookup.StaticHashTable:
    """A table from strings to int32 rows of the vocabulary, with `UNKNOWN` for all other strings."""
    # TensorFlow's table needs at least one entry.
    symbols = vocabulary.symbols or [""]
    rows = vocabulary.indices(symbols)
    keys, values = tf.constant(symbols, tf.string), tf.constant(rows, tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), UNKNOWN)


def count_words(tokens: Sequence[str], min_count: int = 1) -> Vocabulary:
    """The word vocabulary of training tokens: digits normalised, casing kept."""
    normal = normalise_digits(tf.constant(tokens, tf.string, shape=(len(tokens),))).numpy()
    return Vocabulary.count((word.decode() for word in normal), min_count)


def count_characters(tokens: Sequence[str]) -> Vocabulary:
    """The character vocabulary of training tokens."""
    return Vocabulary.count(character for token in tokens for character in token)
