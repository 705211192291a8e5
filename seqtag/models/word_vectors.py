"""The layer of pretrained word vectors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.keras_internals import table_rows

ROWS_AT_ONCE = 1 << 15


@keras.saving.register_keras_serializable(package="seqtag")
class PretrainedVectors(keras.layers.Layer):
    """Looks up word vectors that were made elsewhere; row 0 is the zero vector of words that have none.

    A word has one row, or several of which its vector is the mean, as fastText makes it of n-grams:

        v = sum_k table[row_k] / |{k : row_k > 0}|.

    Args:
        num_rows: rows of the table, the first one included.
        width: numbers of a vector.
        tuned: whether the vectors are trained along.
        tuned_later: whether that begins only once `tune` is called; until then they get no gradient.

    Call arguments:
        rows: `(words, most)` integers, 0 where a word has fewer rows.

    Returns:
        `(words, width)`.

    Example:

        >>> layer = PretrainedVectors(3, 2)
        >>> layer.fill(np.array([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(np.array([[1, 0], [1, 2], [0, 0]])).numpy().tolist()
        [[1.0, 2.0], [2.0, 3.0], [0.0, 0.0]]
    """

    def __init__(
        self, num_rows: int, width: int, tuned: bool = False, tuned_later: bool = False, **kwargs: Any
    ) -> None:
        # Otherwise a policy of half precision would cast the whole table at every step.
        super().__init__(**{**kwargs, "autocast": False, "trainable": tuned})
        self.num_rows = num_rows
        self.width = width
        self.tuned = tuned
        self.tuned_later = tuned_later

    def build(self, input_shape: Any = None) -> None:
        """Creates the table, which is zero until `fill` or a file sets it."""
        self.vectors = self.add_weight(name="vectors", shape=(self.num_rows, self.width), initializer="zeros")
        if self.tuned_later:
            self.share = self.add_weight(name="gradient_share", shape=(), initializer="zeros", trainable=False)
        self.built = True

    @property
    def constant_weights(self) -> list[keras.Variable]:
        """The table, where it is not trained: a checkpoint need not hold it."""
        return [] if self.tuned else [self.vectors]

    def fill(self, vectors: np.ndarray) -> None:
        """Sets all rows but row 0, some at a time: the table may be mapped from a file that memory has no room for.

        Raises:
            ValueError: there are more or fewer, or they are of another width.
        """
        if not self.built:
            self.build()
        if vectors.shape != (self.num_rows - 1, self.width):
            raise ValueError(f"expected vectors of shape {(self.num_rows - 1, self.width)}, found {vectors.shape}")
        table = self.vectors.value
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            part = np.asarray(vectors[start : start + ROWS_AT_ONCE], np.float32)
            table[start + 1 : start + 1 + len(part)].assign(part)

    def tune(self, on: bool) -> None:
        """Lets gradients through, or stops them."""
        self.share.assign(float(on))

    def call(self, rows: Any) -> Any:
        """The vectors."""
        found = table_rows(self.vectors, rows)
        if self.tuned_later:
            found = self.share * found + (1 - self.share) * ops.stop_gradient(found)
        # Row 0 is looked up in training too, but stays zero.
        real = ops.cast(rows > 0, found.dtype)
        mean = ops.sum(found * real[..., None], axis=1) / ops.maximum(ops.sum(real, axis=1), 1)[:, None]
        return ops.cast(mean, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(words, width)`."""
        return (input_shape[0], self.width)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {key: value for key, value in super().get_config().items() if key not in ("trainable", "autocast")}
        return {
            **config,
            "num_rows": self.num_rows,
            "width": self.width,
            "tuned": self.tuned,
            "tuned_later": self.tuned_later,
        }


class TuneAfter(keras.callbacks.Callback):
    """Lets the vectors of a layer be trained after some epochs.

    Args:
        layer: one that is `tuned_later`.
        epochs: how many epochs it stays as it is.
    """

    def __init__(self, layer: PretrainedVectors, epochs: int) -> None:
        super().__init__()
        self.layer = layer
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Decides it for this epoch, of a resumed fit too."""
        self.layer.tune(epoch >= self.epochs)
