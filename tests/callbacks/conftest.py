"""A small model with an embedding, its data, and its training written out."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

RATE = 0.01
BATCH = 4


def build(policy: str = "float32") -> keras.Sequential:
    """Embedding, GRU, dense; the same weights every time."""
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Embedding(30, 6, name="words", dtype=policy),
        keras.layers.GRU(5, name="gru", dtype=policy),
        keras.layers.Dense(1, name="out", dtype=policy),
    ]
    return keras.Sequential([keras.Input((5,), dtype="int32"), *layers])


def steps_written_out(optimizer: keras.optimizers.Optimizer, x, y, batch: int = BATCH) -> list[dict]:
    """What each update of `fit` without shuffling sees, by a tape: dense gradients and weights before and after."""
    model, seen = build(), []
    for start in range(0, len(x), batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x[start : start + batch]) - y[start : start + batch]) ** 2)
        gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
        before = model.get_weights()
        optimizer.apply(gradients, model.trainable_variables)
        dense = [tf.convert_to_tensor(g).numpy().astype("float64") for g in gradients]
        seen.append({"gradients": dense, "before": before, "after": model.get_weights()})
    return seen


@pytest.fixture
def tiny() -> SimpleNamespace:
    """`build`, `steps_written_out`, and data in which words repeat within a batch."""
    random = np.random.default_rng(2)
    x = random.integers(0, 12, size=(24, 5)).astype("int32")
    y = (x.sum(axis=1, keepdims=True) / 10).astype("float32")
    return SimpleNamespace(build=build, written_out=steps_written_out, x=x, y=y, rate=RATE, batch=BATCH)
