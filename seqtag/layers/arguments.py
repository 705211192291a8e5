"""The arguments of constructors: handed on by name, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def named(scope: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """The arguments of a constructor by their names, from its `locals()`; those of its `**kwargs` are among them.

    The recurrent layers have the two dozen arguments of Keras's, which each constructor hands on to the next.

    Args:
        scope: the constructor's `locals()`.
        but: names to leave out.

    Example:
        >>> class Cell:
        ...     def __init__(self, units, activation="tanh", **kwargs):
        ...         self.arguments = named(locals())
        >>> Cell(3, name="first").arguments
        {'units': 3, 'activation': 'tanh', 'name': 'first'}
    """
    left_out = {"self", "__class__", "kwargs", *but}
    return {name: value for name, value in {**scope, **scope["kwargs"]}.items() if name not in left_out}


def rate(name: str, value: float) -> float:
    """The share of something to drop.

    Raises:
        ValueError: it is not at least 0 and below 1.
    """
    if not 0.0 <= value < 1.0:
        raise ValueError(f"expected {name} to be at least 0 and below 1, found {value}")
    return float(value)
