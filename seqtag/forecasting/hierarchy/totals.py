"""Forecasts of series and of their totals, which add up."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.ids import OBJECT, ids_of_dtype
from seqtag.data.series.slicing import select_series
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, DataWarning, shown
from seqtag.forecasting.data.future import Future, append_future
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.hierarchy.checks import checked_sums
from seqtag.forecasting.hierarchy.hierarchy import Hierarchy, Sums
from seqtag.forecasting.hierarchy.past import correlation_of, error_covariance, past_forecasts
from seqtag.forecasting.hierarchy.reconciliation import reconciled
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.paths import draw_paths
from seqtag.forecasting.prediction.predict import forecast_future, with_forecast


def predict_totals(
    model: ForecastingModel,
    table: SeriesTable,
    future: Future,
    hierarchy: Any,
    id_column: str,
    seed: int = 0,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Forecasts the next steps of series and of their totals.

    The point forecast of a total is the sum of those of its parts, to the last bit of the sum. Its quantiles are those
    of summed sample paths, since quantiles do not add up: the median of a total is not the sum of medians.

    Args:
        model: the fitted model.
        table: the series up to their last values: all parts, and those totals that are forecast as well.
        future: the steps to forecast.
        hierarchy: a `Hierarchy`, or its groups.
        id_column: the name of the column of ids in the groups.
        seed: the seed of the sample paths.
        levels: of the quantiles; those of the fit unless given.

    Returns:
        As `seqtag.forecasting.prediction.predict.predict`: the parts in the order of the table, then the totals, at the
        steps that all series have.

    Raises:
        DataError: as `checked_sums`; no totals in the data, or no past, for a method that combines.
    """
    hierarchy = hierarchy if isinstance(hierarchy, Hierarchy) else Hierarchy(hierarchy)
    sums, steps = checked_sums(hierarchy.groups, table, future.times, id_column)
    if hierarchy.method != "bottom_up" and (sums.series < 0).all():
        raise DataError(f"expected series of totals for method {hierarchy.method!r}, found those of parts alone")
    plain = forecast_future(model, table, future, seed, levels)
    parts, inside = plain.cut(sums.parts, slice(None)), steps[sums.parts]
    moved = np.zeros(parts.point.shape)
    if hierarchy.method != "bottom_up":
        there = np.take_along_axis(plain.point, steps, axis=1)
        np.put_along_axis(moved, inside, _moved(model, table, there, sums, hierarchy.method), axis=1)
    point, quantiles = (model.bounds.moved(part) for part in (parts.point + moved, parts.quantiles + moved[..., None]))
    paths = model.bounds.moved(_paths(model, table, future, sums, hierarchy, seed) + moved[:, None])
    added = sums.matrix @ np.take_along_axis(point, inside, axis=1)
    spread = _quantiles(np.take_along_axis(paths, inside[:, None], axis=2), sums, plain.levels)
    of_parts, of_totals = Forecast(point, quantiles, plain.levels), Forecast(added, spread, plain.levels)
    times = np.take_along_axis(future.times[sums.parts[:1]], inside[:1], axis=1).repeat(len(added), axis=0)
    names = [table.ids[series] if series >= 0 else name for series, name in zip(sums.series, sums.names, strict=True)]
    rows = [(table.ids[sums.parts], future.times[sums.parts], of_parts), (names, times, of_totals)]
    frame = pd.concat([_frame(table, *each) for each in rows], ignore_index=True)
    # Names beside numbers make a column of objects.
    keeps = (sums.series >= 0).all() or isinstance(table.id_dtype, pd.StringDtype)
    return frame.assign(unique_id=ids_of_dtype(frame["unique_id"].to_numpy(), table.id_dtype if keeps else OBJECT))


def _moved(model: ForecastingModel, table: SeriesTable, point: np.ndarray, sums: Sums, method: str) -> np.ndarray:
    """How far each point forecast of a part is moved by the forecasts of totals, `(parts, steps)`."""
    parts, there = point[sums.parts], np.flatnonzero(sums.series >= 0)
    series, matrix = sums.series[there], sums.matrix[there]
    covariance = np.eye(len(parts) + len(series))
    if method == "mint":
        past = past_forecasts(model, select_series(table, np.r_[sums.parts, series]))
        if len(past.errors) < 2:
            longest = int(table.lengths.argmax())
            raise DataError(
                f"expected two horizons of {model.horizon} after half a lookback for method 'mint', found at most"
                f" {table.lengths[longest]} steps, in {shown(table.ids[longest])}"
            )
        covariance = error_covariance(model, past)
    return reconciled(parts, point[series], matrix, covariance) - parts


def _paths(
    model: ForecastingModel, table: SeriesTable, future: Future, sums: Sums, hierarchy: Hierarchy, seed: int
) -> np.ndarray:
    """Sample paths of the parts, `(parts, paths, horizon)`."""
    estimated = hierarchy.dependence == "estimated"
    between = _between(model, select_series(table, sums.parts)) if estimated else None
    whole = select_series(append_future(table, future), sums.parts)
    return draw_paths(model, whole, future.times.shape[1], hierarchy.num_paths, seed, between)


def _between(model: ForecastingModel, parts: SeriesTable) -> np.ndarray | None:
    """The correlation between parts; None, with a warning, where their past is too short to tell."""
    past = past_forecasts(model, parts)
    if len(past.scores) > 1:
        return correlation_of(model, past.scores)
    message = "totals are those of independent series, found too few steps to tell how series depend on each other"
    warnings.warn(DataWarning(message), stacklevel=2)
    return None


def _quantiles(paths: np.ndarray, sums: Sums, levels: Sequence[float]) -> np.ndarray:
    """Quantiles of the totals, `(totals, horizon, levels)`; one total at a time, to spare memory."""
    totals = (np.tensordot(row[row != 0], paths[row != 0], axes=1) for row in sums.matrix)
    return np.stack([np.moveaxis(np.quantile(total, levels, axis=0), 0, -1) for total in totals])


def _frame(table: SeriesTable, ids: Sequence[Any] | np.ndarray, times: np.ndarray, forecast: Forecast) -> pd.DataFrame:
    """The forecasts of some series or totals at `times (rows, steps)`."""
    column = pd.Series([name for name in ids for _ in range(times.shape[1])], dtype=object)
    return with_forecast(pd.DataFrame({"unique_id": column, "ds": table.to_timestamps(times.ravel())}), forecast)
