"""Shared by the three cells: float64 arrays of the expected shape, and activations with their slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Array: TypeAlias = np.ndarray


class Activation(NamedTuple):
    """An activation φ, and its slope φ' as a function of the value φ(a)."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


_ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda h: 1 - h**2),
    "relu": Activation(lambda a: np.maximum(a, 0), lambda h: np.where(h > 0, 1.0, 0.0)),
    "leaky_relu": Activation(lambda a: np.where(a > 0, a, 0.2 * a), lambda h: np.where(h > 0, 1.0, 0.2)),
    "linear": Activation(lambda a: a, np.ones_like),
}


def activation_of(name: str) -> Activation:
    """The activation with a name of Keras.

    Raises:
        ValueError: an unknown name.
    """
    if name not in _ACTIVATIONS:
        raise ValueError(f"expected activation to be one of {', '.join(_ACTIVATIONS)}, found {name!r}")
    return _ACTIVATIONS[name]


def sigmoid(a: Array) -> Array:
    """`σ(a) = 1 / (1 + exp(-a))`, in a form that does not overflow; its slope is `σ (1 - σ)`."""
    return (1 + np.tanh(a / 2)) / 2


def shaped(name: str, values: ArrayLike | None, shape: tuple[int, ...]) -> Array:
    """The values in float64; zeros for None.

    Raises:
        ValueError: values of another shape.
    """
    if values is None:
        return np.zeros(shape)
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, found {array.shape}")
    return array


def as_inputs(x: ArrayLike) -> Array:
    """The inputs in float64.

    Raises:
        ValueError: an array that is not `(batch, time, features)`.
    """
    array = np.asarray(x, np.float64)
    if array.ndim != 3:
        raise ValueError(f"expected x of shape (batch, time, features), found {array.shape}")
    return array


def units_of(recurrent_kernel: ArrayLike, gates: int) -> int:
    """The units of a recurrent kernel `(units, gates · units)`.

    Raises:
        ValueError: a kernel of another shape.
    """
    shape = np.shape(recurrent_kernel)
    if len(shape) != 2 or shape[1] != gates * shape[0]:
        width = "units" if gates == 1 else f"{gates} * units"
        raise ValueError(f"expected recurrent_kernel of shape (units, {width}), found {shape}")
    return shape[0]


def states(initial: Array, time: int) -> Array:
    """An array for the states `(batch, time + 1, units)`, with the initial one at 0."""
    array = np.zeros((initial.shape[0], time + 1, initial.shape[1]))
    array[:, 0] = initial
    return array


def with_initial(name: str, of_steps: ArrayLike | None, states_: Array) -> Array:
    """Gradients of the steps 1 to T after a zero at 0, for the initial state, which has no output.

    Raises:
        ValueError: gradients of another shape than the states of the steps.
    """
    steps = states_[:, 1:]
    return np.concatenate([np.zeros_like(states_[:, :1]), shaped(name, of_steps, steps.shape)], axis=1)
