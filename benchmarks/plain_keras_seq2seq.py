"""The encoder-decoder that tutorials build from `keras.layers`, to compare speed with.

Embeddings with `mask_zero`, a bidirectional LSTM over the source, an LSTM over the target that starts from its last
states, dot-product or additive attention of all target steps at once, a softmax for each symbol, Adam, and sparse
categorical cross-entropy. It has no input feeding, no dropout, no clipping and no average of the weights; Keras's
additive attention has no projections of queries and keys. So it does less work per symbol than our network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

__all__ = ["ATTENTIONS", "PlainBatches", "pad", "plain_seq2seq"]

ATTENTIONS = {"additive": keras.layers.AdditiveAttention, "dot": keras.layers.Attention}


def plain_seq2seq(num_sources: int, num_targets: int, width: int, units: int, attention: str) -> Any:
    """A compiled model from rows `(batch, steps)` and `(batch, time)`, 0 at padding, to probabilities of symbols."""
    source = keras.Input((None,), dtype="int32")
    before = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(num_sources, width, mask_zero=True)(source)
    direction = keras.layers.LSTM(units // 2, return_sequences=True, return_state=True)
    memory, *states = keras.layers.Bidirectional(direction)(vectors)
    states = [keras.layers.Concatenate()(pair) for pair in zip(states[:2], states[2:], strict=True)]
    symbols = keras.layers.Embedding(num_targets, width, mask_zero=True)(before)
    hidden = keras.layers.LSTM(units, return_sequences=True)(symbols, initial_state=states)
    context = ATTENTIONS[attention]()([hidden, memory])
    output = keras.layers.Dense(units, activation="tanh")(keras.layers.Concatenate()([hidden, context]))
    probabilities = keras.layers.Dense(num_targets, activation="softmax")(output)
    model = keras.Model([source, before], probabilities)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


class PlainBatches(NamedTuple):
    """Pairs as rows of symbols, and the pairs of each batch of an epoch.

    Attributes:
        sources: rows from 1 on.
        targets: rows from 2 on, ended by row 1, which also stands before the first one.
        plan: the pairs of each batch.
    """

    sources: Sequence[Sequence[int]]
    targets: Sequence[Sequence[int]]
    plan: Sequence[np.ndarray]

    def dataset(self) -> tf.data.Dataset:
        """`((source, before), target)` of each batch, padded to its longest, epoch after epoch."""
        spec = tf.TensorSpec((None, None), tf.int32)
        batches = tf.data.Dataset.from_generator(self._batches, output_signature=((spec, spec), spec))
        return batches.repeat().prefetch(2)

    def _batches(self) -> Iterator[tuple]:
        for pairs in self.plan:
            targets = pad([self.targets[pair] for pair in pairs])
            before = np.where(targets > 0, np.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=1), 0)
            yield (pad([self.sources[pair] for pair in pairs]), before.astype(np.int32)), targets


def pad(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """`(rows, longest)` int32, each row padded by 0 at its end.

    >>> pad([[3, 4], [5]]).tolist()
    [[3, 4], [5, 0]]
    """
    return keras.utils.pad_sequences(list(rows), padding="post", dtype="int32")
