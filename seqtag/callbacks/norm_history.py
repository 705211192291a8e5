"""The global norms of the last updates, kept on the device."""

from __future__ import annotations

import tensorflow as tf


class NormHistory:
    """The last `size` norms that were finite; others are left out.

    Create it in the scope of the model's distribution strategy.

    Attributes:
        norms: `(size,)`, filled from the front; once it is full, a new norm replaces the oldest.
        seen: how many norms were added.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.norms = tf.Variable(tf.zeros(size), trainable=False)
        self.seen = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def count(self) -> tf.Tensor:
        """How many of `norms` are set."""
        return tf.minimum(self.seen, self.size)

    def with_norm(self, norm: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """`norms` and `count` with one more norm; writes nothing."""
        finite = tf.math.is_finite(norm)
        place = tf.cast(self.seen % self.size, tf.int32)
        norms = tf.where(finite, tf.tensor_scatter_nd_update(self.norms, [[place]], [norm]), self.norms)
        return norms, tf.minimum(self.seen + tf.cast(finite, tf.int64), self.size)

    def add(self, norm: tf.Tensor) -> None:
        """Adds a norm."""
        self.norms.assign(self.with_norm(norm)[0])
        self.seen.assign_add(tf.cast(tf.math.is_finite(norm), tf.int64))
