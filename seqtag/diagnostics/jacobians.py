"""Jacobians of a recurrence from one step to any later one, and their bound by that of single steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.diagnostics.recording import Trajectory

# The points at which the slope of an activation is computed: wide enough for every usual one, and with 0 among them.
SLOPE_GRID = np.linspace(-10.0, 10.0, 20_001, dtype=np.float32)

# The number of rows that a cell runs at once, so that memory does not grow with the sequence.
ROWS = 1 << 14


@dataclass(frozen=True)
class StepBound:
    """The bound of one step's Jacobian in an Elman network, `‖dh_t/dh_{t-1}‖ <= α γ`.

    Attributes:
        alpha: the spectral norm of the recurrent kernel, its largest singular value.
        gamma: the greatest slope of the activation.
        radius: the largest absolute eigenvalue of the recurrent kernel; NaN if the kernel is not square.
    """

    alpha: float
    gamma: float
    radius: float

    @property
    def rate(self) -> float:
        """α γ."""
        return self.alpha * self.gamma

    @classmethod
    def of(cls, cell: Any) -> StepBound:
        """The bound of a cell, or of the last cell of a stack; NaN if the cell has no matrix `recurrent_kernel`."""
        if isinstance(cell, keras.layers.StackedRNNCells):
            cell = cell.cells[-1]
        kernel, activation = getattr(cell, "recurrent_kernel", None), getattr(cell, "activation", None)
        if kernel is None or activation is None or len(kernel.shape) != 2:
            return cls(np.nan, np.nan, np.nan)
        matrix = keras.ops.convert_to_numpy(kernel).astype(np.float64)
        square = matrix.shape[0] == matrix.shape[1]
        radius = float(np.abs(np.linalg.eigvals(matrix)).max()) if square else np.nan
        return cls(float(np.linalg.norm(matrix, 2)), greatest_slope(activation), radius)


def greatest_slope(activation: Callable[[Any], Any]) -> float:
    """The greatest absolute slope of an elementwise activation between -10 and 10.

    Example:
        >>> [greatest_slope(keras.activations.get(name)) for name in ("tanh", "sigmoid", "relu", "linear")]
        [1.0, 0.25, 1.0, 1.0]
    """
    points = tf.constant(SLOPE_GRID)
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = activation(points)
    slopes = tape.gradient(values, points, unconnected_gradients="zero")
    return float(tf.reduce_max(tf.abs(slopes)))


def step_jacobians(trajectory: Trajectory, row: int) -> np.ndarray:
    """`ds_t/ds_{t-1}` of one row for all steps, `(time, width, width)`; s is all states of the cell side by side.

    A masked step keeps the state: its Jacobian is the identity.
    """
    # All states are known, so the steps do not depend on each other: they become the rows of one batch.
    inputs = tf.stack([values[row] for values in trajectory.inputs])
    states = [tf.stack([before[n][row] for before in trajectory.before]) for n in range(len(trajectory.before[0]))]
    width = sum(int(np.prod(state.shape[1:])) for state in states)
    count = max(1, ROWS // width)
    parts = [
        _jacobians_of_rows(
            trajectory, inputs[start : start + count], [state[start : start + count] for state in states]
        )
        for start in range(0, len(inputs), count)
    ]
    found = np.concatenate(parts).astype(np.float64)
    found[~trajectory.mask[row]] = np.eye(width)
    return found


def _jacobians_of_rows(trajectory: Trajectory, inputs: tf.Tensor, states: list[tf.Tensor]) -> np.ndarray:
    """The Jacobian of each row, `(rows, width, width)`: a copy of the row for each unit gives that unit's gradient."""
    rows = len(inputs)
    joint = tf.concat([tf.reshape(state, (rows, -1)) for state in states], axis=1)
    width = joint.shape[1]
    with tf.GradientTape() as tape, keras.StatelessScope(state_mapping=trajectory.weights):
        copies = tf.repeat(joint, width, axis=0)
        tape.watch(copies)
        parts = tf.split(copies, [int(np.prod(state.shape[1:])) for state in states], axis=1)
        given = [tf.reshape(part, (-1, *state.shape[1:])) for part, state in zip(parts, states, strict=True)]
        new = trajectory.step(tf.repeat(inputs, width, axis=0), given)[1]
        after = tf.concat([tf.cast(tf.reshape(part, (rows * width, -1)), joint.dtype) for part in new], axis=1)
    unit = tf.tile(tf.eye(width, dtype=joint.dtype), (rows, 1))
    return tape.gradient(after, copies, output_gradients=unit).numpy().reshape(rows, width, width)


def jacobian_norms(trajectory: Trajectory, row: int) -> np.ndarray:
    """The spectral norm of `dh_t/dh_k`, at `[t, k]`, of one row; zero where step k runs after step t.

    The factors are the Jacobians of all states together, so that the flow through c counts.
    """
    begin, size = _hidden_columns(trajectory)
    with tf.device("CPU"):  # accelerators are slow on many small matrices in float64
        return _norms_of_products(tf.constant(step_jacobians(trajectory, row)), trajectory.order, begin, size)


def _norms_of_products(factors: tf.Tensor, order: list[int], begin: int, size: int) -> np.ndarray:
    norms = np.zeros((len(factors), len(factors)))
    # For all k so far, the columns of the product that belong to h_k: (steps, width, units).
    start = tf.eye(factors.shape[1], dtype=factors.dtype)[None, :, begin : begin + size]
    products = start[:0]
    for count, t in enumerate(order):
        products = tf.concat([tf.matmul(factors[t], products), start], axis=0)
        norms[t, order[: count + 1]] = spectral_norms(products[:, begin : begin + size])
    return norms


def _hidden_columns(trajectory: Trajectory) -> tuple[int, int]:
    """The offset of h among all states side by side, and its width."""
    sizes = [int(np.prod(state.shape[1:])) for state in trajectory.before[0]]
    return sum(sizes[: trajectory.hidden]), sizes[trajectory.hidden]


def spectral_norms(matrices: tf.Tensor) -> np.ndarray:
    """The largest singular value of each matrix `(count, n, n)`.

    It uses eigenvalues, which are several times as fast as singular values, and TensorFlow: NumPy's threads would wait
    for one another at every small matrix.
    """
    scale = tf.reduce_max(tf.abs(matrices), axis=(1, 2), keepdims=True)
    scaled = tf.math.divide_no_nan(matrices, scale)  # so that squares neither over- nor underflow
    largest = tf.linalg.eigvalsh(tf.matmul(scaled, scaled, transpose_a=True))[:, -1]
    return (scale[:, 0, 0] * tf.sqrt(tf.maximum(largest, 0))).numpy()


def by_lag(matrix: np.ndarray, reverse: bool) -> np.ndarray:
    """The mean of `[t, k]` over all t for each lag t - k, from 0 on; `reverse` if time runs backwards.

    Example:
        >>> by_lag(np.array([[1.0, 0.0], [0.5, 1.0]]), reverse=False)
        array([1. , 0.5])
    """
    turned = matrix.T if reverse else matrix
    return np.array([np.mean(np.diagonal(turned, -lag)) for lag in range(len(turned))])


def bound_of_jacobians(trajectory: Trajectory, row: int, rate: float) -> np.ndarray:
    """`(α γ)^(t - k)` at `[t, k]`, where t - k counts real steps; zero where step k runs after step t."""
    real = trajectory.mask[row]
    done = np.cumsum(real[::-1])[::-1] if trajectory.reverse else np.cumsum(real)
    lags = done[:, None] - done[None, :]
    order = np.argsort(trajectory.order)
    with np.errstate(over="ignore"):
        return np.where(order[:, None] >= order[None, :], np.power(rate, np.maximum(lags, 0).astype(float)), 0.0)
