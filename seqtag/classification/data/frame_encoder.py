"""From frames of numbers to what the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.word_batches import Batch
from seqtag.errors import DataError


@dataclass(frozen=True)
class EncodedFrames:
    """Scaled frames, float32 `(sequences, None, columns)` ragged, and how many each sequence has."""

    frames: tf.RaggedTensor
    lengths: np.ndarray

    def batch(self, numbers: tf.Tensor) -> Batch:
        """`frames (batch, time, columns)` and `lengths (batch,)` of the sequences with these numbers."""
        found = tf.gather(self.frames, numbers)
        return {"frames": found.to_tensor(), "lengths": tf.cast(found.row_lengths(), tf.int32)}

    def full_batch(self, numbers: tf.Tensor) -> Batch:
        """The same: frames have no n-grams."""
        return self.batch(numbers)


class FrameEncoder:
    """Scales frames as those of training.

    Args:
        scale: of the numbers, and of which are missing.
    """

    unit = "frames"
    trackable: Sequence[Any] = ()

    def __init__(self, scale: FrameScale) -> None:
        self.scale = scale

    @classmethod
    def fit(cls, sources: Sequence[np.ndarray]) -> FrameEncoder:
        """The encoder of training frames."""
        return cls(FrameScale.fit(sources))

    def encode(self, sources: Sequence[np.ndarray]) -> EncodedFrames:
        """Frames as the network reads them.

        Raises:
            DataError: frames of another width than in training.
        """
        for number, frames in enumerate(sources):
            if frames.shape[1] != self.scale.width:
                message = f"expected frames of {self.scale.width} numbers, found {frames.shape[1]}"
                raise DataError(message, f"sequence {number}")
        return EncodedFrames(self.scale.ragged(sources), np.array([len(frames) for frames in sources], np.int64))

    def batch_of_frames(self, frames: tf.Tensor, lengths: tf.Tensor) -> Batch:
        """The batch of padded frames `(batch, time, features)`, NaN where missing; a pure graph function."""
        return {"frames": self.scale.in_graph(frames), "lengths": lengths}

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return self.scale.to_dict()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FrameEncoder:
        """The encoder that `to_dict` described."""
        return cls(FrameScale.from_dict(data))
