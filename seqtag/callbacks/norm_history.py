"""The global norms of the last updates, kept on the device."""

from __future__ import annotations

import tensorflow as tf


class NormHistory:
    """The last `window` norms that were finite; one that is not is passed over.

    Make it in the scope of the model's distribution strategy.

    Attributes:
        norms: `(window,)`, filled from the front, the oldest replaced once it is full.
        seen: how many were added.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.norms = tf.Variable(tf.zeros(window), trainable=False)
        self.seen = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def count(self) -> tf.Tensor:
        """How many of `norms` are set."""
        return tf.minimum(self.seen, self.window)

    def with_norm(self, norm: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What `norms` and `count` would be with one more; nothing is written."""
        finite = tf.math.is_finite(norm)
        place = tf.cast(self.seen % self.window, tf.int32)
        norms = tf.where(finite, tf.tensor_scatter_nd_update(self.norms, [[place]], [norm]), self.norms)
        return norms, tf.minimum(self.seen + tf.cast(finite, tf.int64), self.window)

    def add(self, norm: tf.Tensor) -> None:
        """Keeps one more."""
        self.norms.assign(self.with_norm(norm)[0])
        self.seen.assign_add(tf.cast(tf.math.is_finite(norm), tf.int64))
