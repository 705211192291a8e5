"""The scale of frames of numbers: mean and deviation of each of their numbers in training, and what was missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

# Scaled numbers lie within so many deviations, so that no number that a file may hold is infinite in float32.
FARTHEST = 1e6
# A deviation that rounding alone gives: of a number that never changes, relative to its size.
ROUNDING = 4 * np.finfo(np.float64).eps


class FrameScale:
    """Standardises frames, so that a network reads numbers of any unit.

    A number x of feature f is read as z = (x - mean_f) / deviation_f in float64, and as 0 where it is missing. For each
    feature that was missing somewhere in training, a column follows that is 1 where it is missing and else 0.

    Args:
        mean, deviation: of each number of a frame, over those of training that are known; a deviation of 0 stands for a
            number that never changes, which is read as 0 whatever it is.
        indicated: the features that have a column of their own for what is missing.

    Example:

        >>> scale = FrameScale.fit([np.array([[1.0, 7.0], [3.0, np.nan]])])
        >>> scale.scaled(np.array([[5.0, np.nan]]))
        array([[3., 0., 1.]], dtype=float32)
    """

    def __init__(self, mean: ArrayLike, deviation: ArrayLike, indicated: Sequence[int] = ()) -> None:
        self.mean = np.asarray(mean, np.float64)
        self.deviation = np.asarray(deviation, np.float64)
        self.indicated = list(indicated)
        # What never changes is multiplied by 0: the network has learned nothing from it.
        self._known = np.asarray(self.deviation > 0, np.float64)
        self._divisor = np.where(self.deviation > 0, self.deviation, 1.0)

    @classmethod
    def fit(cls, sources: Sequence[np.ndarray]) -> FrameScale:
        """The scale of training frames `(time, features)`, NaN where a number is missing."""
        frames = np.concatenate(sources).astype(np.float64)
        missing = np.isnan(frames)
        counts = np.maximum((~missing).sum(axis=0), 1)
        numbers = np.where(missing, 0.0, frames)
        mean = numbers.sum(axis=0) / counts
        from_mean = np.where(missing, 0.0, frames - mean)
        deviation = np.sqrt((from_mean**2).sum(axis=0) / counts)
        size = np.abs(numbers).max(axis=0, initial=0.0)
        deviation = np.where(deviation > ROUNDING * size, deviation, 0.0)
        return cls(mean, deviation, np.flatnonzero(missing.any(axis=0)).tolist())

    @property
    def width(self) -> int:
        """How many numbers a frame has."""
        return len(self.mean)

    @property
    def columns(self) -> int:
        """How many numbers a scaled frame has: those of a frame, and the columns of what is missing."""
        return self.width + len(self.indicated)

    def scaled(self, frames: np.ndarray) -> np.ndarray:
        """Scaled frames `(time, columns)`, float32."""
        missing = np.isnan(frames)
        scaled = (np.where(missing, self.mean, frames) - self.mean) * self._known / self._divisor
        scaled = np.clip(scaled, -FARTHEST, FARTHEST)
        return np.concatenate([scaled, missing[:, self.indicated]], axis=1).astype(np.float32)

    def ragged(self, sources: Sequence[np.ndarray]) -> tf.RaggedTensor:
        """Scaled frames, float32 `(sources, None, columns)`."""
        lengths = [len(source) for source in sources]
        frames = np.concatenate([np.zeros((0, self.width)), *sources])
        return tf.RaggedTensor.from_row_lengths(tf.constant(self.scaled(frames)), lengths)

    def in_graph(self, frames: tf.Tensor) -> tf.Tensor:
        """Scaled frames `(batch, time, columns)` of frames `(batch, time, features)`, in the graph."""
        numbers = tf.cast(frames, tf.float64)
        missing = tf.math.is_nan(numbers)
        scaled = (tf.where(missing, self.mean, numbers) - self.mean) * self._known / self._divisor
        scaled = tf.clip_by_value(scaled, -FARTHEST, FARTHEST)
        gaps = tf.gather(missing, tf.constant(self.indicated, tf.int32), axis=-1)
        return tf.cast(tf.concat([scaled, tf.cast(gaps, tf.float64)], axis=-1), tf.float32)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist(), "indicated": self.indicated}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FrameScale:
        """The scale that `to_dict` described."""
        return cls(data["mean"], data["deviation"], data.get("indicated", ()))
