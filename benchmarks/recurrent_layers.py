"""Compares seqtag's recurrent layers with `keras.layers` of the same shape, on Keras's backend.

`python -m benchmarks.recurrent_layers` prints for each pair the median time of a forward pass and of forward and
backward together, and the ratio Keras to seqtag. Calls alternate between the two, so that other load on the machine
affects both. On TensorFlow time and batch are dynamic, as in training. `KERAS_BACKEND=jax` compares them on JAX, also
on a GPU.
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


class OnTensorFlow:
    """Graphs of a layer's passes for any batch and any number of steps."""

    def __init__(self, features: int, masked: bool) -> None:
        import tensorflow as tf

        self.tf = tf
        self.signature = [tf.TensorSpec((None, None, features), tf.float32)]
        self.signature += [tf.TensorSpec((None, None), tf.bool)] if masked else []

    def forward(self, layer: Any) -> Callable:
        """The forward pass."""
        return self.tf.function(
            lambda x, *mask: layer(x, mask=mask[0] if mask else None), input_signature=self.signature
        )

    def training(self, layer: Any) -> Callable:
        """The forward and the backward pass, the inputs' gradient included."""
        tf = self.tf

        @tf.function(input_signature=self.signature)
        def step(x: Any, *mask: Any) -> list[Any]:
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(tf.square(layer(x, mask=mask[0] if mask else None, training=True)))
            return tape.gradient(loss, [x, *[weight.value for weight in layer.trainable_variables]])

        return step

    def wait(self, found: Any) -> None:
        """Returns when it is computed."""
        self.tf.nest.flatten(found)[-1].numpy()


class OnJax:
    """Compiled passes of a layer."""

    def __init__(self, features: int, masked: bool) -> None:
        import jax

        self.jax, self.features = jax, features

    def forward(self, layer: Any) -> Callable:
        """The forward pass."""
        weights, call = self._call(layer)
        return self.jax.jit(lambda x, *mask: call(weights, x, *mask))

    def training(self, layer: Any) -> Callable:
        """The forward and the backward pass, the inputs' gradient included."""
        weights, call = self._call(layer)
        gradient = self.jax.grad(lambda weights, x, *mask: (call(weights, x, *mask) ** 2).sum(), argnums=(0, 1))
        return self.jax.jit(lambda x, *mask: gradient(weights, x, *mask))

    def _call(self, layer: Any) -> tuple[list[Any], Callable]:
        layer.build((None, None, self.features))
        rest = [variable.value for variable in layer.non_trainable_variables]

        def call(weights: list[Any], x: Any, *mask: Any) -> Any:
            return layer.stateless_call(weights, rest, x, mask=mask[0] if mask else None)[0]

        return [variable.value for variable in layer.trainable_variables], call

    def wait(self, found: Any) -> None:
        """Returns when it is computed."""
        self.jax.block_until_ready(found)


def medians(functions: list[Callable], arguments: list[Any], wait: Callable, rounds: int) -> list[float]:
    """The median milliseconds of each function, called in turn."""
    times: list[list[float]] = [[] for _ in functions]
    for turn in range(rounds + 3):
        for function, record in zip(functions, times, strict=True):
            start = time.perf_counter()
            wait(function(*arguments))
            if turn >= 3:
                record.append(1000 * (time.perf_counter() - start))
    return [statistics.median(record) for record in times]


def inputs(batch: int, steps: int, features: int, masked: bool) -> list[Any]:
    """Random inputs, right-padded if masked, with their mask."""
    random = np.random.default_rng(0)
    values = [keras.ops.convert_to_tensor(random.normal(size=(batch, steps, features)), "float32")]
    if masked:
        lengths = random.integers(steps // 2, steps + 1, size=batch)
        values.append(keras.ops.convert_to_tensor(np.arange(steps) < lengths[:, None]))
    return values


BACKENDS: dict[str, Callable[..., Any]] = {"tensorflow": OnTensorFlow, "jax": OnJax}


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
            arguments = inputs(options.batch, options.steps, options.features, masked)
            backend = BACKENDS[keras.config.backend()](options.features, masked)
            for name, layers in pairs(units).items():
                cells = []
                for make in (backend.forward, backend.training):
                    passes = [make(layer) for layer in layers]
                    ours, keras_ = medians(passes, arguments, backend.wait, options.rounds)
                    cells.append(f"{keras_:9.2f} {ours:9.2f} {keras_ / ours:5.2f}x")
                print(f"{name:22s}{units:6d}{'yes' if masked else 'no':>6s}{cells[0]:>26s}{cells[1]:>28s}")


if __name__ == "__main__":
    main()
