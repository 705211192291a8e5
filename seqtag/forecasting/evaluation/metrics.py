"""Metrics of forecasts, as functions of arrays: rows are series or windows of series, columns are horizon steps.

A NaN target is a missing value, which does not count. A metric without values to count is NaN, never infinite. The
metrics that are relative to the size of a row (MASE, RMSSE, sMAPE) are computed for each row and averaged over the
rows, as in the M competitions; the others pool all observed values.

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
    """The numbers that errors are divided by, one for each row; NaN where there is none.

    Attributes:
        mean: for MASE, the mean absolute seasonal difference of the history.
        rms: for RMSSE, the root mean square of the same differences.
    """

    mean: np.ndarray
    rms: np.ndarray


def scales(histories: Histories, season_lengths: int | Sequence[int]) -> Scales:
    """The size of seasonal naive's errors in each history: ``y[t] - y[t - season_length]`` over observed pairs.

    It is NaN for a history without such a pair, and for one in which all differences are zero up to rounding, such as a
    constant one. `mase` and `rmsse` leave such a row out, and a report counts it.

    Args:
        histories: the known values of each row before its first step, oldest first, NaN where missing.
        season_lengths: the season length in steps, one for all rows or one for each.
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
        target: `(rows, steps)`, NaN where missing.
        point: forecasts, of the same shape.
        scale: `(rows,)`, `Scales.mean`; rows where it is NaN are left out.
    """
    return _average(_row_means(np.abs(target - point)) / scale)


def rmsse(target: np.ndarray, point: np.ndarray, scale: np.ndarray) -> float:
    """Root mean squared scaled error (M5): mean over rows of ``sqrt(mean((y - f)^2)) / scale``.

    Args:
        target: `(rows, steps)`, NaN where missing.
        point: forecasts, of the same shape.
        scale: `(rows,)`, `Scales.rms` (M5 uses a season length of 1); rows where it is NaN are left out.
    """
    return _average(np.sqrt(_row_means((target - point) ** 2)) / scale)


def smape(target: np.ndarray, point: np.ndarray) -> float:
    """Symmetric mean absolute percentage error, 0 to 200: mean over rows of mean ``200 |y - f| / (|y| + |f|)``.

    Where target and forecast are both zero, the term is zero.

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
    """Pinball loss ``max(a (y - q), (a - 1)(y - q))`` of each value, averaged over the levels a.

    Args:
        target: `(rows, steps)`, NaN where missing.
        quantiles: `(rows, steps, levels)`.
        levels: the levels of the quantiles, in the same order.

    Returns:
        `(rows, steps)`, NaN where the target is missing or there is no level.
    """
    total = np.zeros(target.shape)
    # One level at a time: an array of all levels would be as large as the quantiles.
    for column, level in enumerate(levels):
        error = target - quantiles[..., column]
        total += np.maximum(level * error, (level - 1) * error)
    return total / len(levels) if len(levels) else np.full(target.shape, np.nan)


def wql(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """Weighted quantile loss, averaged over the levels: ``2 x sum of pinball / sum of |y|``; NaN if that sum is 0.

    Arguments as for `pinball`.

    >>> wql(np.array([[4.0]]), np.array([[[3.0, 6.0]]]), levels=(0.1, 0.5))  # 2 (0.1 + 1.0) / 4, halved
    0.275
    """
    size = np.nansum(np.abs(target))
    return float(2 * np.nansum(pinball(target, quantiles, levels)) / size) if len(levels) and size else float("nan")


def scaled_quantile_loss(
    target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float], scale: np.ndarray
) -> float:
    """Mean over rows of mean ``2 x pinball / scale``: MASE where 0.5 is the only level, as in the M5 competition.

    Args:
        target: `(rows, steps)`, NaN where missing.
        quantiles: `(rows, steps, levels)`.
        levels: the levels of the quantiles, in the same order.
        scale: `(rows,)`, `Scales.mean`; rows where it is NaN are left out.

    >>> scaled_quantile_loss(np.array([[4.0]]), np.array([[[3.0, 6.0]]]), (0.1, 0.5), np.array([2.0]))
    0.55
    """
    return _average(2 * _row_means(pinball(target, quantiles, levels)) / scale)


def crps(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """Continuous ranked probability score from quantiles, in units of the target: mean of ``2 x pinball``.

    CRPS is the integral of twice the pinball loss over all levels. The mean over given levels approximates it where
    these are evenly spaced in (0, 1), such as 0.1 to 0.9 (Gneiting and Ranjan 2011). With the level 0.5 alone it is the
    absolute error. Arguments as for `pinball`.
    """
    return 2 * _average(pinball(target, quantiles, levels))


def coverage(target: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """The share of observed values in the interval, including its ends.

    >>> coverage(np.array([[1.0, 2.0, np.nan]]), np.array([[1.0, 3.0, 0.0]]), np.array([[2.0, 4.0, 1.0]]))
    0.5
    """
    inside = (target >= lower) & (target <= upper)
    return _average(np.where(np.isnan(target), np.nan, inside))


def central_intervals(levels: Sequence[float]) -> dict[float, tuple[int, int]]:
    """The central intervals between quantiles, widest first: from the nominal coverage to the columns of both ends.

    >>> central_intervals((0.05, 0.1, 0.5, 0.9))
    {0.8: (1, 3)}
    """
    columns = {round(level, 9): column for column, level in enumerate(levels)}
    lows = [low for low in sorted(columns) if low < 0.5 and round(1 - low, 9) in columns]
    return {round(1 - 2 * low, 9): (columns[low], columns[round(1 - low, 9)]) for low in lows}


def owa(smape: float, mase: float, reference_smape: float, reference_mase: float) -> float:
    """Overall weighted average of M4: the mean of the ratios of sMAPE and MASE to those of a reference (M4: Naive2).

    All four figures are averages over all series. An average of the ratios of single series is another number.

    >>> owa(smape=10.0, mase=1.5, reference_smape=20.0, reference_mase=2.0)
    0.625
    """
    ratios = [_ratio(smape, reference_smape), _ratio(mase, reference_mase)]
    return sum(ratios) / 2


def skill(error: float, reference: float) -> float:
    """Skill score, the relative gain over a reference: ``1 - error / reference``; negative if that one is better.

    >>> skill(0.75, reference=1.0)
    0.25
    """
    return 1 - _ratio(error, reference)


def _ratio(value: float, reference: float) -> float:
    return value / reference if reference else float("nan")


def _row_means(values: np.ndarray) -> np.ndarray:
    """The mean of each row without NaN; NaN for a row of NaN."""
    count = np.sum(~np.isnan(values), axis=1)
    return np.where(count, np.nansum(values, axis=1), np.nan) / np.maximum(count, 1)


def _average(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
