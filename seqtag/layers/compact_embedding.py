"""Embeddings that do not store their zero rows, for models that are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.layers.embedding import Embedding


@keras.saving.register_keras_serializable(package="seqtag")
class CompactEmbedding(keras.layers.Layer):
    """A table that stores only the rows that are not zero,

        embedding[n] = rows[index[n]],    rows[0] = 0.

    The index costs one integer for each row. The vectors are bit for bit those of `keras.layers.Embedding` with the
    full table. The layer is not trained: all zero rows are one stored row.

    Args:
        input_dim: number of rows of the full table.
        output_dim: width of a row.
        kept_rows: how many rows are stored, without the zero row.

    Call arguments:
        inputs: integers of any shape, below `input_dim`.

    Returns:
        `(..., output_dim)`.

    Example:

        >>> layer = CompactEmbedding(5, 2, kept_rows=1)
        >>> layer.fill(np.array([[0, 0], [0, 0], [3, 4], [0, 0], [0, 0]]))
        >>> layer(np.array([1, 2])).numpy().tolist()
        [[0.0, 0.0], [3.0, 4.0]]
    """

    def __init__(self, input_dim: int, output_dim: int, kept_rows: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False})
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.kept_rows = kept_rows

    def build(self, input_shape: Any = None) -> None:
        """Creates the weights: a table of zeros until `fill` or a file sets them."""
        self.index = self.add_weight(
            name="index", shape=(self.input_dim,), initializer="zeros", dtype="int32", trainable=False
        )
        self.rows = self.add_weight(
            name="rows", shape=(self.kept_rows + 1, self.output_dim), initializer="zeros", trainable=False
        )
        self.built = True

    def fill(self, table: np.ndarray) -> None:
        """Stores the rows of a full table.

        Raises:
            ValueError: if it has another shape, or another number of rows that are not zero.
        """
        kept = nonzero_rows(table)
        expected, found = (self.input_dim, self.output_dim, self.kept_rows), (*table.shape, len(kept))
        if expected != found:
            raise ValueError(f"expected a table of (rows, width, rows not zero) {expected}, found {found}")
        if not self.built:
            self.build()
        index = np.zeros(self.input_dim, np.int32)
        index[kept] = np.arange(1, len(kept) + 1)
        self.index.assign(index)
        self.rows.assign(np.concatenate([np.zeros((1, self.output_dim)), table[kept]]))

    def call(self, inputs: Any) -> Any:
        """The rows of the inputs."""
        found = ops.take(self.rows, ops.take(self.index, inputs, axis=0), axis=0)
        return ops.cast(found, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(..., output_dim)`."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        config = super().get_config()
        return {
            **{key: value for key, value in config.items() if key != "trainable"},
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "kept_rows": self.kept_rows,
        }


def nonzero_rows(table: np.ndarray) -> np.ndarray:
    """The indices of the rows that have an element other than zero."""
    return np.flatnonzero((table != 0).any(axis=1))


def is_worth_compacting(table: np.ndarray) -> bool:
    """Whether a `CompactEmbedding` of the table is smaller, with its index and its zero row, than the table itself."""
    rows, width = table.shape
    return (len(nonzero_rows(table)) + 1) * width + rows < rows * width


def table_layer(
    input_dim: int, output_dim: int, name: str, kept_rows: Mapping[str, int], initializer: str = "uniform"
) -> keras.layers.Layer:
    """The embedding of this name: a `CompactEmbedding` if `kept_rows` has its name, else one that can be trained."""
    if name in kept_rows:
        return CompactEmbedding(input_dim, output_dim, kept_rows[name], name=name)
    return Embedding(input_dim, output_dim, embeddings_initializer=initializer, name=name)
