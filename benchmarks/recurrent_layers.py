"""Compares seqtag's recurrent layers with `keras.layers` of the same shape, on TensorFlow.

`python -m benchmarks.recurrent_layers` prints for each pair the median time of a forward pass and of forward and
backward together, and the ratio Keras to seqtag. Calls alternate between the two, so that other load on the machine
affects both. Time and batch are dynamic, as in training.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from seqtag.layers import GRU, LSTM, Bidirectional, PeepholeLSTM, SimpleRNN


def pairs(units: int) -> dict[str, tuple[Any, Any]]:
    """The layers to compare: name, seqtag's, Keras's."""
    sequences: dict[str, Any] = {"return_sequences": True}
    return {
        "SimpleRNN": (SimpleRNN(units, **sequences), keras.layers.SimpleRNN(units, **sequences)),
        "LSTM": (LSTM(units, **sequences), keras.layers.LSTM(units, **sequences)),
        "PeepholeLSTM / LSTM": (PeepholeLSTM(units, **sequences), keras.layers.LSTM(units, **sequences)),
        "GRU": (GRU(units, **sequences), keras.layers.GRU(units, **sequences)),
        "BiLSTM": (
            Bidirectional(LSTM(units, **sequences)),
            keras.layers.Bidirectional(keras.layers.LSTM(units, **sequences)),
        ),
        "BiGRU": (
            Bidirectional(GRU(units, **sequences)),
            keras.layers.Bidirectional(keras.layers.GRU(units, **sequences)),
        ),
    }


def forward(layer: Any, signature: list[tf.TensorSpec]) -> Callable:
    """A graph of the layer's forward pass."""
    return tf.function(lambda x, *mask: layer(x, mask=mask[0] if mask else None), input_signature=signature)


def training(layer: Any, signature: list[tf.TensorSpec]) -> Callable:
    """A graph of the layer's forward and backward pass, the inputs' gradient included."""

    @tf.function(input_signature=signature)
    def step(x: tf.Tensor, *mask: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(layer(x, mask=mask[0] if mask else None, training=True)))
        return tape.gradient(loss, [x, *[weight.value for weight in layer.trainable_variables]])

    return step


def medians(functions: list[Callable], arguments: list[tf.Tensor], rounds: int) -> list[float]:
    """The median milliseconds of each function, called in turn."""
    times: list[list[float]] = [[] for _ in functions]
    for turn in range(rounds + 3):
        for function, record in zip(functions, times, strict=True):
            start = time.perf_counter()
            tf.nest.flatten(function(*arguments))[-1].numpy()
            if turn >= 3:
                record.append(1000 * (time.perf_counter() - start))
    return [statistics.median(record) for record in times]


def inputs(batch: int, steps: int, features: int, masked: bool) -> tuple[list, list]:
    """Random inputs, right-padded if masked, and their signature."""
    random = np.random.default_rng(0)
    values = [tf.constant(random.normal(size=(batch, steps, features)), tf.float32)]
    signature = [tf.TensorSpec((None, None, features), tf.float32)]
    if masked:
        lengths = random.integers(steps // 2, steps + 1, size=batch)
        values.append(tf.constant(np.arange(steps) < lengths[:, None]))
        signature.append(tf.TensorSpec((None, None), tf.bool))
    return values, signature


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--features", type=int, default=256)
    parser.add_argument("--units", type=int, nargs="+", default=[128, 200])
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    print(f"batch {options.batch}, {options.steps} steps, {options.features} features; median ms, Keras / seqtag")
    print(f"{'layer':22s}{'units':>6s}{'mask':>6s}{'forward':>26s}{'forward + backward':>28s}")
    for units in options.units:
        for masked in (False, True):
            arguments, signature = inputs(options.batch, options.steps, options.features, masked)
            for name, layers in pairs(units).items():
                cells = []
                for make in (forward, training):
                    ours, keras_ = medians([make(layer, signature) for layer in layers], arguments, options.rounds)
                    cells.append(f"{keras_:9.2f} {ours:9.2f} {keras_ / ours:5.2f}x")
                print(f"{name:22s}{units:6d}{'yes' if masked else 'no':>6s}{cells[0]:>26s}{cells[1]:>28s}")


if __name__ == "__main__":
    main()
