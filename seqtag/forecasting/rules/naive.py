"""Naive and seasonal naive: the last observed value, of all or at the same place in the season.

    naive:            y_hat[n + k] = y[n]
    seasonal naive:   y_hat[n + k] = y[n + k - m ceil(k / m)]

with the season length m (Hyndman and Athanasopoulos, Forecasting: principles and practice, section 5.2).
"""

from __future__ import annotations

import tensorflow as tf


def naive(history: tf.Tensor, horizon: int) -> tf.Tensor:
    """The last observed value, for every step, `(batch, horizon)` in float64; 0 where a row has no value.

    Args:
        history: `(batch, time)`, oldest value first, NaN where missing.
        horizon: the number of steps to forecast.

    >>> naive(tf.constant([[1.0, 2.0, float("nan")]]), 2).numpy()
    array([[2., 2.]])
    """
    return tf.repeat(newest(tf.cast(history, tf.float64)), horizon, axis=1)


def seasonal_naive(history: tf.Tensor, horizon: int, season_length: int) -> tf.Tensor:
    """The last observed value at the same place in the season, `(batch, horizon)` in float64.

    Where a row has no value at that place it is the last observed value of all; 0 where the row has no value.

    >>> seasonal_naive(tf.constant([[1.0, 2.0, 3.0, 4.0, float("nan")]]), 4, 2).numpy()
    array([[4., 3., 4., 3.]])
    """
    lookback = history.shape[1]
    missing = -lookback % season_length
    rows = tf.pad(tf.cast(history, tf.float64), [[0, 0], [missing, 0]], constant_values=float("nan"))
    table = tf.reshape(rows, (-1, (lookback + missing) // season_length, season_length))
    at_place = _last_observed(table)
    at_place = tf.where(tf.math.is_nan(at_place), newest(rows), at_place)
    return tf.gather(at_place, tf.range(horizon) % season_length, axis=1)


def newest(history: tf.Tensor) -> tf.Tensor:
    """The last observed value of each row, `(batch, 1)`; 0 where there is none."""
    last = _last_observed(history[..., None])
    return tf.where(tf.math.is_nan(last), tf.zeros_like(last), last)


def _last_observed(table: tf.Tensor) -> tf.Tensor:
    """Along axis 1 of `(batch, rows, columns)`; NaN where there is none."""
    number = tf.where(tf.math.is_nan(table), 0, tf.range(1, table.shape[1] + 1)[None, :, None])
    last = tf.reduce_max(number, axis=1)
    chosen = (number == last[:, None]) & (number > 0)
    found = tf.reduce_sum(tf.where(chosen, table, tf.zeros_like(table)), axis=1)
    return tf.where(last > 0, found, tf.constant(float("nan"), found.dtype))
