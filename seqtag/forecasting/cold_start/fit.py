"""Fits the pool of training series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from seqtag.data.series.ids import OBJECT
from seqtag.data.series.slicing import first_steps
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.calibration.dependence import fit_dependence
from seqtag.forecasting.calibration.quantile_function import probabilities
from seqtag.forecasting.cold_start.pool import ANY, Pool, Seen
from seqtag.forecasting.data.moments import training_moments
from seqtag.forecasting.data.windows import Windows, subsample
from seqtag.forecasting.evaluation.metrics import central_intervals, coverage, pinball
from seqtag.forecasting.model import ForecastingModel

# The series that a group of its own needs.
LEAST_SERIES = 10
# The steps that stand for all of a table's: enough for every quantile, and sorted in milliseconds.
MOST_STEPS = 20_000
# Those of them by which the dependence between steps is told.
MOST_FUTURES = 2_000
# The pairs of values that a number of steps needs for changes of its own.
LEAST_PAIRS = 20
# The most values of a window that the pool answers.
MOST_VALUES = 2
_GOLDEN = (5**0.5 - 1) / 2
# Windows by which the number of values is chosen that the network needs.
MOST_WINDOWS = 512
SHORTFALL = 0.05


def fit_pool(
    model: ForecastingModel, table: SeriesTable, held_out: Windows, relative: bool, answers: bool = True
) -> Pool:
    """The pool of the series of a table, for a model without one.

    The network answers for one value, or for two, where it is better than the pool on held-out windows of which it
    reads no more, under names that it does not know, and its intervals hold: so it is where training had many windows
    like that. No window
    says how good an answer without any value is, and that is always the pool's. A model of standardised series has no
    other answer for a new one.

    Args:
        model: the fitted model, with its corrections.
        table: the series.
        held_out: windows that the model was not fitted on.
        relative: whether changes are read as ratios too: all values are above zero, and move beside their level.
        answers: whether the model has an answer for a new series; not where it reads standardised ones.
    """
    # A series' first step is all that its static covariates need.
    codes = model.encoder.encode(first_steps(table, np.ones(len(table), np.int64))).static_codes
    pool = pool_of(table, codes, model.horizon, model.levels, relative, MOST_VALUES + 1)
    windows = subsample(held_out, MOST_WINDOWS)
    if not answers:
        return pool
    for count in range(1, MOST_VALUES + 1):
        if network_is_better(model, pool, table, codes, newest_alone(table, windows, count)):
            return replace(pool, enough=count)
    return pool


def newest_alone(table: SeriesTable, windows: Windows, count: int) -> Windows:
    """The windows from their newest values on, so many; those that have fewer are left out."""
    steps = np.flatnonzero(table.observed)
    place = np.searchsorted(steps, windows.ends) - count
    first = steps[np.maximum(place, 0)]
    has = (place >= 0) & (first >= windows.first) & (windows.ends - first <= windows.lookback)
    return replace(windows, first=first).take(has)


def network_is_better(
    model: ForecastingModel,
    pool: Pool,
    table: SeriesTable,
    static_codes: np.ndarray,
    windows: Windows,
) -> bool:
    """Whether the network's quantile loss is below the pool's, and its widest interval covers what it promises.

    Losses are in units of each series' deviation. A window of two values gives most networks too small a scale, which
    the loss alone may forgive.
    """
    deviation = training_moments(table.values, table.offsets)[:, 1]
    windows = windows.take(deviation[windows.series] > 0)
    if not len(windows):
        return False
    renamed = replace(table, ids=np.array([f"{name}\0" for name in table.ids], object), id_dtype=OBJECT)
    output = model.outputs(renamed, windows)
    codes = tf.constant(static_codes[windows.series])
    answer = pool.apply(output, Seen.of(tf.constant(windows.history(table.values))), codes, model.lookback)
    target, unit = windows.future(table.values), deviation[windows.series]
    losses = [pinball(target, np.asarray(found.quantiles), model.levels) for found in (output, answer)]
    network, pooled = (float(np.nanmean(loss / unit[:, None])) for loss in losses)
    return network < pooled and covers(target, np.asarray(output.quantiles), model.levels)


def covers(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> bool:
    """Whether the widest central interval has at most 5% less of the targets in it than it promises."""
    for nominal, (low, high) in central_intervals(levels).items():
        return coverage(target, quantiles[..., low], quantiles[..., high]) >= nominal - SHORTFALL
    return True


def pool_of(
    table: SeriesTable, static_codes: np.ndarray, horizon: int, levels: Sequence[float], relative: bool, enough: int
) -> Pool:
    """The pool of a table's series.

    Where there are more than 20,000 steps, so many are drawn on, at even distances within each series. A number of
    steps over which fewer than 20 pairs of values lie takes the changes over one step less.

    Args:
        table: the series.
        static_codes: int `(series, columns)`, their categorical static covariates.
        horizon: steps of a forecast.
        levels: of the quantiles.
        relative: whether changes are read as ratios too: all values are above zero, and move beside their level.
        enough: see `Pool`.
    """
    steps = _even_steps(table)
    series = table.series_of_step[steps]
    ahead = steps[:, None] + np.arange(1, horizon + 1)
    inside = ahead < table.offsets[1:][series][:, None]
    later = np.where(inside, table.values[np.minimum(ahead, len(table.values) - 1)], np.nan)
    now = table.values[steps]
    keys = np.array(list(_keys(static_codes)), np.int32)
    fits = ((keys[:, None] == ANY) | (keys[:, None] == static_codes[None])).all(axis=-1)
    values = np.array([weighted_quantiles(now[of[series]], series[of[series]], levels) for of in fits])
    changes = _quantiles_of_changes(later - now[:, None], series, levels)
    ratios = logs = None
    if relative:
        logs = np.log(later / now[:, None])
        ratios = _quantiles_of_changes(logs, series, levels)
    moved, by_lag = (later - now[:, None], changes) if logs is None or ratios is None else (logs, ratios)
    some = slice(None, None, len(later) // MOST_FUTURES + 1)
    return Pool(
        levels=tuple(levels),
        keys=keys,
        values=values,
        changes=changes,
        ratios=ratios,
        enough=enough,
        between_values=fit_dependence(probabilities(later[some], values[-1], levels)),
        between_changes=fit_dependence(probabilities(moved[some], by_lag, levels)),
    )


def weighted_quantiles(values: np.ndarray, series: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles of values in which every series weighs the same, however many values it has.

    Example:
        >>> weighted_quantiles(np.array([0.0, 0.0, 0.0, 8.0]), np.array([0, 0, 0, 1]), (0.4, 0.75)).tolist()
        [0.0, 8.0]
    """
    weights = 1.0 / np.bincount(series)[series]
    order = np.argsort(values, kind="stable")
    # A value stands for the levels around the middle of its weight.
    reached = np.cumsum(weights[order])
    return np.interp(levels, (reached - weights[order] / 2) / reached[-1], values[order])


def _even_steps(table: SeriesTable) -> np.ndarray:
    """Steps that have a value, at most some 20,000: as many of each series as an equal share allows."""
    steps = np.flatnonzero(table.observed)
    counts = np.bincount(table.series_of_step[steps], minlength=len(table))
    taken = np.minimum(counts, max(MOST_STEPS // len(table), 1))
    series = np.repeat(np.arange(len(table)), taken)
    number = np.arange(len(series)) - np.r_[0, np.cumsum(taken)][series]
    # Each of a series' even parts gives the step at one place of it, early in some series and late in others.
    place = ((number + series * _GOLDEN % 1) * counts[series] / taken[series]).astype(np.int64)
    return steps[np.r_[0, np.cumsum(counts)][series] + place]


def _keys(static_codes: np.ndarray) -> Iterator[tuple[int, ...]]:
    """The groups: combinations of all columns, then each column alone, then all series."""
    columns = static_codes.shape[1]
    if columns > 1:
        yield from _common(static_codes)
    for column in range(columns):
        for (code,) in _common(static_codes[:, [column]]):
            yield tuple(code if n == column else ANY for n in range(columns))
    yield (ANY,) * columns


def _common(codes: np.ndarray) -> Iterator[tuple[int, ...]]:
    found, counts = np.unique(codes, axis=0, return_counts=True)
    for key, count in zip(found.tolist(), counts, strict=True):
        if count >= LEAST_SERIES:
            yield tuple(key)


def _quantiles_of_changes(changes: np.ndarray, series: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles `(horizon, levels)` of changes `(steps, horizon)`, NaN where there is no pair of values."""
    found = np.zeros((changes.shape[1], len(levels)))
    for lag, column in enumerate(changes.T):
        there = ~np.isnan(column)
        if there.sum() >= LEAST_PAIRS or (there.any() and not lag):
            found[lag] = weighted_quantiles(column[there], series[there], levels)
        elif lag:
            found[lag] = found[lag - 1]
    return found
