"""Checks of the numbers that functions are called with. Tensors pass: a graph knows their values too late."""

from __future__ import annotations

import operator
from typing import Any

from keras import ops


def whole_number(name: str, value: Any) -> int:
    """The value as an int; NumPy's whole numbers are taken too.

    Raises:
        ValueError: it is not a whole number above zero.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"expected {name} to be a whole number above zero, found {value!r}")
    return number


def whole_number_or_tensor(name: str, value: Any) -> Any:
    """The value as an int, or a tensor as int32.

    Raises:
        ValueError: it is no tensor and not a whole number above zero.
    """
    return ops.cast(value, "int32") if ops.is_tensor(value) else whole_number(name, value)


def check_at_least_zero(name: str, value: Any) -> None:
    """Checks a number or tensor.

    Raises:
        ValueError: it is below zero or not a number.
    """
    if not ops.is_tensor(value) and not value >= 0:
        raise ValueError(f"expected {name} to be at least 0, found {value}")


def check_above_zero(name: str, value: Any, most: float = float("inf")) -> None:
    """Checks a number or tensor.

    Raises:
        ValueError: it is not above zero, or above `most`, or not a number.
    """
    if ops.is_tensor(value) or 0 < value <= most:
        return
    bound = "" if most == float("inf") else f" and at most {most:g}"
    raise ValueError(f"expected {name} to be above zero{bound}, found {value}")
