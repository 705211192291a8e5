"""Sample paths: forecasts drawn step by step with the dependence between steps, as far ahead as one likes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from seqtag.data.series.slicing import select_series, slice_steps
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.calibration.quantile_function import values_at
from seqtag.forecasting.data.future import append_future, read_future, unknown_future
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.model import ForecastingModel

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
    return draw_paths(model, append_future(table, steps), steps.times.shape[1], num_paths, np.random.default_rng(seed))


def draw_paths(
    model: ForecastingModel, table: SeriesTable, horizon: int, num_paths: int, rng: np.random.Generator
) -> np.ndarray:
    """Paths of the last `horizon` steps of every series, whose values are not read.

    Each path draws probabilities u with the dependence that held-out windows showed (a Gaussian copula), and takes the
    forecast's quantiles at them. Past the model's own horizon it reads what it has drawn so far and forecasts again,
    so that uncertainty grows as it would.

    Args:
        model: the fitted model.
        table: the series with the steps to forecast at their ends, as
            `seqtag.forecasting.data.future.append_future` gives it.
        horizon: how many those are.
        num_paths: of each series.
        rng: what draws.

    Returns:
        `(series, paths, horizon)`.
    """
    dependence = model.corrections.dependence or INDEPENDENT
    table, total = pad_to_whole_horizons(model, table, horizon)
    u = dependence.sample(len(table), horizon, num_paths, rng)
    quantiles = model.answers(table, last_windows(model, table, total)).quantiles[:, :horizon]
    first = quantiles.shape[1]
    drawn = np.empty(u.shape)
    drawn[..., :first] = values_at(u[..., :first], quantiles[:, None], model.levels)
    if first == horizon:
        return drawn
    # No path reads more than the newest steps: copied for each of them, those are enough.
    kept = np.minimum(table.lengths, total + model.lookback)
    newest = slice_steps(table, table.lengths - kept, table.lengths)
    each = select_series(newest, np.repeat(np.arange(len(table)), num_paths))
    for start in range(first, horizon, model.horizon):
        steps = slice(start, min(start + model.horizon, horizon))
        each = with_values(each, total, drawn[..., :start].reshape(-1, start))
        quantiles = model.answers(each, last_windows(model, each, total - start)).quantiles
        quantiles = quantiles.reshape(len(table), num_paths, model.horizon, -1)[:, :, : steps.stop - start]
        drawn[..., steps] = values_at(u[..., steps], quantiles, model.levels)
    return drawn


def pad_to_whole_horizons(model: ForecastingModel, table: SeriesTable, horizon: int) -> tuple[SeriesTable, int]:
    """The table with steps after the last `horizon` ones, up to whole horizons of the model, and how many these are.

    A window's future then never ends before its horizon, whose calendar the model may read.
    """
    spare = -horizon % model.horizon
    return append_future(table, unknown_future(table, spare)) if spare else table, horizon + spare


def with_values(table: SeriesTable, horizon: int, values: np.ndarray) -> SeriesTable:
    """The table with values `(series, steps)` in the first of the last `horizon` steps of each series."""
    steps = table.offsets[1:, None] - horizon + np.arange(values.shape[1])
    filled = table.values.copy()
    filled[steps] = values
    return dataclasses.replace(table, values=filled)


def last_windows(model: ForecastingModel, table: SeriesTable, left: int) -> Windows:
    """One window a series, whose future begins `left` steps before the series' end."""
    ends = table.offsets[1:] - left
    return Windows(np.arange(len(table)), ends, table.offsets[:-1].copy(), model.lookback, model.horizon)
