"""Baselines that every forecast is compared with: seasonal naive, naive, drift and mean (`theta` is beside them).

Each takes many histories, oldest value first and NaN where a value is missing, and returns `(rows, horizon)`. Missing
values are skipped, not imputed: each function says what it uses instead. Hyndman and Athanasopoulos, Forecasting:
principles and practice, sections 5.2 and 5.5. A series is read once for all histories that are beginnings of it, see
`seqtag.forecasting.evaluation.histories`.

>>> seasonal_naive([[1.0, 2.0, 3.0, 4.0, float("nan")]], horizon=4, season_lengths=2)
array([[4., 3., 4., 3.]])
>>> naive([[1.0, 2.0, float("nan")]], horizon=2)
array([[2., 2.]])
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from seqtag.forecasting.evaluation.histories import (
    Group,
    Histories,
    checked_groups,
    groups,
    season_lengths_of,
    seasonal_error,
)
from seqtag.forecasting.levels import checked_levels


def naive(histories: Histories, horizon: int) -> np.ndarray:
    """The last observed value, for every step.

    Args:
        histories: the known values of each row, oldest first, NaN where missing; lengths may differ.
        horizon: the number of steps to forecast.

    Returns:
        Forecasts, `(rows, horizon)`.

    Raises:
        DataError: a history has no observed value, or an infinite one.
        ValueError: a horizon below 1, or a history that is not one-dimensional.
    """
    return _by_group(histories, horizon, 1, lambda group: _last(group)[:, None])


def mean(histories: Histories, horizon: int) -> np.ndarray:
    """The mean of the observed values, for every step; arguments, result and errors as for `naive`."""

    def rule(group: Group) -> np.ndarray:
        observed = ~np.isnan(group.values)
        first = group.values[observed.argmax()]
        # Sums of what lies above a value of the series keep a small movement on a large level.
        above = np.nancumsum(group.values - first) / np.maximum(np.cumsum(observed), 1)
        return first + above[group.lengths - 1, None]

    return _by_group(histories, horizon, 1, rule)


def drift(histories: Histories, horizon: int) -> np.ndarray:
    """The line through the first and the last observed value; arguments, result and errors as for `naive`.

    Missing values keep their place in time: after a gap at the end, the first step is further along the line. With a
    single observed value the line is flat.

    >>> drift([[1.0, float("nan"), 5.0, float("nan")]], horizon=2)
    array([[ 9., 11.]])
    """

    def rule(group: Group) -> np.ndarray:
        newest, oldest = _last_seen(group.values)[group.lengths - 1], np.argmin(np.isnan(group.values))
        slope = (group.values[newest] - group.values[oldest]) / np.maximum(newest - oldest, 1)
        ahead = (group.lengths - newest)[:, None] + np.arange(horizon)
        return group.values[newest, None] + slope[:, None] * ahead

    return _by_group(histories, horizon, 1, rule)


def seasonal_naive(histories: Histories, horizon: int, season_lengths: int | Sequence[int]) -> np.ndarray:
    """The last observed value at the same place in the season.

    Where no value was observed at that place (a history shorter than a season, or a place that is always missing) it is
    the last observed value. With a season length of 1 this is `naive`.

    Args:
        histories: the known values of each row, oldest first, NaN where missing; lengths may differ.
        horizon: the number of steps to forecast.
        season_lengths: the season length in steps, one for all rows or one for each.

    Returns:
        Forecasts, `(rows, horizon)`.

    Raises:
        DataError: a history has no observed value, or an infinite one.
        ValueError: a horizon or season length below 1, or a history that is not one-dimensional.
    """

    def rule(group: Group) -> np.ndarray:
        # Step k takes the newest observed value at its place in the last season of the history.
        place = group.lengths[:, None] - group.season_length + np.arange(horizon) % group.season_length
        newest = np.where(place < 0, -1, _last_seen(group.values, group.season_length)[np.maximum(place, 0)])
        return np.where(newest < 0, _last(group)[:, None], group.values[newest])

    return _by_group(histories, horizon, season_lengths, rule)


def seasonal_naive_quantiles(
    histories: Histories, horizon: int, season_lengths: int | Sequence[int], levels: Sequence[float]
) -> np.ndarray:
    """Quantiles around `seasonal_naive`, of normal distributions with the variance of its errors in the history.

    They are ``y_hat[k] + z(level) * s * sqrt(K)``, where s is the root mean square of the seasonal differences, and K
    is the number of seasons that step k lies ahead, 1 within the first. For a history too short for a difference, all
    quantiles equal the forecast.

    Args:
        histories: the known values of each row, oldest first, NaN where missing; lengths may differ.
        horizon: the number of steps to forecast.
        season_lengths: the season length in steps, one for all rows or one for each.
        levels: the levels of the quantiles, each between 0 and 1.

    Returns:
        Quantiles, `(rows, horizon, levels)`.

    Raises:
        DataError: a history has no observed value, or an infinite one.
        ValueError: as for `seasonal_naive`, or a level outside (0, 1) or given twice.
    """
    checked_levels(sorted(levels))
    point = seasonal_naive(histories, horizon, season_lengths)
    lengths = season_lengths_of(season_lengths, len(histories))
    spread = np.zeros(len(histories))
    for group in groups(histories, lengths):
        spread[group.rows] = np.sqrt(np.nan_to_num(seasonal_error(group, power=2)))
    ahead = np.arange(horizon) // np.array(lengths, dtype=int).reshape(-1, 1) + 1
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    return point[..., None] + (spread[:, None] * np.sqrt(ahead))[..., None] * normal


def _by_group(
    histories: Histories, horizon: int, season_lengths: int | Sequence[int], rule: Callable[[Group], np.ndarray]
) -> np.ndarray:
    if operator.index(horizon) < 1:
        raise ValueError(f"expected a horizon of at least 1, found {horizon}")
    forecasts = np.empty((len(histories), horizon))
    for group in checked_groups(histories, season_lengths):
        forecasts[group.rows] = rule(group)
    return forecasts


def _last(group: Group) -> np.ndarray:
    """The last observed value of each history."""
    return group.values[_last_seen(group.values)[group.lengths - 1]]


def _last_seen(values: np.ndarray, season_length: int = 1) -> np.ndarray:
    """The newest observed step at the same place in the season, up to each step; -1 where there is none."""
    steps = np.where(np.isnan(values), -1, np.arange(len(values)))
    seasons = np.pad(steps, (0, -len(steps) % season_length), constant_values=-1).reshape(-1, season_length)
    return np.maximum.accumulate(seasons, axis=0).ravel()
