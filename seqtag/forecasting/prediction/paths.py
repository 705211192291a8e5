"""Sample paths: random draws of the future with the dependence between steps, for any number of steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqtag.data.series.slicing import select_series, slice_steps
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.calibration.dependence import INDEPENDENT, StepDependence
from seqtag.forecasting.calibration.quantile_function import values_at
from seqtag.forecasting.data.future import append_future, read_future, unknown_future
from seqtag.forecasting.data.series_order import generator_of
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.model import ForecastingModel


def sample_paths(
    model: ForecastingModel,
    table: SeriesTable,
    horizon: int | None = None,
    num_paths: int = 100,
    future: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Sample paths of the next steps of every series, `(series, paths, horizon)`; see `draw_paths`.

    Args:
        model: the fitted model.
        table: the series.
        horizon: the number of steps; that of the model unless given.
        num_paths: the number of paths of each series.
        future: a frame or file of the known covariates, if the model reads any.
        seed: the seed of the draws.
    """
    steps = read_future(table, model.horizon if horizon is None else horizon, future, model.columns)
    return draw_paths(model, append_future(table, steps), steps.times.shape[1], num_paths, seed)


def draw_paths(
    model: ForecastingModel,
    table: SeriesTable,
    horizon: int,
    num_paths: int,
    seed: int,
    between: np.ndarray | None = None,
) -> np.ndarray:
    """Sample paths of the last `horizon` steps of every series, whose values are not read.

    Each path draws probabilities u with the dependence between steps of the held-out windows (a Gaussian copula), and
    takes the forecast's quantiles at them; a series that is forecast from the pool has the dependence of the pool.
    Beyond the model's horizon it appends the drawn values to its history and forecasts again, so that uncertainty
    keeps growing. Each series has a random generator of its own, which its name and the seed decide: its paths are the
    same whatever other series the table has.

    Args:
        model: the fitted model.
        table: the series with the steps to forecast at their ends, as
            `seqtag.forecasting.data.future.append_future` gives it.
        horizon: the number of these steps.
        num_paths: the number of paths of each series.
        seed: the seed of the draws.
        between: the correlation of normal scores between series, `(series, series)`, positive definite: those of two
            steps of two series have its product with the dependence between steps. None for independent series, whose
            paths do not depend on which others there are.

    Returns:
        `(series, paths, horizon)`.
    """
    table, total = pad_to_whole_horizons(model, table, horizon)
    windows = last_windows(model, table, total)
    normal = np.stack([generator_of(name, seed).standard_normal((num_paths, horizon)) for name in table.ids])
    if between is not None:
        normal = np.tensordot(np.linalg.cholesky(between), normal, axes=1)
    u = np.empty(normal.shape)
    for rows, dependence in _dependences(model, model.whole(windows).history_count(table.observed)):
        u[rows] = dependence.probabilities(normal[rows])
    quantiles = model.outputs(table, windows).quantiles[:, :horizon]
    first = quantiles.shape[1]
    drawn = np.empty(u.shape)
    drawn[..., :first] = model.bounds.moved(values_at(u[..., :first], quantiles[:, None], model.levels, model.by_score))
    if first == horizon:
        return drawn
    # A path reads only the newest steps, so only these are copied for each path; all of them where a state has.
    kept = table.lengths if model.stateful else np.minimum(table.lengths, total + model.lookback)
    newest = slice_steps(table, table.lengths - kept, table.lengths)
    copies = select_series(newest, np.repeat(np.arange(len(table)), num_paths))
    for start in range(first, horizon, model.horizon):
        steps = slice(start, min(start + model.horizon, horizon))
        copies = set_values(copies, total, drawn[..., :start].reshape(-1, start))
        quantiles = model.outputs(copies, last_windows(model, copies, total - start)).quantiles
        quantiles = quantiles.reshape(len(table), num_paths, model.horizon, -1)[:, :, : steps.stop - start]
        drawn[..., steps] = model.bounds.moved(values_at(u[..., steps], quantiles, model.levels, model.by_score))
    return drawn


def _dependences(model: ForecastingModel, count: np.ndarray) -> Iterator[tuple[np.ndarray, StepDependence]]:
    """The dependence between steps that each series has, whose window holds `count` values: rows, and theirs."""
    pool, pooled = model.pool, model.pooled(count)
    yield np.flatnonzero(~pooled), model.corrections.dependence or INDEPENDENT
    if pool is not None:
        yield np.flatnonzero(pooled & (count == 0)), pool.between_values
        yield np.flatnonzero(pooled & (count > 0)), pool.between_changes


def pad_to_whole_horizons(model: ForecastingModel, table: SeriesTable, horizon: int) -> tuple[SeriesTable, int]:
    """Appends steps so that the last `horizon` steps become a multiple of the model's horizon; returns that number too.

    The future of every window is then whole, since the model may read its calendar features.
    """
    spare = -horizon % model.horizon
    return append_future(table, unknown_future(table, spare)) if spare else table, horizon + spare


def set_values(table: SeriesTable, horizon: int, values: np.ndarray) -> SeriesTable:
    """The table with `values (series, steps)` at the first of the last `horizon` steps of each series."""
    steps = table.offsets[1:, None] - horizon + np.arange(values.shape[1])
    filled = table.values.copy()
    filled[steps] = values
    return dataclasses.replace(table, values=filled)


def last_windows(model: ForecastingModel, table: SeriesTable, left: int) -> Windows:
    """One window of each series, whose future begins `left` steps before the end of the series."""
    ends = table.offsets[1:] - left
    return Windows(np.arange(len(table)), ends, table.offsets[:-1].copy(), model.lookback, model.horizon)
