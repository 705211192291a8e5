"""The seasonal naive forecast inside the graph, for the blend of a served forecaster."""

from __future__ import annotations

import tensorflow as tf


def seasonal_naive(history: tf.Tensor, horizon: int, season_length: int) -> tf.Tensor:
    """The last observed value at the same place in the season, `(batch, horizon)`, as `evaluation.baselines` has it.

    Where a window has none at that place it is the last observed value of all; 0 where the window has no value.
    """
    lookback = history.shape[1]
    missing = -lookback % season_length
    rows = tf.pad(history, [[0, 0], [missing, 0]], constant_values=float("nan"))
    table = tf.reshape(rows, (-1, (lookback + missing) // season_length, season_length))
    at_place = _last_observed(table)
    any_place = _last_observed(history[..., None])
    at_place = tf.where(tf.math.is_nan(at_place), any_place, at_place)
    at_place = tf.where(tf.math.is_nan(at_place), tf.zeros_like(at_place), at_place)
    return tf.gather(at_place, tf.range(horizon) % season_length, axis=1)


def _last_observed(table: tf.Tensor) -> tf.Tensor:
    """Along axis 1 of `(batch, rows, columns)`; NaN where there is none."""
    count = table.shape[1]
    number = tf.where(tf.math.is_nan(table), 0, tf.range(1, count + 1)[None, :, None])
    last = tf.reduce_max(number, axis=1)
    chosen = (number == last[:, None]) & (number > 0)
    found = tf.reduce_sum(tf.where(chosen, table, tf.zeros_like(table)), axis=1)
    return tf.where(last > 0, found, tf.constant(float("nan"), found.dtype))
