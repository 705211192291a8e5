"""Truncated backpropagation on one long sequence: language models in every precision, and the size of an update."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import pytest

from seqtag.layers import PeepholeLSTM, SimpleRNN
from seqtag.training import TruncatedBPTT, parallel_streams

KERAS_LSTM = partial(keras.layers.LSTM, stateful=True)


def language_model(dtype: str, layer: Callable = PeepholeLSTM) -> keras.Model:
    keras.utils.set_random_seed(5)
    stack = [
        keras.layers.Embedding(11, 6, mask_zero=True, dtype=dtype),
        keras.layers.Dropout(0.2, dtype=dtype),
        layer(7, return_sequences=True, dropout=0.1, recurrent_dropout=0.1, dtype=dtype),
        keras.layers.BatchNormalization(dtype=dtype),
        keras.layers.Dense(11, activation="softmax", dtype="float32"),
    ]
    model = keras.Sequential([keras.Input(batch_shape=(4, None), dtype="int32"), *stack])
    model.compile(
        keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    if dtype == "mixed_float16":
        model.optimizer = keras.optimizers.LossScaleOptimizer(model.optimizer, initial_scale=2.0**10)
    return model


@pytest.mark.parametrize(
    ("dtype", "layer"), [("float32", KERAS_LSTM), ("mixed_bfloat16", PeepholeLSTM), ("mixed_float16", PeepholeLSTM)]
)
def test_learns_a_cycle_in_every_precision_with_embedding_dropout_and_batch_norm(dtype, layer):
    streams = parallel_streams(1 + np.arange(404) % 10, 4)
    model = language_model(dtype, layer)
    mean = model.layers[3].moving_mean.numpy().copy()
    history = TruncatedBPTT(10, 15).fit(model, streams[:, :-1], streams[:, 1:], epochs=3).history
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert history["accuracy"][-1] > 0.3
    assert np.abs(model.layers[3].moving_mean.numpy() - mean).max() > 0


class Widths(keras.layers.Layer):
    """Notes the time dimension of what is traced."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int | None] = set()
        self.traces = 0

    def call(self, inputs):
        self.seen.add(inputs.shape[1])
        self.traces += 1
        return inputs


def test_an_update_sees_k2_steps_whatever_the_length_of_the_sequence(tmp_path):
    steps = 100_000
    x = np.memmap(tmp_path / "x", dtype="float32", mode="w+", shape=(steps, 1))
    x[::2] = 1.0
    widths = Widths()
    model = keras.Sequential(
        [keras.Input((None, 1)), widths, SimpleRNN(2, return_sequences=True), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse", jit_compile=False)
    widths.seen.clear()
    widths.traces = 0
    streams = parallel_streams(x, 1)
    assert isinstance(streams, np.memmap)
    assert np.shares_memory(streams, x)
    history = TruncatedBPTT(500, 800).fit(model, streams, streams)
    # The lead of 200, the rest of the first chunk, the second chunk, traced once; before them the two chunks of 500 in
    # which the trial run looks for layers that mix steps.
    assert (widths.seen, widths.traces) == ({200, 300, 500, 1000}, 5)
    assert model.optimizer.iterations.numpy() == steps // 500
    assert np.isfinite(history.history["loss"]).all()
