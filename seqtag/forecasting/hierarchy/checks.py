"""Checks that series fit their hierarchy: totals are the sums of their parts, and parts end at the same time."""

from __future__ import annotations

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.hierarchy.hierarchy import Sums

# How far a total may be from the sum of its parts, as a share of what is added up.
TOLERANCE = 1e-6


def check_sums(table: SeriesTable, sums: Sums) -> None:
    """Raises a `DataError` that names the first value of a total that is not the sum of its parts.

    Times at which the total or one of its parts has no value are not looked at.
    """
    for row in np.flatnonzero(sums.series >= 0):
        total, weights = int(sums.series[row]), sums.matrix[row]
        added, size = _added(table, sums.parts[weights != 0], weights[weights != 0], total)
        values = table.values[table.rows(total)]
        wrong = np.abs(values - added) > TOLERANCE * np.maximum(size, np.abs(values))
        if wrong.any():
            step = int(wrong.argmax())
            time = table.times_at(np.array([total]), np.array([step]))[0]
            raise DataError(
                f"series {shown(table.ids[total])} at {table.format_time(time)}: expected the sum of its parts,"
                f" {added[step]:.12g}, found {values[step]:.12g}"
            )


def _added(table: SeriesTable, parts: np.ndarray, weights: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """The sum of parts at each step of their total, and the sum of their sizes; NaN where a part has no value."""
    first, length = table.ordinals[total], int(table.lengths[total])
    added, size, count = np.zeros(length), np.zeros(length), np.zeros(length)
    for part, weight in zip(parts.tolist(), weights.tolist(), strict=True):
        values = weight * table.values[table.rows(part)]
        start = int(table.ordinals[part] - first)
        inside = slice(min(max(start, 0), length), min(max(start + len(values), 0), length))
        of_part = values[inside.start - start : inside.stop - start]
        added[inside] += of_part
        size[inside] += np.abs(of_part)
        count[inside] += 1
    return np.where(count == len(parts), added, np.nan), size


def check_starts(table: SeriesTable, times: np.ndarray, sums: Sums) -> None:
    """Raises a `DataError` that names the first series whose forecast begins at another time than that of the first.

    Args:
        table: the series.
        times: of the steps to forecast, `(series, horizon)`.
        sums: the hierarchy.
    """
    used = np.r_[sums.parts, sums.series[sums.series >= 0]]
    other = times[used, 0] != times[used[0], 0]
    if other.any():
        series = used[int(other.argmax())]
        start, found = (table.format_time(times[at, 0]) for at in (used[0], series))
        raise DataError(
            f"series {shown(table.ids[series])} at {found}: expected forecasts of a hierarchy to begin at {start}, as"
            f" of series {shown(table.ids[used[0]])}, found this"
        )
