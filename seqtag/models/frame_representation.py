"""Vectors of frames of numbers."""

from __future__ import annotations

from typing import Any

import keras

# Width of the vectors that recurrent layers read.
FRAME_DIM = 64


@keras.saving.register_keras_serializable(package="seqtag")
class FrameRepresentation(keras.layers.Layer):
    """A linear projection of scaled frames, v_t = z_t W + b, in which dropout takes away directions, not features.

    Args:
        frame_columns: numbers of a scaled frame; see `seqtag.data.frames.scale.FrameScale.columns`.
        noise: deviation of the normal noise that each number gets while training (Graves and Schmidhuber 2005).

    Call arguments:
        batch: dict with `frames (batch, time, frame_columns)`, scaled, 0 at padding, which the layers above mask.

    Returns:
        `(batch, time, 64)`.

    Example:

        >>> layer = FrameRepresentation(2)
        >>> layer.build()
        >>> layer({"frames": keras.ops.zeros((1, 5, 2))}).shape
        TensorShape([1, 5, 64])
    """

    # What networks ask of any representation: it has no tables that a file could compact, and nothing that reads words.
    vectors = language_states = None

    def __init__(self, frame_columns: int, noise: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.frame_columns = frame_columns
        self.noise = keras.layers.GaussianNoise(noise, name="noise")
        self.projection = keras.layers.Dense(FRAME_DIM, name="frames")

    def build(self, batch_shape: dict | None = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.projection.build((None, None, self.frame_columns))
        self.built = True

    @property
    def tables(self) -> list[keras.layers.Layer]:
        """The embeddings that grow with the training data: none."""
        return []

    @property
    def output_units(self) -> int:
        """Width of the vectors."""
        return FRAME_DIM

    @property
    def input_shapes(self) -> dict[str, list[int | None]]:
        """The shapes of what it reads of a batch."""
        return {"frames": [None, None, self.frame_columns]}

    def call(self, batch: dict, training: bool = False) -> Any:
        """Vectors `(batch, time, 64)` of the batch's frames."""
        return self.projection(self.noise(batch["frames"], training=training))

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {**super().get_config(), "frame_columns": self.frame_columns, "noise": self.noise.stddev}
