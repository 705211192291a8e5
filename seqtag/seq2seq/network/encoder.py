"""The encoder: a source as a memory for attention, and the states that the decoder starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from seqtag.layers import Bidirectional
from seqtag.layers.embedding import Embedding
from seqtag.models.recurrent import recurrent_layer
from seqtag.ops.recurrence import Tensor

# Width of the vector of a further column.
FEATURE_DIM = 32


class Encoded(NamedTuple):
    """An encoded source.

    Attributes:
        memory: `(batch, steps, units)`.
        mask: bool `(batch, steps)`, True where a symbol is.
        states: the last states of both directions of the last layer, `(batch, units of a direction)` each.
    """

    memory: Tensor
    mask: Tensor
    states: list[Tensor]


@keras.saving.register_keras_serializable(package="seqtag")
class SourceEncoder(keras.layers.Layer):
    """Vectors of the source's symbols, or frames of numbers, through bidirectional recurrent layers.

    Each further column of the source has a vector that stands beside that of every symbol. Layers above the first add
    their inputs to their outputs.

    Args:
        num_symbols: rows of the symbols' table; None for frames.
        feature_sizes: rows of the table of each further column.
        embedding_dim: width of the vectors of symbols, or of the projection of frames.
        cell, layers: the recurrent layers.
        units: of both directions together; an odd number is rounded up.
        dropout, recurrent_dropout: of vectors and outputs, and of the hidden states between steps.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.
    """

    def __init__(
        self,
        num_symbols: int | None,
        feature_sizes: Sequence[int],
        embedding_dim: int,
        cell: str,
        units: int,
        layers: int,
        dropout: float,
        recurrent_dropout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        direction = -(-units // 2)
        self.units = 2 * direction
        self.embedding_dim = embedding_dim
        if num_symbols is None:
            self.vectors: keras.layers.Layer = keras.layers.Dense(embedding_dim, name="frames")
        else:
            self.vectors = Embedding(num_symbols, embedding_dim, name="symbols")
        self.features = [Embedding(size, FEATURE_DIM, name=f"feature_{n}") for n, size in enumerate(feature_sizes)]
        self.dropout = keras.layers.SpatialDropout1D(dropout, name="dropout")
        self.stack = [_layer(cell, direction, recurrent_dropout, f"layer_{n}") for n in range(layers)]

    def build(self, frame_width: int | None = None) -> None:
        """Creates the weights; frames have this width."""
        self.vectors.build((None, None, frame_width) if frame_width else (None, None))
        for table in self.features:
            table.build((None,))
        width = self.embedding_dim + FEATURE_DIM * len(self.features)
        for layer in self.stack:
            layer.build((None, None, width))
            width = self.units
        self.built = True

    def call(self, batch: Mapping[str, Tensor], training: bool = False) -> Encoded:
        """The memory and the last states."""
        vectors = self.vectors(batch["source"] if "source" in batch else batch["frames"])
        steps = ops.shape(vectors)[1]
        for n, table in enumerate(self.features):
            vector = table(batch["features"][:, n])[:, None]
            vectors = ops.concatenate([vectors, ops.repeat(vector, steps, axis=1)], axis=-1)
        mask = ops.arange(steps)[None] < batch["source_lengths"][:, None]
        hidden, states = self.dropout(vectors, training=training), []
        for number, layer in enumerate(self.stack):
            found, *states = layer(hidden, mask=mask, training=training)
            found = self.dropout(found, training=training)
            hidden = hidden + found if number else found
        return Encoded(hidden, mask, states)


def _layer(cell: str, units: int, recurrent_dropout: float, name: str) -> Bidirectional:
    layer = recurrent_layer(
        cell,
        units,
        return_sequences=True,
        return_state=True,
        recurrent_dropout=recurrent_dropout,
        name=cell,
    )
    return Bidirectional(layer, name=name)
