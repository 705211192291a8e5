"""Checks that series fit their hierarchy: totals are the sums of their parts, and their forecasts meet in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.hierarchy.hierarchy import Sums, read_sums

# How far a total may be from the sum of its parts, as a share of what is added up.
TOLERANCE = 1e-6


def checked_sums(groups: Any, table: SeriesTable, times: np.ndarray, id_column: str) -> tuple[Sums, np.ndarray]:
    """The hierarchy of these groups over a table, and its `common_steps`, once the series are found to fit it.

    Args:
        groups: those of a `Hierarchy`.
        table: the series.
        times: of the steps to forecast, `(series, horizon)`.
        id_column: the name of the column of ids.

    Raises:
        DataError: as `read_sums`, `common_steps` and `check_sums`.
    """
    sums = read_sums(groups, table, id_column)
    steps = common_steps(table, times, sums)
    check_sums(table, sums)
    return sums, steps


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


def common_steps(table: SeriesTable, times: np.ndarray, sums: Sums) -> np.ndarray:
    """The steps of each series' forecast that have the same times: `(series, steps)`, for those in a hierarchy.

    They begin where the last of the forecasts does: a series may end a few steps before another.

    Args:
        table: the series.
        times: of the steps to forecast, `(series, horizon)`.
        sums: the hierarchy.

    Raises:
        DataError: a forecast of another time of day or day of the month, or one that ends before another begins.
    """
    used = np.r_[sums.parts, sums.series[sums.series >= 0]]
    last = int(used[times[used, 0].argmax()])
    there = times == times[last, 0]
    without = used[~there[used].any(axis=1)]
    if len(without):
        series = int(without[0])
        raise DataError(
            f"series {shown(table.ids[series])} at {table.format_time(times[series, 0])}: expected a forecast of"
            f" {table.format_time(times[last, 0])}, where that of series {shown(table.ids[last])} begins, found none in"
            f" {times.shape[1]} steps"
        )
    starts = there.argmax(axis=1)
    return starts[:, None] + np.arange(times.shape[1] - starts[used].max())
