"""How forecasts of series have gone wrong together in the past: what a total's width depends on.

The fitted model forecasts the newest windows of each series again, one horizon apart. The probabilities u of their
values under these forecasts are turned into normal scores, as for the dependence between steps
(`seqtag.forecasting.calibration.dependence`). The correlation r of the scores of two series at the same time, shrunk by
`shrunk_correlation`, says how far their forecasts go wrong together. The scores of sample paths then have the
correlation r[i, j] c[l] between step k of series i and step k + l of series j, where c is the correlation between
steps: a Gaussian copula that leaves the distribution of the paths of each single series alone.

It is assumed that this correlation is the same at all steps and times. Most of the windows are steps that the model was
fitted on: its errors there are smaller than those to come, and correlated alike as far as it fits all series as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.calibration.dependence import INDEPENDENT, OUTERMOST
from seqtag.forecasting.calibration.quantile_function import probabilities
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.hierarchy.reconciliation import shrunk_correlation
from seqtag.forecasting.model import ForecastingModel

# The most windows of each series.
ORIGINS = 30


class Past(NamedTuple):
    """Past forecasts of series, all made at the same times, the newest first; 0 where a value was missing.

    Attributes:
        errors: value less point forecast, `(origins, horizon, series)`.
        scores: normal scores of the values, of the same shape.
    """

    errors: np.ndarray
    scores: np.ndarray


def past_forecasts(model: ForecastingModel, table: SeriesTable) -> Past:
    """Forecasts the newest windows that end at the same times, as many as there are with half a lookback of history.

    Args:
        model: the fitted model.
        table: the series up to their last values.
    """
    horizon = model.horizon
    end = (table.ordinals + table.lengths).min()
    known = end - horizon * np.arange(1, ORIGINS + 1) - table.ordinals[:, None]
    series, number = np.nonzero(known >= (model.lookback + 1) // 2)
    first = table.offsets[series]
    windows = Windows(series, first + known[series, number], first, model.lookback, horizon)
    usable = model.whole(windows).history_has(table.observed)
    windows, number = windows.take(usable), number[usable]
    shape = (int(number.max(initial=-1)) + 1, len(table), horizon)
    errors, scores = np.zeros(shape), np.zeros(shape)
    if len(windows):
        point, quantiles, _ = model.outputs(table, windows)
        values = windows.future(table.values)
        u = probabilities(values, quantiles, model.levels, model.by_score)
        errors[number, windows.series] = np.nan_to_num(values - model.bounds.moved(point))
        scores[number, windows.series] = np.nan_to_num(ndtri(np.clip(u, OUTERMOST, 1 - OUTERMOST)))
    return Past(np.moveaxis(errors, 1, 2), np.moveaxis(scores, 1, 2))


def correlation_of(model: ForecastingModel, past: np.ndarray) -> np.ndarray:
    """The correlation between series, `(series, series)`, from past errors or scores `(origins, horizon, series)`.

    Steps of one window depend on each other. The dependence between steps is taken out first, so that a window does not
    count as many times as it has steps.
    """
    origins, horizon, series = past.shape
    root = np.linalg.cholesky((model.corrections.dependence or INDEPENDENT).matrix(horizon))
    apart = np.linalg.solve(root, np.moveaxis(past, 1, 0).reshape(horizon, -1)).reshape(horizon, origins, series)
    return shrunk_correlation(apart.reshape(-1, series))


def error_covariance(model: ForecastingModel, past: Past) -> np.ndarray:
    """The covariance of past errors, `(series, series)`, its correlation shrunk."""
    deviation = np.sqrt((past.errors**2).mean(axis=(0, 1)))
    return correlation_of(model, past.errors) * np.outer(deviation, deviation)
