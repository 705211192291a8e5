"""Forecasts of the steps after the end of each series, as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.future import Future, append_future, read_future
from seqtag.forecasting.evaluation.forecast import Forecast, quantile_names
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.paths import draw_paths, last_windows, pad_to_whole_horizons

# The number of sample paths that give the quantiles of steps beyond the model's horizon.
RECURSION_PATHS = 100


def predict(
    model: ForecastingModel,
    table: SeriesTable,
    horizon: int | None = None,
    future: Any = None,
    seed: int = 0,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Forecasts the next steps of every series: a row for each series and step, with point forecast and quantiles.

    Beyond the model's horizon, quantiles are those of sample paths and the point forecast is their median, see
    `draw_paths`.

    Args:
        model: the fitted model.
        table: the series.
        horizon: the number of steps; that of the model unless given.
        future: a frame or file of the known covariates, if the model reads any.
        seed: the seed of the sample paths.
        levels: of the quantiles; those of the fit unless given. Within the model's horizon, others lie on the quantile
            function of these; beyond it they are those of the paths.

    Returns:
        Columns `unique_id, ds, forecast` and one for each quantile, such as `q0.1`.

    Raises:
        ValueError: a horizon below 1; levels as of `checked_levels`.
        DataError: see `read_future` and `ForecastingModel.answers`.
    """
    horizon = model.horizon if horizon is None else horizon
    steps = read_future(table, horizon, future, model.columns)
    return to_frame(table, steps, forecast_future(model, table, steps, seed, levels))


def forecast_future(
    model: ForecastingModel, table: SeriesTable, future: Future, seed: int = 0, levels: Sequence[float] | None = None
) -> Forecast:
    """The forecasts of a future of any length, with a row for each series."""
    horizon = future.times.shape[1]
    whole = append_future(table, future)
    padded, total = pad_to_whole_horizons(model, whole, horizon)
    direct = model.forecast(padded, last_windows(model, padded, total), levels).cut(slice(None), slice(0, horizon))
    if horizon <= model.horizon:
        return direct
    paths = draw_paths(model, whole, horizon, RECURSION_PATHS, seed)[..., model.horizon :]
    beyond = np.moveaxis(np.quantile(paths, direct.levels, axis=1), 0, -1)
    point = np.concatenate([direct.point, np.median(paths, axis=1)], axis=1)
    return Forecast(point, np.concatenate([direct.quantiles, beyond], axis=1), direct.levels)


def to_frame(table: SeriesTable, future: Future, forecast: Forecast) -> pd.DataFrame:
    """The forecasts of all series as a long frame."""
    return with_forecast(future.to_frame(table), forecast)


def with_forecast(frame: pd.DataFrame, forecast: Forecast) -> pd.DataFrame:
    """A frame of rows and steps with the columns `forecast` and those of the quantiles."""
    columns = dict(zip(quantile_names(forecast.levels), np.moveaxis(forecast.quantiles, -1, 0), strict=True))
    return frame.assign(forecast=forecast.point.ravel(), **{name: part.ravel() for name, part in columns.items()})
