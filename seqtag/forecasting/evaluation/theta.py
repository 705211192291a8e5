"""The theta method as a baseline of reports: `seqtag.forecasting.rules.theta` on the ends of many histories."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.evaluation.histories import Group, Histories, checked_groups

# A history is read from so many seasons back, and from at least and at most so many steps.
SEASONS_READ, FEWEST_READ, MOST_READ = 10, 200, 1000
# The work of graphs pays for building them from so many numbers on, rows x steps.
MANY_NUMBERS = 50_000


def theta(
    histories: Histories, horizon: int, season_lengths: int | Sequence[int], levels: Sequence[float] = ()
) -> Forecast:
    """The dynamic optimised theta method, with quantiles of normal distributions around it at the levels.

    It reads the last ten seasons of each history, at least 200 steps and at most 1,000: what is older hardly moves its
    forecast. A season shows itself in two of them, so that one of more than 500 steps is none to it. Quantiles are
    ``y_hat[k] + z(level) * s[k]``, where s[k] grows from the error of the one-step forecasts in the history.

    Args:
        histories: the known values of each row, oldest first, NaN where missing; lengths may differ.
        horizon: the number of steps to forecast.
        season_lengths: the season length in steps, one for all rows or one for each.
        levels: the levels of the quantiles, each between 0 and 1.

    Raises:
        DataError: a history has no observed value, or an infinite one.
        ValueError: a horizon or season length below 1, or a history that is not one-dimensional.

    >>> theta([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]], 2, 1).point.round(6)
    array([[ 9., 10.]])
    """
    if horizon < 1:
        raise ValueError(f"expected a horizon of at least 1, found {horizon}")
    point, deviation = np.empty((2, len(histories), horizon))
    by_season: dict[int, list[Group]] = {}
    for group in checked_groups(histories, season_lengths):
        by_season.setdefault(group.season_length, []).append(group)
    for season_length, groups in by_season.items():
        rows = np.concatenate([group.rows for group in groups])
        point[rows], deviation[rows] = _forecasts(_ends(groups, season_length), horizon, season_length)
    if not levels:
        return Forecast(point)
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    return Forecast(point, point[..., None] + deviation[..., None] * normal, tuple(levels))


def _ends(groups: Sequence[Group], season_length: int) -> np.ndarray:
    """The last steps of the histories side by side, `(rows, time)`, NaN before the first step of a shorter one."""
    most = int(np.clip(SEASONS_READ * season_length, FEWEST_READ, MOST_READ))
    width = min(max(int(group.lengths.max()) for group in groups), most)
    before = np.full(width, np.nan)
    return np.concatenate(
        [
            np.lib.stride_tricks.sliding_window_view(np.r_[before, group.values], width)[group.lengths]
            for group in groups
        ]
    )


def _forecasts(rows: np.ndarray, horizon: int, season_length: int) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf

    from seqtag.forecasting.rules.theta import theta as rule

    values = tf.constant(rows)
    if rows.size > MANY_NUMBERS:
        found = tf.function(lambda values: rule(values, horizon, season_length)).get_concrete_function(values)(values)
    else:
        found = rule(values, horizon, season_length)
    return found.point.numpy(), found.deviation.numpy()
