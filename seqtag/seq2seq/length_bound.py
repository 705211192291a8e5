"""How long an answer may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Beyond the targets of training: so many times as long, and so many symbols more.
FACTOR, MORE = 2, 5


class LengthBound(NamedTuple):
    """The most symbols of an answer: a decoder need not stop by itself.

    An answer to n symbols or frames has at most `min(most, extra + per_symbol · n)` symbols.

    Example:
        >>> LengthBound(most=20, extra=6, per_symbol=2.0).of(tf.constant([0, 3, 100])).numpy().tolist()
        [6, 12, 20]
    """

    most: int
    extra: int
    per_symbol: float

    @classmethod
    def fixed(cls, most: int) -> LengthBound:
        """The same bound for all sources."""
        return cls(most, most, 0.0)

    @classmethod
    def fit(cls, sources: np.ndarray, targets: np.ndarray) -> LengthBound:
        """A generous bound by the lengths of the sources and targets of training.

        `most` is twice the longest target and five more. `per_symbol` is twice the median ratio of a pair's lengths,
        and `extra` what the pair furthest above that needs, and five more.

        >>> LengthBound.fit(np.array([4, 6, 5, 1]), np.array([4, 6, 5, 7]))
        LengthBound(most=19, extra=10, per_symbol=2.0)
        """
        per_symbol = FACTOR * float(np.median(targets / np.maximum(sources, 1)))
        needed = float(np.max(targets - np.floor(per_symbol * sources), initial=0.0))
        return cls(FACTOR * int(targets.max()) + MORE, int(needed) + MORE, per_symbol)

    def of(self, sources: tf.Tensor) -> tf.Tensor:
        """The bounds for sources of these lengths `(batch,)`, int32."""
        following = self.extra + tf.floor(self.per_symbol * tf.cast(sources, tf.float32))
        return tf.cast(tf.minimum(float(self.most), following), tf.int32)
