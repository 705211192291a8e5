"""The naive rules that every forecast is set beside: seasonal naive, naive, drift and mean.

Each takes the histories of many series, oldest value first and NaN where one is missing, and returns
``(series, horizon)``. A missing value is passed over, never filled in: each rule says below what it reads instead.
Hyndman and Athanasopoulos, Forecasting: principles and practice, sections 5.2 and 5.5. A rule goes through a series
once for all histories that begin it, see `seqtag.forecasting.evaluation.histories`.

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
    return _by_group(histories, horizon, 1, lambda group: _last(group)[:, None])


def mean(histories: Histories, horizon: int) -> np.ndarray:
    """The mean of the observed values, for every step; arguments, result and errors as of `naive`."""

    def rule(group: Group) -> np.ndarray:
        count = np.cumsum(~np.isnan(group.values))
        return (np.nancumsum(group.values) / np.maximum(count, 1))[group.lengths - 1, None]

    return _by_group(histories, horizon, 1, rule)


def drift(histories: Histories, horizon: int) -> np.ndarray:
    """The line through the first and the last observed value, carried on; arguments, result and errors as of `naive`.

    Missing values keep their place in time: after a gap at the end, the first step lies further along the line.
    With a single observed value the line is flat.

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

    Where no value was observed at that place (a history shorter than its season, or a place that is always missing)
    it is the last observed value of all. A season of 1 is `naive`.

    Args:
        histories: the known values of each series, oldest first, NaN where one is missing; lengths may differ.
        horizon: how many steps to forecast.
        season_lengths: the length of a season in steps, one for all series or one for each.

    Returns:
        forecasts, ``(series, horizon)``.

    Raises:
        DataError: a history without an observed value, or with an infinite one.
        ValueError: a horizon or season below 1, or a history of other than one dimension.
    """

    def rule(group: Group) -> np.ndarray:
        # Step k reads its place in the last season of the history, and there the newest value at that place.
        place = group.lengths[:, None] - group.season_length + np.arange(horizon) % group.season_length
        newest = np.where(place < 0, -1, _last_seen(group.values, group.season_length)[np.maximum(place, 0)])
        return np.where(newest < 0, _last(group)[:, None], group.values[newest])

    return _by_group(histories, horizon, season_lengths, rule)


def seasonal_naive_quantiles(
    histories: Histories, horizon: int, season_lengths: int | Sequence[int], levels: Sequence[float]
) -> np.ndarray:
    """Quantiles around `seasonal_naive`, of a normal distribution as wide as its errors in the history.

    ``y_hat[k] + z(level) * s * sqrt(K)``, where s is the root mean square of the seasonal differences and K counts
    the seasons that step k reaches ahead, 1 within the first. A history too short for a difference shows no error to
    judge by: all its quantiles lie on the forecast.

    Args:
        histories: the known values of each series, oldest first, NaN where one is missing; lengths may differ.
        horizon: how many steps to forecast.
        season_lengths: the length of a season in steps, one for all series or one for each.
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
    middle = seasonal_naive(histories, horizon, season_lengths)
    lengths = season_lengths_of(season_lengths, len(histories))
    spread = np.zeros(len(histories))
    for group in groups(histories, lengths):
        spread[group.rows] = np.sqrt(np.nan_to_num(seasonal_error(group, power=2)))
    ahead = np.arange(horizon) // np.array(lengths, dtype=int).reshape(-1, 1) + 1
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    return middle[..., None] + (spread[:, None] * np.sqrt(ahead))[..., None] * normal


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
    """Where each value, or else the newest before it at the same place in the season, was observed; -1 for nowhere."""
    seen = np.where(np.isnan(values), -1, np.arange(len(values)))
    season_lengths = np.pad(seen, (0, -len(seen) % season_length), constant_values=-1).reshape(-1, season_length)
    return np.maximum.accumulate(season_lengths, axis=0).ravel()
