"""The frame of the next steps of every series, whose known covariates somebody is to fill in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column
from seqtag.data.series.files import SeriesColumns
from seqtag.data.series.slicing import histories
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.calendar_end import check_calendar


def future_frame(table: SeriesTable, horizon: int, columns: SeriesColumns) -> pd.DataFrame:
    """The next steps after each series' last value, with a column for each known covariate.

    A covariate is missing (NaN, None for a category) but where the table has a row for the step.

    Args:
        table: the series, with rows after their last values.
        horizon: the number of steps.
        columns: the names of the columns of series and time.

    Raises:
        ValueError: a horizon below 1.
        DataError: as `check_calendar`.
    """
    if horizon < 1:
        raise ValueError(f"expected horizon to be at least 1, found {horizon}")
    history = histories(table)
    check_calendar(history, horizon)
    series = np.repeat(np.arange(len(table)), horizon)
    steps = history.lengths[series] + np.tile(np.arange(horizon), len(table))
    frame = pd.DataFrame(
        {columns.series: table.named(series), columns.time: table.to_timestamps(table.times_at(series, steps))}
    )
    flat = np.where(steps < table.lengths[series], table.offsets[series] + steps, -1)
    return frame.assign(**{name: _values(column, flat) for name, column in table.known.items()})


def _values(column: Column, steps: np.ndarray) -> np.ndarray:
    """The values of a column at these steps, missing where a step is -1."""
    if isinstance(column, Categories):
        return np.array([*column.symbols, None], object)[np.where(steps < 0, -1, column.codes[steps])]
    return np.where(steps < 0, np.nan, column[steps])
