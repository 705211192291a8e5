"""The layers that read the symbols before: recurrent ones, or a window without memory."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from seqtag.models.recurrent import recurrent_layer

State = list[Any]


@keras.saving.register_keras_serializable(package="seqtag")
class RecurrentReader(keras.layers.Layer):
    """Recurrent layers one above the other; their state is what the model knows of all symbols before.

    Args:
        cell: `"lstm"`, `"peephole_lstm"`, `"gru"` or `"simple_rnn"`.
        units: of each layer.
        layers: how many there are.
        residual: whether layers add their inputs to their outputs.
        dropout: of the output of each layer, the same for all steps of a call.
        recurrent_dropout: of the hidden state between steps.
        weight_dropout: of the recurrent kernel's numbers.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        layers: int = 1,
        residual: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.cell = cell
        self.units = units
        self.layers = layers
        self.residual = residual
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.weight_dropout = weight_dropout
        of_layers = {
            "return_sequences": True,
            "return_state": True,
            "residual": residual,
            "recurrent_dropout": recurrent_dropout,
            "weight_dropout": weight_dropout,
        }
        self.recurrent = [
            recurrent_layer(cell, units, name=f"layer_{n}", dtype=self.dtype_policy, **of_layers) for n in range(layers)
        ]
        self.drops = [
            keras.layers.Dropout(dropout, noise_shape=(None, 1, None), dtype=self.dtype_policy) for _ in range(layers)
        ]

    def build(self, vectors_shape: tuple) -> None:
        """Builds the layers for vectors `(rows, steps, width)`."""
        width = vectors_shape[-1]
        for layer in self.recurrent:
            layer.build((None, None, width))
            width = self.units
        self.built = True

    @property
    def width(self) -> int:
        """The width of the hidden states."""
        return self.units

    def state_specs(self) -> list[tuple[int, str]]:
        """The width and the dtype of each tensor of the state."""
        return [(self.units, layer.cell.state_dtype) for layer in self.recurrent for _ in layer.state_size]

    def zero_state(self, rows: Any) -> State:
        """The state before a document: tensors `(rows, units)`."""
        return [tf.zeros([rows, width], dtype) for width, dtype in self.state_specs()]

    def call(self, vectors: Any, state: State, training: bool = False, mask: Any = None) -> tuple[Any, State]:
        """Hidden states `(rows, steps, units)` after each symbol, and the state after the last one."""
        count = len(state) // len(self.recurrent)
        after: State = []
        for number, (layer, drop) in enumerate(zip(self.recurrent, self.drops, strict=True)):
            before = list(state[number * count : (number + 1) * count])
            vectors, *new = layer(vectors, initial_state=before, mask=mask, training=training)
            after += [ops.cast(value, old.dtype) for value, old in zip(new, before, strict=True)]
            vectors = drop(vectors, training=training)
        return vectors, after

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("cell", "units", "layers", "residual", "dropout", "recurrent_dropout", "weight_dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="seqtag")
class WindowReader(keras.layers.Layer):
    """A network without memory (Bengio et al. 2003): the last vectors side by side, and layers of tanh above.

        h_t = tanh(W [v_{t-n+1}; ...; v_t] + b)

    Nothing before the window of n symbols reaches the answer. The state is the vectors of the n - 1 symbols before.

    Args:
        context: n, how many symbols a window has.
        units: of each layer.
        layers: how many there are.
        residual: whether layers but the first add their inputs to their outputs.
        dropout: of the output of each layer.
    """

    def __init__(
        self, context: int, units: int, layers: int = 1, residual: bool = False, dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.context = context
        self.units = units
        self.layers = layers
        self.residual = residual
        self.dropout = dropout
        self.dense = [
            keras.layers.Dense(units, "tanh", name=f"layer_{n}", dtype=self.dtype_policy) for n in range(layers)
        ]
        self.drops = [keras.layers.Dropout(dropout, dtype=self.dtype_policy) for _ in range(layers)]

    def build(self, vectors_shape: tuple) -> None:
        """Builds the layers for vectors `(rows, steps, width)`."""
        self.vector_width = vectors_shape[-1]
        width = self.context * self.vector_width
        for layer in self.dense:
            layer.build((None, None, width))
            width = self.units
        self.built = True

    @property
    def width(self) -> int:
        """The width of the hidden states."""
        return self.units

    def state_specs(self) -> list[tuple[int, str]]:
        """The width and the dtype of each tensor of the state."""
        return [((self.context - 1) * self.vector_width, self.compute_dtype)]

    def zero_state(self, rows: Any) -> State:
        """The state before a document: nothing stands there, `(rows, (context - 1) * width)`."""
        return [tf.zeros([rows, width], dtype) for width, dtype in self.state_specs()]

    def call(self, vectors: Any, state: State, training: bool = False, mask: Any = None) -> tuple[Any, State]:
        """Hidden states `(rows, steps, units)` after each symbol, and the last vectors."""
        if mask is not None:
            vectors = tf.where(mask[..., None], vectors, tf.zeros_like(vectors))
        rows, steps = tf.shape(vectors)[0], tf.shape(vectors)[1]
        before = tf.reshape(state[0], [rows, self.context - 1, self.vector_width])
        known = tf.concat([tf.cast(before, vectors.dtype), vectors], axis=1)
        windows = [known[:, shift : shift + steps] for shift in range(self.context)]
        hidden = tf.concat(windows, axis=-1)
        hidden = tf.ensure_shape(hidden, [None, None, self.context * self.vector_width])
        for number, (layer, drop) in enumerate(zip(self.dense, self.drops, strict=True)):
            above = drop(layer(hidden), training=training)
            hidden = hidden + above if self.residual and number else above
        last = tf.reshape(known[:, steps:], [rows, (self.context - 1) * self.vector_width])
        return hidden, [last]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("context", "units", "layers", "residual", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
