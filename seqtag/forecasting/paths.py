"""Sample paths: forecasts drawn step by step with the dependence between steps, as far ahead as one likes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from seqtag.calibration.dependence import StepDependence
from seqtag.calibration.quantile_function import values_at
from seqtag.data.time_series.future import extended, read_future
from seqtag.data.time_series.parts import some_series
from seqtag.data.time_series.table import SeriesTable
from seqtag.data.time_series.windows import Windows
from seqtag.models.forecasting.model import ForecastingModel

INDEPENDENT = StepDependence(np.ones(1))


def sample_paths(
    model: ForecastingModel,
    table: SeriesTable,
    horizon: int | None = None,
    num_paths: int = 100,
    future: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Paths of the next steps of every series, `(series, paths, horizon)`, by `draw_paths`.

    Args:
        model: the fitted model.
        table: the series.
        horizon: how many steps; the trained horizon unless given.
        num_paths: of each series.
        future: a frame or file of the known covariates, where the model reads any.
        seed: of what draws.
    """
    steps = read_future(table, model.horizon if horizon is None else horizon, future, model.columns)
    return draw_paths(model, extended(table, steps), steps.times.shape[1], num_paths, np.random.default_rng(seed))


def draw_paths(
    model: ForecastingModel, table: SeriesTable, horizon: int, num_paths: int, rng: np.random.Generator
) -> np.ndarray:
    """Paths of the last `horizon` steps of every series, whose values are not read.

    Each path draws probabilities u with the dependence that held-out windows showed (a Gaussian copula), and takes the
    forecast's quantiles at them. Past the model's own horizon it reads what it has drawn so far and forecasts again,
    so that uncertainty grows as it would.

    Args:
        model: the fitted model.
        table: the series with the steps to forecast at their ends, as `seqtag.data.time_series.future.extended`
            gives them.
        horizon: how many those are.
        num_paths: of each series.
        rng: what draws.

    Returns:
        `(series, paths, horizon)`.
    """
    dependence = model.corrections.dependence or INDEPENDENT
    u = dependence.sample(len(table), horizon, num_paths, rng)
    drawn = np.empty(u.shape)
    first = min(model.horizon, horizon)
    quantiles = model.answers(table, _windows(model, table, horizon)).quantiles[:, :first]
    drawn[..., :first] = values_at(u[..., :first], quantiles[:, None], model.levels)
    if first == horizon:
        return drawn
    each = some_series(table, np.repeat(np.arange(len(table)), num_paths))
    for start in range(first, horizon, model.horizon):
        steps = slice(start, min(start + model.horizon, horizon))
        each = with_values(each, horizon, drawn[..., :start].reshape(-1, start))
        quantiles = model.answers(each, _windows(model, each, horizon - start)).quantiles
        quantiles = quantiles.reshape(len(table), num_paths, model.horizon, -1)[:, :, : steps.stop - start]
        drawn[..., steps] = values_at(u[..., steps], quantiles, model.levels)
    return drawn


def with_values(table: SeriesTable, horizon: int, values: np.ndarray) -> SeriesTable:
    """The table with values `(series, steps)` in the first of the last `horizon` steps of each series."""
    steps = table.offsets[1:, None] - horizon + np.arange(values.shape[1])
    filled = table.values.copy()
    filled[steps] = values
    return dataclasses.replace(table, values=filled)


def _windows(model: ForecastingModel, table: SeriesTable, left: int) -> Windows:
    """One window a series, whose future begins `left` steps before the series' end; it may reach past it."""
    ends = table.offsets[1:] - left
    return Windows(np.arange(len(table)), ends, table.offsets[:-1].copy(), model.lookback, model.horizon)
