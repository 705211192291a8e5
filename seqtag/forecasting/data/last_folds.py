"""The windows that `seqtag evaluate` scores: the last horizons of each series."""

from __future__ import annotations

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.data.windows import Windows, all_windows, with_values


def last_folds(table: SeriesTable, lookback: int, horizon: int, folds: int) -> Windows:
    """The windows that forecast the last `folds` horizons of each series, one after the other.

    A short series has fewer. Windows without a value in their history or in their future are left out.

    Raises:
        DataError: there are none.
    """
    windows = all_windows(table, lookback, horizon, stride=horizon, min_history=1)
    recent = windows.ends >= table.offsets[1:][windows.series] - folds * horizon
    windows = with_values(table, windows.take(np.flatnonzero(recent)))
    if not len(windows):
        longest = int(table.lengths.argmax())
        raise DataError(
            f"series {shown(table.ids[longest])}: expected values in a history and in a horizon of {horizon} steps,"
            f" found {table.lengths[longest]} steps in the longest series"
        )
    return windows
