"""Numbers, labels and times of frames: how a file or Python writes them, what is missing, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from numbers import Integral, Real
from typing import Any

import numpy as np

from seqtag.errors import DataError, shown

# What stands in files in the place of a number that is missing, in lower case.
MISSING = frozenset(("", "?", "nan", "na"))
NAN = math.nan
# Exported models take float32.
LARGEST = float(np.finfo(np.float32).max)


class ValueFault(DataError):
    """A number, a label or a time that cannot be read.

    Args:
        message: what was expected and what was found.
        position: which one of several it is.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


def numbers_of(fields: Sequence[str], may_miss: bool = True) -> list[float]:
    """The numbers of a frame, NaN where one is missing.

    Args:
        fields: as a file writes them.
        may_miss: whether numbers may be missing.

    Raises:
        ValueFault: a field is no finite number of float32.

    >>> numbers_of(["1", "-2e3", "?", "NaN"])
    [1.0, -2000.0, nan, nan]
    """
    try:
        numbers = list(map(float, fields))
        if all(-LARGEST <= number <= LARGEST for number in numbers):
            return numbers
    except ValueError:
        pass
    return [_number(field, position, may_miss) for position, field in enumerate(fields)]


def _number(field: str, position: int, may_miss: bool) -> float:
    if may_miss and field.strip().casefold() in MISSING:
        return NAN
    try:
        number = float(field)
    except ValueError:
        found = shown(field) if field.strip() else "nothing"
        raise ValueFault(f"expected a number, found {found}", position) from None
    if not -LARGEST <= number <= LARGEST:
        raise ValueFault(f"expected a finite number of float32, found {shown(field)}", position)
    return number


def label_of(value: Any) -> str:
    """A label as text: texts as they are, whole numbers by their digits.

    Raises:
        ValueFault: it is empty, NaN, or of another kind.

    >>> label_of("walk"), label_of(np.int64(3)), label_of(2.0)
    ('walk', '3', '2')
    """
    if isinstance(value, str):
        text = str(value).strip()
        if text.casefold() not in MISSING - {"?", "na"}:
            return text
        raise ValueFault(f"expected a label, found {shown(text) if text else 'nothing'}")
    if isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real) and float(value).is_integer():
        return str(int(float(value)))
    raise ValueFault(f"expected a label as a text or a whole number, found {shown(value)}")


def time_of(text: str, position: int = 0) -> float | datetime:
    """A time as a number or a date.

    Args:
        text: as a file writes it.
        position: which one of several it is, for the fault.

    Raises:
        ValueFault: it is neither.

    >>> time_of("1.5"), time_of("2024-01-31")
    (1.5, datetime.datetime(2024, 1, 31, 0, 0))
    """
    try:
        if math.isfinite(number := float(text)):
            return number
    except ValueError:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise ValueFault(f"expected a time as a number or a date, found {shown(text)}", position)


def first_out_of_order(times: Sequence[Any]) -> int | None:
    """The first position whose time is before the one above it; None where there is none.

    Raises:
        ValueFault: some are numbers and others dates, or some dates have a time zone and others none.

    >>> first_out_of_order([1, 2, 2, 1]), first_out_of_order([])
    (3, None)
    """
    for position in range(1, len(times)):
        try:
            if times[position] < times[position - 1]:
                return position
        except TypeError:
            raise ValueFault("expected numbers or dates alone as times of a sequence, found both", position) from None
    return None
