"""The end of a series' calendar: the year 9999, or the integers that 64 bits hold."""

from __future__ import annotations

import numpy as np

from seqtag.data.series.frequency import DAY
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.timestamps import LATEST
from seqtag.errors import DataError, shown

# How far steps may go on from a time of at most 2^61, so that sums stay within int64; and the most that the unit of a
# step can be, in microseconds or integers.
_FARTHEST = 2**62
_LONGEST_UNIT = {"integer": 1, "clock": 1, "offset": 1, "day": DAY, "business_day": 2 * DAY, "month": 31 * DAY}


def check_calendar(table: SeriesTable, horizon: int) -> None:
    """Raises a `DataError` that names the first series without so many more steps, and its last time.

    Args:
        table: the series.
        horizon: the number of steps after the last one of each, at least 1.
    """
    frequency, series = table.frequency, np.arange(len(table))
    if horizon > _FARTHEST // (_LONGEST_UNIT[frequency.kind] * frequency.step):
        beyond = np.ones(len(table), bool)
    else:
        beyond = _beyond(table, series, table.lengths + horizon - 1)
    if beyond.any():
        at = int(beyond.argmax())
        last = table.format_time(table.times_at(series[at : at + 1], table.lengths[at : at + 1] - 1)[0])
        end = f"{_FARTHEST}" if table.integer_time else "the year 9999"
        raise DataError(
            f"series {shown(table.ids[at])} at {last}: expected steps up to {end}, found a horizon of {horizon} that"
            " goes beyond"
        )


def _beyond(table: SeriesTable, series: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Whether each of these steps of these series lies after the end of the calendar."""
    try:
        times = table.times_at(series, steps)
    except ValueError:  # the grid of an offset ends somewhere: for one of the series, or for several
        if len(series) == 1:
            return np.ones(1, bool)
        return np.concatenate([_beyond(table, series[at : at + 1], steps[at : at + 1]) for at in range(len(series))])
    # In UTC the last local day of the year 9999 may lie a day before its end.
    return np.zeros(len(times), bool) if table.integer_time else times > LATEST - (DAY if table.time_zone else 0)
