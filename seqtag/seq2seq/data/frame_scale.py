"""The scale of frames of numbers: mean and deviation of each of their numbers in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike


class FrameScale:
    """Standardises frames, so that a network reads numbers of any unit.

    Args:
        mean, deviation: of each number of a frame; a number that never changes has the deviation 1.

    Example:

        >>> scale = FrameScale.fit([np.array([[1.0], [3.0]])])
        >>> scale.ragged([np.array([[5.0]])]).to_list()
        [[[3.0]]]
    """

    def __init__(self, mean: ArrayLike, deviation: ArrayLike) -> None:
        self.mean = np.asarray(mean, np.float64)
        self.deviation = np.asarray(deviation, np.float64)

    @classmethod
    def fit(cls, sources: Sequence[np.ndarray]) -> FrameScale:
        """The scale of training frames `(time, features)`."""
        frames = np.concatenate(sources).astype(np.float64)
        deviation = frames.std(axis=0)
        return cls(frames.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    @property
    def width(self) -> int:
        """How many numbers a frame has."""
        return len(self.mean)

    def ragged(self, sources: Sequence[np.ndarray]) -> tf.RaggedTensor:
        """Scaled frames, float32 `(sources, None, features)`."""
        lengths = [len(source) for source in sources]
        frames = np.concatenate([np.zeros((0, self.width)), *sources])
        return tf.RaggedTensor.from_row_lengths(tf.constant(self._scaled(frames), tf.float32), lengths)

    def _scaled(self, frames: np.ndarray) -> np.ndarray:
        return (frames - self.mean) / self.deviation

    def in_graph(self, frames: tf.Tensor) -> tf.Tensor:
        """Scaled frames `(batch, time, features)`, in the graph."""
        return tf.cast((tf.cast(frames, tf.float64) - self.mean) / self.deviation, tf.float32)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FrameScale:
        """The scale that `to_dict` described."""
        return cls(data["mean"], data["deviation"])
