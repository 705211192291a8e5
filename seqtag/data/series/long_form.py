"""Brings frames as people hold them into the long form: times in the index, one series without a name, one column."""

from __future__ import annotations

import difflib
from typing import Any

import pandas as pd

SERIES = "unique_id"
# How alike a name must be spelled to "unique_id" to be taken for a slip of the pen.
_ALIKE = 0.75


def as_frame(source: Any, series: str, target: str) -> Any:
    """A pandas Series as a frame, whose series has the name of the Series, else that of the target; others as they are.

    Example:
        >>> sales = pd.Series([1.0, 2.0], pd.period_range("2024-01", periods=2, freq="M"), name="sales")
        >>> as_frame(sales, "unique_id", "y").to_dict("records")
        [{'y': 1.0, 'unique_id': 'sales'}, {'y': 2.0, 'unique_id': 'sales'}]
    """
    if not isinstance(source, pd.Series):
        return source
    return source.to_frame(target).assign(**{series: target if source.name is None else source.name})


def with_times(frame: pd.DataFrame, names: tuple[str, ...], time: str) -> pd.DataFrame:
    """The frame with those of the named columns that its index holds, and with the times of a time index as `time`."""
    levels = [name for name in frame.index.names if name in names and name not in frame.columns]
    if levels:
        frame = frame.reset_index(level=levels)
    if time not in frame.columns and isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        frame = frame.assign(**{time: frame.index})
    return frame


def lacks_series(frame: pd.DataFrame, series: str) -> bool:
    """Whether a frame is one series without a name: it has no column `unique_id`, nor one that is spelled like it."""
    names = [str(name) for name in frame.columns]
    return series == SERIES and series not in names and not difflib.get_close_matches(series, names, 1, _ALIKE)
