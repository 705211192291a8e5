"""Forecasts over the past by a fitted model, as it would have given them then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.frames import RowNames
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.timestamps import read_times
from seqtag.errors import DataError, shown
from seqtag.forecasting.data.future import append_future, unknown_future
from seqtag.forecasting.data.windows import Windows, all_windows
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.predict import with_forecast


def predict_history(
    model: ForecastingModel,
    table: SeriesTable,
    origins: Any = None,
    stride: int | None = None,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Forecasts of the model's horizon from origins in the past, which read nothing after them but what is known.

    Args:
        model: the fitted model.
        table: the series.
        origins: times, or one, that are the last known ones; a time between two steps stands for the one before. Or a
            number: so many origins of each series, the last of them a horizon before its end; all of these unless
            given.
        stride: steps from one origin to the next, where they are no times; the horizon unless given.
        levels: of the quantiles; those of the fit unless given.

    Returns:
        Columns `unique_id, cutoff, ds, forecast`, one for each quantile, and `y`, NaN where missing: a row for each
        series, origin and step up to the end of the series. The cutoff is the last known step.

    Raises:
        ValueError: a number of origins or a stride below 1, a stride beside times, levels as of `checked_levels`.
        DataError: a time that is none or of another kind than those of the series; an origin, or all, without a series
            that has steps before and after it.
    """
    if origins is None or isinstance(origins, int | np.integer):
        cutoffs = _last_cutoffs(model, table, origins, model.horizon if stride is None else stride)
    elif stride is not None:
        raise ValueError(f"expected a stride beside a number of origins, found {stride} beside times")
    else:
        cutoffs = _cutoffs_at(table, _times(table, origins))
    return _forecasts(model, table, cutoffs, levels)


def _last_cutoffs(
    model: ForecastingModel, table: SeriesTable, count: int | np.integer | None, stride: int
) -> np.ndarray:
    """Series and number of known steps of each origin, `(origins, 2)`."""
    if count is not None and count < 1:
        raise ValueError(f"expected at least one origin, found {count}")
    windows = all_windows(table, model.lookback, model.horizon, stride=stride, min_history=1)
    # From the last window of each series backwards.
    number = (table.offsets[1:][windows.series] - model.horizon - windows.ends) // stride
    chosen = windows if count is None else windows.take(number < count)
    if not len(chosen):
        series = int(table.lengths.argmax())
        raise DataError(
            f"expected a series with more steps than the horizon of {model.horizon}, found at most"
            f" {table.lengths[series]}, in {shown(table.ids[series])}"
        )
    return np.stack([chosen.series, chosen.ends - chosen.first], axis=1)


def _times(table: SeriesTable, origins: Any) -> np.ndarray:
    """Times as the table has them."""
    several = isinstance(origins, Sequence | np.ndarray | pd.Series | pd.Index) and not isinstance(origins, str)
    column = pd.Series(origins if several else [origins]).reset_index(drop=True)
    if not len(column):
        raise ValueError("expected at least one origin, found none")
    rows = RowNames(pd.Series(["origins"] * len(column)), column)
    found = read_times(column, rows, table.time_zone)
    if found.integer != table.integer_time or found.time_zone != table.time_zone:
        kind = "integers" if table.integer_time else f"timestamps in time zone {table.time_zone or 'none'}"
        raise DataError(f"expected origins as the times of the series, {kind}, found {shown(str(column.iloc[0]))}")
    return np.unique(found.values)


def _cutoffs_at(table: SeriesTable, times: np.ndarray) -> np.ndarray:
    """As `_last_cutoffs`, of the series that have steps up to a time and after it."""
    found = []
    for time in times:
        known = np.add.reduceat(table.times <= time, table.offsets[:-1])
        series = np.flatnonzero((known > 0) & (known < table.lengths))
        if not len(series):
            first, last = (table.format_time(end) for end in (table.times.min(), table.times.max()))
            raise DataError(
                f"expected an origin with steps before and after it, from {first} to {last}, found"
                f" {table.format_time(time)}"
            )
        found.append(np.stack([series, known[series]], axis=1))
    cutoffs = np.concatenate(found)
    return np.unique(cutoffs, axis=0)


def _forecasts(
    model: ForecastingModel, table: SeriesTable, cutoffs: np.ndarray, levels: Sequence[float] | None
) -> pd.DataFrame:
    # Windows of the last origins reach past the end of their series.
    whole = append_future(table, unknown_future(table, model.horizon))
    series, known = cutoffs.T
    first = whole.offsets[series]
    windows = model.answerable(whole, Windows(series, first + known, first, model.lookback, model.horizon))
    forecast = model.forecast(whole, windows, levels)
    times = whole.times
    repeated = np.repeat(windows.series, model.horizon)
    frame = pd.DataFrame(
        {
            "unique_id": whole.named(repeated),
            "cutoff": whole.to_timestamps(np.repeat(times[windows.ends - 1], model.horizon)),
            "ds": whole.to_timestamps(windows.future(times).ravel()),
        }
    )
    frame = with_forecast(frame, forecast).assign(y=windows.future(whole.values).ravel())
    inside = windows.future_steps() < (whole.offsets[1:] - model.horizon)[windows.series][:, None]
    return frame[inside.ravel()].reset_index(drop=True)
