"""Quantile levels, wherever they are given: their check, and how a command line writes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seqtag.errors import ConfigError, shown


def checked_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Returns quantile levels as a tuple of floats, once they are found to rise strictly within (0, 1).

    Raises:
        ValueError: there are none, one lies outside (0, 1), or one is not above the one before.

    Example:
        >>> checked_levels([0.1, 0.5])
        (0.1, 0.5)
    """
    found = tuple(float(level) for level in levels)
    if not found:
        raise ValueError("expected at least one quantile level, found none")
    for level in found:
        if not 0 < level < 1:
            raise ValueError(f"expected quantile levels between 0 and 1, found {level:g}")
    for before, level in pairwise(found):
        if level <= before:
            raise ValueError(f"expected rising quantile levels, found {level:g} after {before:g}")
    return found


def parsed_levels(text: str) -> tuple[float, ...]:
    """The levels of an option of the command line, with commas between them.

    Raises:
        ConfigError: a part is no number, or as `checked_levels`.

    Example:
        >>> parsed_levels(".05,.5,.95")
        (0.05, 0.5, 0.95)
    """
    try:
        levels = [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--levels: expected numbers with commas between them, found {shown(text)}") from None
    try:
        return checked_levels(levels)
    except ValueError as error:
        raise ConfigError(f"--levels: {error}") from None
