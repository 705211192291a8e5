"""Figures as JSON and as people read them.

>>> json_value(float("nan")), percent(0.25), decimal(3.14159), percent(float("nan"))
(None, '25.00%', '3.14', '-')
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def json_value(value: float) -> float | None:
    """The figure for ``metrics.json``: None for what JSON does not have, NaN and infinity."""
    return float(value) if math.isfinite(value) else None


def percent(share: float) -> str:
    """A share in percent; ``-`` for NaN."""
    return "-" if math.isnan(share) else f"{share:.2%}"


def decimal(value: float, digits: int = 2) -> str:
    """A figure with a fixed number of decimals; ``-`` for NaN."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def right_aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a table as lines, all cells of a column aligned at the right.

    >>> right_aligned([["length", "rate"], ["3", "12%"]])
    ['length  rate', '     3   12%']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
