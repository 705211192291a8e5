"""fastText's vectors of any word: of its n-grams of characters, which are hashed into buckets, in the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vectors.store import WordVectors

# Of a longer word the middle is left out, so that a token of any length costs the same; fastText takes all of it.
MOST_CHARACTERS = 64
# The end of a sentence, which fastText makes of no n-grams.
END = "</s>"
# FNV-1a of 32 bits.
OFFSET, PRIME, BITS = 2166136261, 16777619, 0xFFFFFFFF
WORDS_AT_ONCE = 1 << 12


def bucket_rows(words: tf.Tensor, subwords: Subwords) -> tf.Tensor:
    """The buckets of the n-grams of `<word>`, from 1 on: `words (n,)` -> `(n, most)` int32, 0 beyond a word's.

    An n-gram's bucket is the FNV-1a hash of its bytes in UTF-8, each extended by its sign to 32 bits as in fastText.
    The single `<` and `>` at the ends are no n-grams.
    """
    known = tf.logical_and(words != "", words != END)
    characters = tf.strings.unicode_split("<" + _shortened(words) + ">", "UTF-8")
    lengths = characters.row_lengths()
    units = _signed_bytes(characters.to_tensor(""))
    steps = tf.shape(units)[1]
    starts = tf.range(steps, dtype=tf.int64)
    hashes = tf.fill(tf.shape(units)[:2], tf.constant(OFFSET, tf.int64))
    found, real = [], []
    for size in range(1, subwords.longest + 1):
        # The character that ends the n-gram of each start.
        last = tf.pad(units, [[0, 0], [0, size - 1], [0, 0]], constant_values=-1)[:, size - 1 :]
        hashes = _hashed(hashes, last)
        if size >= subwords.shortest:
            inside = starts[None, :] + size <= lengths[:, None]
            if size == 1:
                inside &= (starts > 0)[None, :] & (starts[None, :] + 1 < lengths[:, None])
            found.append(1 + hashes % subwords.buckets)
            real.append(inside & known[:, None])
    rows = tf.ragged.boolean_mask(tf.concat(found, axis=1), tf.concat(real, axis=1))
    return tf.cast(rows.to_tensor(0), tf.int32)


def _shortened(words: tf.Tensor) -> tf.Tensor:
    half = tf.fill(tf.shape(words), MOST_CHARACTERS // 2)
    lengths = tf.strings.length(words, unit="UTF8_CHAR")
    ends = tf.maximum(lengths - half, 0)
    cut = tf.strings.substr(words, tf.zeros_like(half), half, "UTF8_CHAR") + tf.strings.substr(
        words, ends, half, "UTF8_CHAR"
    )
    return tf.where(lengths > MOST_CHARACTERS, cut, words)


def _signed_bytes(characters: tf.Tensor) -> tf.Tensor:
    """`(n, characters)` strings -> `(n, characters, 4)` int64: the bytes of each, extended by their signs; -1 for none.

    The byte 0xff, which would be -1 too, is in no UTF-8.
    """
    units = tf.cast(tf.io.decode_raw(characters, tf.uint8, fixed_length=4), tf.int64)
    places = tf.range(4)[None, None, :] < tf.strings.length(characters)[:, :, None]
    extended = tf.where(units < 128, units, units + (BITS - 255))
    return tf.where(places, extended, -1)


def _hashed(hashes: tf.Tensor, units: tf.Tensor) -> tf.Tensor:
    """The hashes after the bytes of one more character."""
    for n in range(4):
        unit = units[:, :, n]
        mixed = tf.bitwise.bitwise_and(tf.bitwise.bitwise_xor(hashes, unit) * PRIME, tf.constant(BITS, tf.int64))
        hashes = tf.where(unit >= 0, mixed, hashes)
    return hashes


def word_means(words: Sequence[str], own: np.ndarray, buckets: np.ndarray, subwords: Subwords) -> Iterator[np.ndarray]:
    """The vectors of a model's words, some at a time: the means of a word's own vector and those of its n-grams.

    Args:
        words: the words.
        own: `(words, width)`, their own vectors.
        buckets: `(buckets, width)`, those of n-grams.
        subwords: how n-grams are made.
    """
    for start in range(0, len(words), WORDS_AT_ONCE):
        some = words[start : start + WORDS_AT_ONCE]
        sums, counts = _sums(some, buckets, subwords)
        yield (own[start : start + WORDS_AT_ONCE] + sums) / (1 + counts)


def subword_vectors(words: Iterable[str], vectors: WordVectors) -> np.ndarray:
    """The vectors `(words, width)` that words without one of their own get from their n-grams; zeros without any."""
    assert vectors.subwords is not None
    sums, counts = _sums(list(words), vectors.matrix[len(vectors.words) :], vectors.subwords)
    return sums / np.maximum(counts, 1)


def _sums(words: Sequence[str], buckets: np.ndarray, subwords: Subwords) -> tuple[np.ndarray, np.ndarray]:
    """The sums of the vectors of words' n-grams `(words, width)`, and how many each has `(words, 1)`."""
    rows = bucket_rows(tf.constant(words, tf.string, shape=(len(words),)), subwords).numpy()
    sums = np.zeros((len(words), buckets.shape[1]), np.float32)
    for column in rows.T:
        real = np.flatnonzero(column)
        sums[real] += buckets[column[real] - 1]
    return sums, (rows > 0).sum(axis=1, keepdims=True, dtype=np.float32)
