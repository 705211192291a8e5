"""Padded batches of texts, for networks that read the distinct words of a batch once."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from seqtag.data.text.word_features import WordFeatures

Batch = dict[str, tf.Tensor]


def word_batch(
    words: tf.RaggedTensor, features_of: Callable[[tf.Tensor], WordFeatures]
) -> tuple[Batch, tf.RaggedTensor]:
    """The words of a batch as `WordRepresentation` reads them; a pure graph function.

    Args:
        words: `(batch, None)` ragged, equal for equal words: strings, or row numbers.
        features_of: the features of a vector of distinct words.

    Returns:
        `words`, `chars`, `buckets`, `vectors`, `symbols`: the features of the batch's distinct words, with the
        characters and the rows of vectors cut to the word that has most; `word_rows (batch, time)`: the row of each
        token's word in them; and `lengths (batch,)`. Beside it the same rows, ragged.
    """
    distinct, flat = tf.unique(words.flat_values)
    features = features_of(distinct)
    rows = words.with_flat_values(flat)
    batch = {
        "words": features.words,
        "chars": _without_padding(features.chars),
        "buckets": features.buckets,
        "vectors": _without_padding(features.vectors),
        "symbols": _without_padding(features.symbols),
        "word_rows": rows.to_tensor(),
        "lengths": tf.cast(words.row_lengths(), tf.int32),
    }
    return batch, rows


def _without_padding(rows: tf.Tensor) -> tf.Tensor:
    """The rows of words, without the columns that are 0 for all of them; one column stays."""
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(rows != 0, tf.int32), axis=1))
    return rows[:, : tf.maximum(longest, 1)]
