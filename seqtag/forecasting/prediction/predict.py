"""Forecasts of the steps after each series' end, as frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.future import Future, append_future, read_future
from seqtag.forecasting.evaluation.forecast import Forecast, quantile_names
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.paths import draw_paths, last_windows, pad_to_whole_horizons

# How many paths stand for the distribution of steps past the trained horizon.
RECURSION_PATHS = 100


def predict(
    model: ForecastingModel, table: SeriesTable, horizon: int | None = None, future: Any = None, seed: int = 0
) -> pd.DataFrame:
    """The next steps of every series: a row a series and step, with the point forecast and the quantiles.

    Steps past the trained horizon come from sample paths that read their own values, see `draw_paths`: their
    quantiles are those of the paths, their forecast is the median.

    Args:
        model: the fitted model.
        table: the series.
        horizon: how many steps; the trained horizon unless given.
        future: a frame or file of the known covariates, where the model reads any.
        seed: of the sample paths.

    Returns:
        Columns `unique_id, ds, forecast` and one for each quantile, such as `q0.1`.

    Raises:
        ValueError: a horizon below 1.
        DataError: see `read_future` and `ForecastingModel.answers`.
    """
    horizon = model.horizon if horizon is None else horizon
    steps = read_future(table, horizon, future, model.columns)
    return to_frame(table, steps, forecast_future(model, table, steps, seed))


def forecast_future(model: ForecastingModel, table: SeriesTable, future: Future, seed: int = 0) -> Forecast:
    """The forecasts of a future of any length, a row a series."""
    horizon = future.times.shape[1]
    whole = append_future(table, future)
    roomy, total = pad_to_whole_horizons(model, whole, horizon)
    own = model.forecast(roomy, last_windows(model, roomy, total)).cut(slice(None), slice(0, horizon))
    if horizon <= model.horizon:
        return own
    paths = draw_paths(model, whole, horizon, RECURSION_PATHS, np.random.default_rng(seed))[..., model.horizon :]
    beyond = np.moveaxis(np.quantile(paths, model.levels, axis=1), 0, -1)
    point = np.concatenate([own.point, np.median(paths, axis=1)], axis=1)
    return Forecast(point, np.concatenate([own.quantiles, beyond], axis=1), model.levels)


def to_frame(table: SeriesTable, future: Future, forecast: Forecast) -> pd.DataFrame:
    """A forecast of every series as a long frame."""
    frame = future.to_frame(table)
    frame["forecast"] = forecast.point.ravel()
    for name, column in zip(quantile_names(forecast.levels), np.moveaxis(forecast.quantiles, -1, 0), strict=True):
        frame[name] = column.ravel()
    return frame
