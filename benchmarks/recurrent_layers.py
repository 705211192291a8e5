"""Compares seqtag's recurrent layers with `keras.layers` of the same shape, on Keras's backend.

    python -m benchmarks.recurrent_layers [--layers LSTM BiLSTM ...] [--shapes 32,50,100,200 ...] [--rounds 40]
        [--markdown]

For each layer and shape (batch, steps, features, units), with all steps real and with rows of 10% to 100% of the steps,
it prints the median time of a forward and a backward pass, the gradient in the inputs included: Keras's, ours as it is
installed, and ours without the compiled kernels (TensorFlow alone). Calls alternate, so that other load on the machine
affects all. Beside them stands how much of the rate of this machine's large matrix products, measured in the same run,
the products of real steps make of our time. On TensorFlow time and batch are dynamic, as in training.
`KERAS_BACKEND=jax` compares them on JAX, also on a GPU.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from benchmarks.tables import markdown_table, text_table
from seqtag.layers import GRU, LSTM, Bidirectional, PeepholeLSTM, SimpleRNN
from seqtag.native.library import kept_away


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

    def training(self, layer: Any) -> Callable:
        """The forward and the backward pass, the inputs' gradient included."""
        tf = self.tf

        @tf.function(input_signature=self.signature)
        def step(x: Any, *mask: Any) -> list[Any]:
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(tf.square(layer(x, mask=mask[0] if mask else None, training=True)))
            return tape.gradient(loss, [x, *[weight.value for weight in layer.trainable_variables]])

        step.get_concrete_function()
        return step

    def product(self, size: int) -> Callable:
        """The product of two matrices."""
        values = self.tf.random.normal((size, size))
        return self.tf.function(lambda: self.tf.matmul(values, values))

    def wait(self, found: Any) -> None:
        """Returns when it is computed."""
        self.tf.nest.flatten(found)[-1].numpy()


class OnJax:
    """Compiled passes of a layer."""

    def __init__(self, features: int, masked: bool) -> None:
        import jax

        self.jax, self.features = jax, features

    def training(self, layer: Any) -> Callable:
        """The forward and the backward pass, the inputs' gradient included."""
        weights, call = self._call(layer)
        gradient = self.jax.grad(lambda weights, x, *mask: (call(weights, x, *mask) ** 2).sum(), argnums=(0, 1))
        return self.jax.jit(lambda x, *mask: gradient(weights, x, *mask))

    def product(self, size: int) -> Callable:
        """The product of two matrices."""
        values = self.jax.numpy.ones((size, size))
        return self.jax.jit(lambda: values @ values)

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


class Shape(NamedTuple):
    """How much a layer runs over."""

    batch: int
    steps: int
    features: int
    units: int

    def inputs(self, ragged: bool) -> list[Any]:
        """Random inputs; ragged ones are padded on the right, with their mask."""
        random = np.random.default_rng(0)
        values = [keras.ops.convert_to_tensor(random.normal(size=self[:3]), "float32")]
        if ragged:
            lengths = np.linspace(0.1, 1, self.batch) * self.steps
            random.shuffle(lengths)
            values.append(keras.ops.convert_to_tensor(np.arange(self.steps) < np.ceil(lengths)[:, None]))
        return values


def operations(layer: Any, inputs: list[Any]) -> float:
    """Of the matrix products of real steps: each number of a kernel is multiplied and added three times a step."""
    kernels = sum(np.prod(weight.shape) for weight in layer.trainable_variables if len(weight.shape) == 2)
    real = np.sum(inputs[1]) if len(inputs) > 1 else np.prod(inputs[0].shape[:2])
    return 6.0 * float(kernels) * float(real)


BACKENDS: dict[str, Callable[..., Any]] = {"tensorflow": OnTensorFlow, "jax": OnJax}
SHAPES = ("32,50,100,200", "32,15,150,128", "128,25,130,200", "8,200,100,256")
HEADER = (
    "layer",
    "batch, steps, features, units",
    "rows",
    "Keras, ms",
    "without kernels",
    "seqtag",
    "ratio",
    "of the peak",
)


def row(name: str, shape: Shape, ragged: bool, rounds: int) -> list[str]:
    """A line of the table."""
    inputs = shape.inputs(ragged)
    backend = BACKENDS[keras.config.backend()](shape.features, ragged)
    ours, keras_ = pairs(shape.units)[name]
    passes = [backend.training(layer) for layer in (keras_, ours)]
    with kept_away():
        passes.append(backend.training(pairs(shape.units)[name][0]))
    theirs, native, portable = medians(passes, inputs, backend.wait, rounds)
    size = 1024
    [peak] = medians([backend.product(size)], [], backend.wait, 10)
    share = operations(ours, inputs) / native / (2.0 * size**3 / peak)
    figures = f"{theirs:.1f}", f"{portable:.1f}", f"{native:.1f}", f"{theirs / native:.2f}", f"{share:.0%}"
    return [name, ", ".join(map(str, shape)), "ragged" if ragged else "full", *figures]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--layers", nargs="+", choices=list(pairs(1)), default=["LSTM", "BiLSTM", "BiGRU"])
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), metavar="BATCH,STEPS,FEATURES,UNITS")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    shapes = [Shape(*map(int, shape.split(","))) for shape in options.shapes]
    rows = [
        row(name, shape, ragged, options.rounds)
        for name in options.layers
        for shape in shapes
        for ragged in (False, True)
    ]
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
