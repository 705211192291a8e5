"""Counts zeros, zero rows and remaining parameters of a model, for each weight."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from seqtag.layers.introspection import check_trainable


@dataclass(frozen=True)
class WeightSparsity:
    """The zeros of one weight.

    Attributes:
        name: the path in the model, such as `lstm/cell/kernel`.
        shape: the shape of the weight.
        parameters: the number of its elements.
        zeros: the number of elements that are zero.
        rows: the length of the first axis, such as the rows of an embedding or the inputs of a kernel; 0 for vectors.
        zero_rows: the number of rows whose elements are all zero.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    zeros: int
    rows: int
    zero_rows: int

    @property
    def share(self) -> float:
        """The share of zeros."""
        return self.zeros / max(1, self.parameters)


@dataclass(frozen=True)
class SparsityReport:
    """The zeros of all trainable weights of a model, in the model's order."""

    weights: list[WeightSparsity]

    @property
    def parameters(self) -> int:
        """The number of elements of all weights."""
        return sum(weight.parameters for weight in self.weights)

    @property
    def zeros(self) -> int:
        """The number of elements that are zero."""
        return sum(weight.zeros for weight in self.weights)

    @property
    def share(self) -> float:
        """The share of zeros."""
        return self.zeros / max(1, self.parameters)

    def to_dict(self) -> dict[str, Any]:
        """The totals, and under `weights` the figures of each weight by its name, for JSON."""
        each = {weight.name: asdict(weight) | {"share": weight.share} for weight in self.weights}
        for numbers in each.values():
            del numbers["name"]
        left = self.parameters - self.zeros
        totals = {"parameters": self.parameters, "zeros": self.zeros, "share": self.share, "left": left}
        return {**totals, "weights": each}

    def to_text(self) -> str:
        """A table with a line for each weight, and one for all."""
        width = max(len("weights"), *(len(weight.name) for weight in self.weights))
        lines = [f"{'weights':<{width}} {'parameters':>12} {'left':>12} {'zeros':>7} {'zero rows':>17}"]
        for weight in self.weights:
            rows = f"{weight.zero_rows:,} of {weight.rows:,}" if weight.rows else ""
            lines.append(_line(weight.name, width, weight.parameters, weight.zeros, rows))
        lines.append(_line("all", width, self.parameters, self.zeros, ""))
        return "\n".join(lines)


def sparsity(model: keras.Model) -> SparsityReport:
    """Counts the zeros of a model's trainable weights.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: the model is not built, or has no trainable weights.

    Example:

        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="dense")])
        >>> _ = model.layers[0].kernel.assign([[0, 0, 0], [1, 0, 2]])
        >>> print(sparsity(model).to_text())
        weights        parameters         left   zeros         zero rows
        dense/kernel            6            2   66.7%            1 of 2
        dense/bias              3            0  100.0%
        all                     9            2   77.8%
    """
    check_trainable(model)
    prefix = f"{model.name}/"
    return SparsityReport([_count(v.path.removeprefix(prefix), v.numpy()) for v in model.trainable_variables])


def _count(name: str, values: np.ndarray) -> WeightSparsity:
    is_zero = values == 0
    rows, zero_rows = 0, 0
    if values.ndim > 1:
        rows, zero_rows = len(values), int(is_zero.reshape(len(values), -1).all(axis=1).sum())
    return WeightSparsity(name, values.shape, values.size, int(is_zero.sum()), rows, zero_rows)


def _line(name: str, width: int, parameters: int, zeros: int, rows: str) -> str:
    share = zeros / max(1, parameters)
    return f"{name:<{width}} {parameters:>12,} {parameters - zeros:>12,} {share:>7.1%} {rows:>17}".rstrip()
