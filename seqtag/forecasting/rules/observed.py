"""The observed values of histories, without the gaps between them."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class Observed(NamedTuple):
    """The observed values of each row, moved to its beginning; 0 in the places after them.

    Attributes:
        values: `(batch, time)`, oldest first.
        times: `(batch, time)`, the step of each, 1 for the first observed one, 2 a step later.
        count: `(batch, 1)`, how many there are.
        ahead: `(batch, 1)`, the step after the end of the row, on the scale of `times`.
    """

    values: tf.Tensor
    times: tf.Tensor
    count: tf.Tensor
    ahead: tf.Tensor

    @property
    def known(self) -> tf.Tensor:
        """Which places hold a value, bool `(batch, time)`."""
        return tf.range(self.values.shape[1], dtype=self.count.dtype) < self.count


def observed(history: tf.Tensor) -> Observed:
    """The observed values of float64 `(batch, time)`, NaN where missing."""
    seen = ~tf.math.is_nan(history)
    order, length = order_of_observed(seen), history.shape[1]
    known = order < length
    values = tf.gather(tf.where(seen, history, tf.zeros_like(history)), order % length, batch_dims=1)
    first = order[:, :1] % length
    return Observed(
        values=tf.where(known, values, tf.zeros_like(values)),
        times=tf.cast(tf.where(known, order - first + 1, 0), tf.float64),
        count=tf.cast(tf.math.count_nonzero(seen, axis=1, keepdims=True), tf.float64),
        ahead=tf.cast(length - first + 1, tf.float64),
    )


def order_of_observed(seen: tf.Tensor) -> tf.Tensor:
    """The places that were observed, oldest first, then `time` + those that were not; int32 `(batch, time)`."""
    length = seen.shape[1]
    return tf.sort(tf.where(seen, tf.range(length), tf.range(length, 2 * length)), axis=1)
