"""The tagger that tutorials build from `keras.layers`, to compare speed with.

Word embedding with `mask_zero`, `Bidirectional(LSTM)`, a softmax per token, Adam, and sparse categorical
cross-entropy over the tokens that are not masked; every sentence padded to the longest of the corpus,
batches of 32. It has no characters, no spelling features, no dropout and no CRF, so it does less work per
token than our tagger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

__all__ = ["BATCH", "pad", "plain_tagger"]

BATCH = 32


def plain_tagger(num_words: int, num_tags: int, width: int, units: int) -> Any:
    """A compiled `keras.Sequential` from word rows `(batch, time)`, 0 at padding, to tag probabilities."""
    model = keras.Sequential(
        [
            keras.layers.Embedding(num_words, width, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(units, return_sequences=True)),
            keras.layers.Dense(num_tags, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


def pad(rows: Iterable[Sequence[int]], length: int) -> np.ndarray:
    """`(sentences, length)` int32, each row padded by 0 at its end.

    >>> pad([[3, 4], [5]], 3).tolist()
    [[3, 4, 0], [5, 0, 0]]
    """
    return keras.utils.pad_sequences(list(rows), maxlen=length, padding="post", dtype="int32")
