"""Durations as people write them."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import Annotated, Any

from pydantic import BeforeValidator

from seqtag.errors import shown

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_DURATION = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?")
_SECONDS_OF_PARTS = (3600, 60, 1)


def seconds_of(duration: Any) -> float:
    """The seconds of a duration: a number of them, or text of hours, minutes and seconds.

    Raises:
        ValueError: it is no duration, or zero, below zero or infinite.

    Example:
        >>> seconds_of(90), seconds_of("1h30m"), seconds_of("2.5 m")
        (90.0, 5400.0, 150.0)
    """
    seconds = 0.0
    if isinstance(duration, Real) and not isinstance(duration, bool):
        seconds = float(duration)
    elif isinstance(duration, str) and (found := _DURATION.fullmatch(duration.replace(" ", ""))):
        seconds = sum(float(part or 0) * size for part, size in zip(found.groups(), _SECONDS_OF_PARTS, strict=True))
    if not 0 < seconds < math.inf:
        raise ValueError(f"expected a time above zero such as 90, '60s' or '1h30m', found {shown(duration)}")
    return seconds


Seconds = Annotated[float, BeforeValidator(seconds_of)]
