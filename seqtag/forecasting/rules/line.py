"""The mean of a history, and the line through its ends.

    mean:    y_hat[n + k] = (y[1] + ... + y[n]) / n
    drift:   y_hat[n + k] = y[n] + k (y[n] - y[1]) / (n - 1)

(Hyndman and Athanasopoulos, Forecasting: principles and practice, section 5.2.)
"""

from __future__ import annotations

import tensorflow as tf

from seqtag.forecasting.rules.naive import newest
from seqtag.forecasting.rules.observed import observed


def mean(history: tf.Tensor, horizon: int) -> tf.Tensor:
    """The mean of the observed values, for every step, `(batch, horizon)` in float64; 0 where a row has no value.

    >>> mean(tf.constant([[1.0, float("nan"), 5.0]]), 2).numpy()
    array([[3., 3.]])
    """
    rows = tf.cast(history, tf.float64)
    last = newest(rows)
    # What lies above a value of the row keeps a small movement on a large level.
    seen = observed(rows - last)
    above = tf.reduce_sum(seen.values, axis=1, keepdims=True) / tf.maximum(seen.count, 1)
    return tf.repeat(last + above, horizon, axis=1)


def drift(history: tf.Tensor, horizon: int) -> tf.Tensor:
    """The line through the first and the last observed value, `(batch, horizon)` in float64.

    Missing values keep their place in time: after a gap at the end, the first step is further along the line. The line
    is flat with a single value, and 0 where a row has no value.

    >>> drift(tf.constant([[1.0, float("nan"), 5.0, float("nan")]]), 2).numpy()
    array([[ 9., 11.]])
    """
    rows = tf.cast(history, tf.float64)
    last = newest(rows)
    seen = observed(rows - last)
    end = tf.reduce_max(seen.times, axis=1, keepdims=True)
    slope = -seen.values[:, :1] / tf.maximum(end - 1, 1)
    return last + slope * (seen.ahead - end + tf.range(horizon, dtype=tf.float64))
