"""Scores of labels straight from n-grams, a linear model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.layers.compact_embedding import CompactEmbedding


@keras.saving.register_keras_serializable(package="seqtag")
class NgramScores(keras.layers.Layer):
    """Adds up the weights of a text's n-grams, of which each has one for each label:

        score = b + Σ_f W[f].

    It is not trained along with the recurrent layers; `seqtag.classification.linear` fits it.

    Args:
        num_rows: rows of the table; row 0 is that of padding.
        num_labels: how many labels there are.
        kept_rows: how many rows are not zero.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        rows: `(batch, most)` integers, the rows of each text's n-grams, 0 where a text has fewer.

    Returns:
        `(batch, num_labels)` in float32.

    Example:

        >>> layer = NgramScores(3, 2, kept_rows=1)
        >>> layer.fill(np.array([[0, 0], [1, -1], [0, 0]]), np.array([0.5, 0.0]))
        >>> layer(np.array([[1, 2], [0, 0]])).numpy().tolist()
        [[1.5, -1.0], [0.5, 0.0]]
    """

    def __init__(self, num_rows: int, num_labels: int, kept_rows: int, **kwargs: Any) -> None:
        # The sum of hundreds of weights is one in float32, whatever the policy is.
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        self.num_rows = num_rows
        self.num_labels = num_labels
        self.kept_rows = kept_rows
        self.table = CompactEmbedding(num_rows, num_labels, kept_rows, dtype="float32", name="table")

    def build(self, rows_shape: Any = None) -> None:
        """Creates the weights, which are zero until `fill` or a file sets them."""
        self.table.build()
        self.bias = self.add_weight(name="bias", shape=(self.num_labels,), initializer="zeros", trainable=False)
        self.built = True

    def fill(self, table: np.ndarray, bias: np.ndarray) -> None:
        """Sets the weights.

        Raises:
            ValueError: the table has another shape, or another number of rows that are not zero.
        """
        if not self.built:
            self.build()
        self.table.fill(table)
        self.bias.assign(bias)

    def call(self, rows: Any) -> Any:
        """The scores."""
        # The row of padding is zero.
        return ops.sum(self.table(rows), axis=1) + self.bias

    def compute_output_shape(self, rows_shape: tuple) -> tuple:
        """`(batch, num_labels)`."""
        return rows_shape[0], self.num_labels

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {key: value for key, value in super().get_config().items() if key not in ("trainable", "dtype")}
        return {**config, "num_rows": self.num_rows, "num_labels": self.num_labels, "kept_rows": self.kept_rows}
