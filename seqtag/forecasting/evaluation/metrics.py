"""Metrics of forecasts, each a function of arrays: rows are series, or windows of series, and columns horizon steps.

A NaN target is a missing value: it counts in no sum and in no number of terms. What has nothing to count is NaN,
never infinite. The metrics that compare with the row's own size (MASE, RMSSE, sMAPE) are taken per row and then
averaged over the rows, as the M competitions do; the others pool all observed values.

>>> target, point = np.array([[3.0, 5.0, np.nan]]), np.array([[2.0, 7.0, 9.0]])
>>> mae(target, point), mse(target, point)
(1.5, 2.5)
>>> float(mase(target, point, scales([[1.0, 3.0, 6.0]], season_lengths=1).mean))
0.6
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqtag.forecasting.evaluation.histories import Histories, groups, seasonal_error


class Scales(NamedTuple):
    """What errors are divided by, one figure a row, NaN where there is none.

    Attributes:
        mean: of MASE: the mean absolute seasonal difference of the history.
        rms: of RMSSE: the root mean square of the same differences.
    """

    mean: np.ndarray
    rms: np.ndarray


def scales(histories: Histories, season_lengths: int | Sequence[int]) -> Scales:
    """The size of seasonal naive's error within each history: ``y[t] - y[t - season]`` over observed pairs.

    It is NaN for a history without such a pair, and for one that repeats itself exactly, as a constant does (all
    differences zero to within rounding): no error can be told in its units, so that `mase` and `rmsse` leave the
    row out, and a report counts it.

    Args:
        histories: what was known of each row before its first step, oldest first, NaN where missing.
        season_lengths: the length of a season in steps, one for all rows or one for each.
    """
    found = Scales(np.full(len(histories), np.nan), np.full(len(histories), np.nan))
    for group in groups(histories, season_lengths):
        size = seasonal_error(group, power=1)
        largest = np.r_[np.nan, np.fmax.accumulate(np.abs(group.values))][group.lengths]
        usable = size > np.finfo(float).eps * largest
        found.mean[group.rows] = np.where(usable, size, np.nan)
        found.rms[group.rows] = np.where(usable, np.sqrt(seasonal_error(group, power=2)), np.nan)
    return found


def mase(target: np.ndarray, point: np.ndarray, scale: np.ndarray) -> float:
    """Mean absolute scaled error (Hyndman and Koehler 2006): mean over rows of mean ``|y - f| / scale``.

    Args:
        target: ``(rows, steps)``, NaN where missing.
        point: forecasts, of the same shape.
        scale: ``(rows,)``, `Scales.mean`; rows where it is NaN are left out.
    """
    return _average(_row_means(np.abs(target - point)) / scale)


def rmsse(target: np.ndarray, point: np.ndarray, scale: np.ndarray) -> float:
    """Root mean squared scaled error (M5): mean over rows of ``sqrt(mean((y - f)^2)) / scale``.

    Args:
        target: ``(rows, steps)``, NaN where missing.
        point: forecasts, of the same shape.
        scale: ``(rows,)``, `Scales.rms` (with M5's own season of 1, or another); rows where it is NaN are left out.
    """
    return _average(np.sqrt(_row_means((target - point) ** 2)) / scale)


def smape(target: np.ndarray, point: np.ndarray) -> float:
    """Symmetric mean absolute percentage error, 0 to 200: mean over rows of mean ``200 |y - f| / (|y| + |f|)``.

    Where target and forecast are both zero the forecast is right, and the term is zero.

    >>> smape(np.array([[1.0, 0.0]]), np.array([[3.0, 0.0]]))
    50.0
    """
    size = np.abs(target) + np.abs(point)
    return _average(_row_means(200 * np.abs(target - point) / np.where(size == 0, 1.0, size)))


def mae(target: np.ndarray, point: np.ndarray) -> float:
    """Mean absolute error over all observed values."""
    return _average(np.abs(target - point))


def mse(target: np.ndarray, point: np.ndarray) -> float:
    """Mean squared error over all observed values."""
    return _average((target - point) ** 2)


def rmse(target: np.ndarray, point: np.ndarray) -> float:
    """Root of the mean squared error over all observed values."""
    return float(np.sqrt(mse(target, point)))


def pinball(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Pinball loss ``max(a (y - q), (a - 1)(y - q))`` of each value, as the mean over the levels a.

    Args:
        target: ``(rows, steps)``, NaN where missing.
        quantiles: ``(rows, steps, levels)``.
        levels: of the quantiles, in the same order.

    Returns:
        ``(rows, steps)``, NaN where the target is missing or there is no level.
    """
    total = np.zeros(target.shape)
    for column, level in enumerate(levels):  # one level at a time: the whole would be as large as the quantiles
        error = target - quantiles[..., column]
        total += np.maximum(level * error, (level - 1) * error)
    return total / len(levels) if len(levels) else np.full(target.shape, np.nan)


def wql(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """Weighted quantile loss: ``2 x sum of pinball / sum of |y|``, mean over the levels; NaN where the sum is zero.

    Arguments as of `pinball`.

    >>> wql(np.array([[4.0]]), np.array([[[3.0, 6.0]]]), levels=(0.1, 0.5))  # 2 (0.1 + 1.0) / 4, halved
    0.275
    """
    size = np.nansum(np.abs(target))
    return float(2 * np.nansum(pinball(target, quantiles, levels)) / size) if len(levels) and size else float("nan")


def crps(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """Continuous ranked probability score from quantiles, in units of the target: mean of ``2 x pinball``.

    CRPS is the integral of twice the pinball loss over all levels; the mean over the given ones approaches it as they
    fill (0, 1) evenly, as .1 to .9 do (Gneiting and Ranjan 2011). One level of .5 gives the absolute error.
    Arguments as of `pinball`.
    """
    return 2 * _average(pinball(target, quantiles, levels))


def coverage(target: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """The share of observed values within the interval, its ends included.

    >>> coverage(np.array([[1.0, 2.0, np.nan]]), np.array([[1.0, 3.0, 0.0]]), np.array([[2.0, 4.0, 1.0]]))
    0.5
    """
    inside = (target >= lower) & (target <= upper)
    return _average(np.where(np.isnan(target), np.nan, inside))


def central_intervals(levels: Sequence[float]) -> dict[float, tuple[int, int]]:
    """The central intervals that quantiles enclose, widest first: nominal coverage to the columns of both ends.

    >>> central_intervals((0.05, 0.1, 0.5, 0.9))
    {0.8: (1, 3)}
    """
    columns = {round(level, 9): column for column, level in enumerate(levels)}
    lows = [low for low in sorted(columns) if low < 0.5 and round(1 - low, 9) in columns]
    return {round(1 - 2 * low, 9): (columns[low], columns[round(1 - low, 9)]) for low in lows}


def owa(smape: float, mase: float, reference_smape: float, reference_mase: float) -> float:
    """Overall weighted average of M4: the mean of both ratios to a reference's figures (M4's own is Naive2).

    All four are averages over all series already, so that each is divided once; averaging ratios of single series
    is another number.

    >>> owa(smape=10.0, mase=1.5, reference_smape=20.0, reference_mase=2.0)
    0.625
    """
    ratios = [_ratio(smape, reference_smape), _ratio(mase, reference_mase)]
    return sum(ratios) / 2


def skill(error: float, reference: float) -> float:
    """How much of a reference's error is gone: ``1 - error / reference``; below zero where the reference is better.

    >>> skill(0.75, reference=1.0)
    0.25
    """
    return 1 - _ratio(error, reference)


def _ratio(value: float, reference: float) -> float:
    return value / reference if reference else float("nan")


def _row_means(values: np.ndarray) -> np.ndarray:
    """Mean of each row over what is no NaN; NaN for a row that has nothing else."""
    count = np.sum(~np.isnan(values), axis=1)
    return np.where(count, np.nansum(values, axis=1), np.nan) / np.maximum(count, 1)


def _average(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
