"""The dynamic optimised theta method (Fiorucci et al. 2016), as `statsforecast`'s `DynamicOptimizedTheta` has it.

The history, less its season where it has one (`seqtag.forecasting.rules.season`), is forecast by the model of
`seqtag.forecasting.rules.theta_fit`: an exponentially smoothed level beside the least-squares line, in which each step
ahead counts as observed for the next one:

    mu[t] = S + w (A (1 - alpha)^k + B (t - T))

A missing step changes no state, while time goes on: it moves t, and neither k, S, T nor the line.

Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler, Models for optimising the theta method and their relationship to
state space models, International Journal of Forecasting 32 (2016).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from seqtag.forecasting.rules.naive import newest
from seqtag.forecasting.rules.observed import Observed, observed
from seqtag.forecasting.rules.season import season
from seqtag.forecasting.rules.theta_fit import COARSE, Fit, fit, line, skipped_errors

# So many numbers at once: rows x steps x values of alpha.
NUMBERS_AT_ONCE = 2**20


class ThetaForecast(NamedTuple):
    """Forecasts of the theta method, each float64 `(batch, horizon)`.

    Attributes:
        point: the forecast.
        deviation: the standard deviation of its error, from those of the one-step forecasts in the history.
    """

    point: tf.Tensor
    deviation: tf.Tensor


@tf.autograph.experimental.do_not_convert
def theta(history: tf.Tensor, horizon: int, season_length: int, multiplicative: bool = True) -> ThetaForecast:
    """The forecasts of the dynamic optimised theta method.

    Args:
        history: `(batch, time)`, oldest value first, NaN where missing; the time is known when the graph is built.
        horizon: the number of steps to forecast.
        season_length: the season length in steps; one below 4 is no season.
        multiplicative: whether a season scales with the level, where the row allows it, see `season`.

    Returns:
        Forecasts that are finite in every row: a row with fewer than four values repeats the last one, one without any
        is 0.

    >>> theta(tf.range(12.0)[None], 3, 1).point.numpy().round(6)
    array([[12., 13., 14.]])
    """
    rows = tf.cast(history, tf.float64)
    at_once = max(NUMBERS_AT_ONCE // (rows.shape[1] * COARSE), 1)
    return ThetaForecast(
        *_in_parts(rows, at_once, horizon, lambda part: _theta(part, horizon, season_length, multiplicative))
    )


def _in_parts(rows: tf.Tensor, at_once: int, horizon: int, rule: Callable[[tf.Tensor], tuple]) -> tuple:
    """Two results of a rule, some rows after the other, so that memory is bounded."""
    count = tf.shape(rows)[0]

    def step(start: tf.Tensor, *found: tf.Tensor) -> tuple:
        parts = rule(rows[start : start + at_once])
        return start + at_once, *(tf.concat(both, axis=0) for both in zip(found, parts, strict=True))

    shape = tf.TensorShape([None, horizon])
    empty = tf.zeros((0, horizon), tf.float64)
    first, shapes = (0, empty, empty), (tf.TensorShape([]), shape, shape)
    return tf.while_loop(lambda start, *_: start < count, step, first, shapes, parallel_iterations=1)[1:]


def _theta(history: tf.Tensor, horizon: int, season_length: int, multiplicative: bool) -> tuple[tf.Tensor, tf.Tensor]:
    last = newest(history)
    found = season(history, last, season_length, multiplicative)
    added, factor = found.behind(history.shape[1])
    level = tf.where(found.multiplicative, tf.zeros_like(last), last)
    adjusted = (history - level - added) / factor
    end = newest(adjusted)
    relative = adjusted - end
    size = tf.reduce_max(tf.where(tf.math.is_nan(relative), tf.zeros_like(relative), tf.abs(relative)), axis=1)[:, None]
    seen = observed(relative / tf.where(size > 0, size, tf.ones_like(size)))
    fitted = fit(seen)
    path = _ahead(seen, fitted, horizon)
    errors = tf.maximum(seen.count - skipped_errors(seen.count) - 1, 1)
    spread = tf.sqrt(fitted.squares / errors * tf.cumsum(tf.square(path[..., 1]), axis=1))
    added, factor = found.ahead(horizon)
    # The level comes last, so that it rounds nothing but the answer.
    return (path[..., 0] * size + end) * factor + added + level, spread * size * factor


def _ahead(seen: Observed, fitted: Fit, horizon: int) -> tf.Tensor:
    """The forecast, and the response of all steps to an error of 1 at the first of them: `(batch, horizon, 2)`.

    Both follow one recursion, which is linear in the values.
    """
    alpha, weight = fitted.alpha, fitted.weight
    keeps = 1 - alpha

    def step(number: tf.Tensor, state: tuple, found: tf.TensorArray) -> tuple:
        level, smoothed_time, sums = state
        ahead = tf.cast(number, tf.float64)
        time = seen.ahead + ahead
        intercept, slope = line(*sums)
        value = level + weight * (intercept * tf.pow(keeps, sums[0]) + slope * (time - smoothed_time))
        value += tf.where(number == 0, tf.constant([0.0, 1.0], tf.float64), 0)
        new = (tf.ones_like(time), time, tf.square(time), value, time * value)
        sums = tuple(old + more for old, more in zip(sums, new, strict=True))
        state = (level + alpha * (value - level), smoothed_time + alpha * (time - smoothed_time), sums)
        return number + 1, state, found.write(number, value)

    both = tf.constant([1.0, 0.0], tf.float64)
    times = seen.times
    parts = (times, tf.square(times), seen.values, times * seen.values)
    t, tt, v, tv = (tf.reduce_sum(part, axis=1, keepdims=True) for part in parts)
    state = (fitted.level * both, fitted.time, (seen.count, t, tt, v * both, tv * both))
    first = (0, state, tf.TensorArray(tf.float64, horizon))
    found = tf.while_loop(lambda number, *_: number < horizon, step, first, maximum_iterations=horizon)[-1].stack()
    return tf.transpose(found, [1, 0, 2])
