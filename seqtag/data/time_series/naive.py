"""The naive rules that every forecast is set beside: seasonal naive, naive, drift and mean.

Each takes the histories of many series, oldest value first and NaN where one is missing, and returns
``(series, horizon)``. A missing value is passed over, never filled in: each rule says below what it reads instead.
Hyndman and Athanasopoulos, Forecasting: principles and practice, sections 5.2 and 5.5.

>>> seasonal_naive([[1.0, 2.0, 3.0, 4.0, float("nan")]], horizon=4, seasons=2)
array([[4., 3., 4., 3.]])
>>> naive([[1.0, 2.0, float("nan")]], horizon=2)
array([[2., 2.]])
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from seqtag.errors import DataError

Histories = Sequence[Sequence[float] | np.ndarray]


def naive(histories: Histories, horizon: int) -> np.ndarray:
    """The last observed value, for every step.

    Args:
        histories: the known values of each series, oldest first, NaN where one is missing; lengths may differ.
        horizon: how many steps to forecast.

    Returns:
        forecasts, ``(series, horizon)``.

    Raises:
        DataError: a history without an observed value, or with an infinite one.
        ValueError: a horizon below 1, or a history of other than one dimension.
    """
    return _by_row(histories, horizon, lambda history: np.full(horizon, _observed(history)[-1]))


def mean(histories: Histories, horizon: int) -> np.ndarray:
    """The mean of the observed values, for every step; arguments, result and errors as of `naive`."""
    return _by_row(histories, horizon, lambda history: np.full(horizon, _observed(history).mean()))


def drift(histories: Histories, horizon: int) -> np.ndarray:
    """The line through the first and the last observed value, carried on; arguments, result and errors as of `naive`.

    Missing values keep their place in time: after a gap at the end, the first step lies further along the line.
    With a single observed value the line is flat.

    >>> drift([[1.0, float("nan"), 5.0, float("nan")]], horizon=2)
    array([[ 9., 11.]])
    """

    def rule(history: np.ndarray) -> np.ndarray:
        times = np.flatnonzero(~np.isnan(history))
        first, last = times[0], times[-1]
        slope = (history[last] - history[first]) / max(last - first, 1)
        return history[last] + slope * (len(history) - last + np.arange(horizon))

    return _by_row(histories, horizon, rule)


def seasonal_naive(histories: Histories, horizon: int, seasons: int | Sequence[int]) -> np.ndarray:
    """The last observed value at the same place in the season.

    Where no value was observed at that place (a history shorter than its season, or a place that is always missing)
    it is the last observed value of all. A season of 1 is `naive`.

    Args:
        histories: the known values of each series, oldest first, NaN where one is missing; lengths may differ.
        horizon: how many steps to forecast.
        seasons: the length of a season in steps, one for all series or one for each.

    Returns:
        forecasts, ``(series, horizon)``.

    Raises:
        DataError: a history without an observed value, or with an infinite one.
        ValueError: a horizon or season below 1, or a history of other than one dimension.
    """
    lengths = iter(seasons_of(seasons, len(histories)))

    def rule(history: np.ndarray) -> np.ndarray:
        season = next(lengths)
        # The last row ends with the history, so that step k falls into column k modulo the season.
        table = np.pad(history, (-len(history) % season, 0), constant_values=np.nan).reshape(-1, season)
        newest_first = ~np.isnan(table[::-1])
        last = table[len(table) - 1 - newest_first.argmax(axis=0), np.arange(season)]
        last = np.where(newest_first.any(axis=0), last, _observed(history)[-1])
        return last[np.arange(horizon) % season]

    return _by_row(histories, horizon, rule)


def seasonal_naive_quantiles(
    histories: Histories, horizon: int, seasons: int | Sequence[int], levels: Sequence[float]
) -> np.ndarray:
    """Quantiles around `seasonal_naive`, of a normal distribution as wide as its errors in the history.

    ``y_hat[k] + z(level) * s * sqrt(K)``, where s is the root mean square of the `seasonal_differences` and K counts
    the seasons that step k reaches ahead, 1 within the first. A history too short for a difference shows no error to
    judge by: all its quantiles lie on the forecast.

    Args:
        histories: the known values of each series, oldest first, NaN where one is missing; lengths may differ.
        horizon: how many steps to forecast.
        seasons: the length of a season in steps, one for all series or one for each.
        levels: of the quantiles, each between 0 and 1.

    Returns:
        quantiles, ``(series, horizon, levels)``.

    Raises:
        DataError: a history without an observed value, or with an infinite one.
        ValueError: as of `seasonal_naive`, or a level outside (0, 1).
    """
    for level in levels:
        if not 0 < level < 1:
            raise ValueError(f"expected levels between 0 and 1, found {level}")
    middle = seasonal_naive(histories, horizon, seasons)
    lengths = seasons_of(seasons, len(histories))
    spread = np.array([_spread(history, season) for history, season in zip(histories, lengths, strict=True)])
    ahead = np.arange(horizon) // np.array(lengths, dtype=int).reshape(-1, 1) + 1
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    return middle[..., None] + (spread[:, None] * np.sqrt(ahead))[..., None] * normal


def seasonal_differences(history: Sequence[float] | np.ndarray, season: int) -> np.ndarray:
    """``y[t] - y[t - season]`` over the pairs of which both values are observed; empty where there is none.

    >>> seasonal_differences([1.0, 2.0, float("nan"), 5.0, 4.0], season=2)
    array([3.])
    """
    values = np.asarray(history, dtype=float)
    differences = values[season:] - values[: max(len(values) - season, 0)]
    return differences[~np.isnan(differences)]


def seasons_of(seasons: int | Sequence[int], series: int) -> list[int]:
    """The season of each series, from one for all or one for each.

    >>> seasons_of(12, series=2)
    [12, 12]

    Raises:
        ValueError: a season below 1, or not one for each series.
        TypeError: a season that is no whole number.
    """
    each = [seasons] * series if isinstance(seasons, int | np.integer) else list(seasons)
    if len(each) != series:
        raise ValueError(f"expected one season or one for each of {series} series, found {len(each)}")
    for season in each:
        if operator.index(season) < 1:
            raise ValueError(f"expected seasons of at least 1, found {season}")
    return [operator.index(season) for season in each]


def _spread(history: Sequence[float] | np.ndarray, season: int) -> float:
    errors = seasonal_differences(history, season)
    return float(np.sqrt(np.mean(errors**2))) if errors.size else 0.0


def _by_row(histories: Histories, horizon: int, rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    if operator.index(horizon) < 1:
        raise ValueError(f"expected a horizon of at least 1, found {horizon}")
    rows = [rule(_checked(history, row)) for row, history in enumerate(histories)]
    return np.array(rows).reshape(-1, horizon)


def _checked(history: Sequence[float] | np.ndarray, row: int) -> np.ndarray:
    values = np.asarray(history, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"expected histories of one dimension, found {values.ndim} in history {row}")
    if np.isinf(values).any():
        raise DataError(f"expected finite or missing values in history {row}, found {values[np.isinf(values)][0]}")
    if np.isnan(values).all():
        raise DataError(f"expected an observed value in history {row}, found none of {len(values)}")
    return values


def _observed(history: np.ndarray) -> np.ndarray:
    return history[~np.isnan(history)]
