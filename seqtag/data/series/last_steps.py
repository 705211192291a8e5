"""The last steps of series, and tables as frames of the columns that they were read from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column
from seqtag.data.series.cutting import some_steps
from seqtag.data.series.files import SeriesColumns
from seqtag.data.series.table import SeriesTable


def last_steps(table: SeriesTable, steps: int) -> SeriesTable:
    """The last steps of each series, and more where its last value lies before these.

    Example:
        >>> from seqtag.data.series.files import read_series
        >>> frame = pd.DataFrame({"unique_id": list("aaabbb"), "ds": [1, 2, 3] * 2, "y": [1, 2, 3, 4, None, None]})
        >>> last_steps(read_series(frame), 2).values.tolist()
        [2.0, 3.0, 4.0, nan, nan]
    """
    newest = np.maximum.reduceat(np.where(table.observed, np.arange(len(table.values)), 0), table.offsets[:-1])
    starts = np.maximum(np.minimum(table.lengths - steps, newest - table.offsets[:-1]), 0)
    return some_steps(table, starts, table.lengths)


def column_frame(table: SeriesTable, columns: SeriesColumns) -> pd.DataFrame:
    """The series and their covariates as a long frame; `read_series` with these columns reads them back."""
    frame = table.to_frame()
    frame.columns = pd.Index([columns.series, columns.time, columns.target])
    for name, column in (*table.past.items(), *table.known.items()):
        frame[name] = _as_given(column)
    for name, column in table.static.items():
        frame[name] = _as_given(column)[table.series_of_step]
    return frame


def _as_given(column: Column) -> np.ndarray:
    """A category as its text, None where missing."""
    if not isinstance(column, Categories):
        return column
    return np.array([*column.symbols, None], object)[column.codes]
