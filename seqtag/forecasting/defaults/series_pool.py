"""A sample of the series of a table, and how much they move together."""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import NamedTuple

import numpy as np

from seqtag.data.series.table import SeriesTable

MAX_SERIES = 400
# How many series, and how many of their last steps, show whether series move together.
MAX_CORRELATED, MAX_CORRELATED_STEPS = 100, 512
# Changes of more than this many mean changes are cut, and pairs of series with fewer common ones are left out.
MAX_CHANGE, MIN_PAIRS = 5.0, 8


class Span(NamedTuple):
    """A series from its first value to its last.

    Attributes:
        start: the ordinal of its first step.
        values: float64 `(steps,)`, in a unit that makes the largest less than 1; NaN where missing.
    """

    start: int
    values: np.ndarray


class SeriesPool:
    """Series that vary; of a large table, a sample that the ids alone decide, so that the order of series does not.

    Args:
        table: the series.

    Attributes:
        spans: the series, at most 400.
    """

    def __init__(self, table: SeriesTable) -> None:
        keys = [zlib.crc32(str(name).encode(errors="replace")) for name in table.ids]
        chosen = np.argsort(keys, kind="stable")[:MAX_SERIES]
        spans = [_span(int(table.ordinals[s]), table.values[table.rows(s)]) for s in chosen]
        self.spans = [span for span in spans if len(span.values)]

    @property
    def lengths(self) -> np.ndarray:
        """The steps of each series, int64 `(series,)`."""
        return np.array([len(span.values) for span in self.spans], np.int64)

    def independent(self, series: int) -> float:
        """How many independent series say as much as so many of these: those that move together say less.

        The powers of two series at a frequency are correlated by the square of the series' correlation `r`, so that `n`
        series are worth `n / (1 + (n - 1) r^2)`.
        """
        return series / (1 + max(0, series - 1) * self.togetherness)

    @cached_property
    def togetherness(self) -> float:
        """The mean squared correlation of the changes of two series, less what it is by chance; from 0 to 1."""
        changes = self._changes()
        known = (~np.isnan(changes)).astype(float)
        changes = np.nan_to_num(changes)
        pairs = known @ known.T
        power = changes**2 @ known.T
        both = power * power.T
        use = (pairs >= MIN_PAIRS) & (both > 0) & ~np.eye(len(changes), dtype=bool)
        if not use.any():
            return 0.0
        squares = (changes @ changes.T)[use] ** 2 / both[use]
        # By chance, a squared correlation of `n` independent changes is 1 / n, of the changes of noise 1.5 / n.
        return float(np.clip(np.mean(squares - 1.5 / pairs[use]), 0, 1))

    def _changes(self) -> np.ndarray:
        """The last changes `(series, steps)` in units of their mean size, those of a time in one column."""
        spans = self.spans[:MAX_CORRELATED]
        last = int(np.median([span.start + len(span.values) for span in spans]))
        changes = np.full((len(spans), MAX_CORRELATED_STEPS), np.nan)
        for row, span in enumerate(spans):
            first = max(0, last - MAX_CORRELATED_STEPS - span.start)
            values = span.values[first : max(0, last - span.start)]
            change = _in_units(values)
            at = span.start + first - (last - MAX_CORRELATED_STEPS)
            changes[row, at : at + len(change)] = change
        return changes


def filled(values: np.ndarray) -> np.ndarray | None:
    """The values with gaps closed by straight lines; None where more than half are missing."""
    seen = ~np.isnan(values)
    if seen.all():
        return values
    if 2 * seen.sum() < len(values):
        return None
    place = np.arange(len(values))
    return np.interp(place, place[seen], values[seen])


def _span(start: int, values: np.ndarray) -> Span:
    """The series from its first value to its last; empty where all are equal."""
    seen = np.flatnonzero(~np.isnan(values))
    if not seen.size or values[seen].min() == values[seen].max():
        return Span(start, values[:0])
    # A power of two, so that nothing is rounded.
    _, exponent = np.frexp(np.abs(values[seen]).max())
    return Span(start + int(seen[0]), np.ldexp(values[seen[0] : seen[-1] + 1], -exponent))


def _in_units(values: np.ndarray) -> np.ndarray:
    """The changes of values, in units of their mean size; large ones are cut."""
    change = np.diff(values) if len(values) else values
    sizes = np.abs(change[~np.isnan(change)])
    usual = sizes.mean() if sizes.size else 0.0
    return np.clip(change / usual, -MAX_CHANGE, MAX_CHANGE) if usual > 0 else np.zeros(len(change))
