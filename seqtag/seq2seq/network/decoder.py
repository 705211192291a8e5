"""The decoder: from an encoded source and the symbols so far to what the next symbol may be."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from seqtag.layers import AdditiveAttention, AttentionDecoder, MultiplicativeAttention
from seqtag.layers.attention_decoder import Memory
from seqtag.layers.embedding import Embedding
from seqtag.layers.memory_attention import MemoryAttention
from seqtag.models.recurrent import recurrent_cell, recurrent_layer
from seqtag.ops.recurrence import Tensor
from seqtag.seq2seq.network.encoder import Encoded

# Of attention that reads where it was before.
LOCATION = {"location_filters": 16, "location_width": 15}


class Decoded(NamedTuple):
    """What a decoder says of given symbols.

    Attributes:
        hidden: `(batch, time, units)`, from which the scores of symbols follow.
        weights: of the attention `(batch, time, steps)`; None without attention.
    """

    hidden: Tensor
    weights: Tensor | None


class StepState(NamedTuple):
    """The state between two symbols.

    Attributes:
        first: of the first layer, which attends.
        upper: of the layers above.
        attended: the sum of the attention's weights so far `(rows, steps)`; `()` without attention.
    """

    first: Any
    upper: tuple
    attended: Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class TargetDecoder(keras.layers.Layer):
    """Vectors of the target's symbols through recurrent layers, of which the first one attends to the source.

    Layers above the first read its outputs and add them to their own, as in Wu et al. (2016, section 3): they wait for
    no attention, so that they run over whole targets at once. Without attention, the first layer knows of the source
    what the encoder's last state says.

    Args:
        num_symbols: rows of the symbols' table.
        attention: `"additive"`, `"dot"`, `"general"`, `"scaled"`, `"location"`, or None.
        input_feeding: see `AttentionDecoder`.
        embedding_dim, cell, units, layers, dropout, recurrent_dropout: as of the encoder.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.
    """

    def __init__(
        self,
        num_symbols: int,
        attention: str | None,
        input_feeding: bool,
        embedding_dim: int,
        cell: str,
        units: int,
        layers: int,
        dropout: float,
        recurrent_dropout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.embedding_dim = embedding_dim
        self.attends = attention is not None
        self.vectors = Embedding(num_symbols, embedding_dim, name="symbols")
        self.dropout = keras.layers.SpatialDropout1D(dropout, name="dropout")
        options = {"return_sequences": True, "recurrent_dropout": recurrent_dropout}
        if attention is None:
            self.first = recurrent_layer(cell, units, **options, name="first")
            self.cells = [self.first.cell]
        else:
            self.cells = [recurrent_cell(cell, units, recurrent_dropout=recurrent_dropout, name="cell")]
            attending = _attention(attention, units)
            self.first = AttentionDecoder(self.cells[0], attending, input_feeding=input_feeding, name="first")
        self.upper = [recurrent_layer(cell, units, **options, name=f"layer_{n}") for n in range(1, layers)]
        self.cells += [layer.cell for layer in self.upper]
        self.bridges = [
            keras.layers.Dense(units, activation="tanh", name=f"bridge_{n}_{field}")
            for n, one in enumerate(self.cells)
            for field in one.state_type._fields
        ]

    def build(self, memory_width: int, state_width: int) -> None:
        """Creates the weights for a memory and states of these widths."""
        self.vectors.build((None, None))
        inputs = (None, None, self.embedding_dim)
        if self.attends:
            self.first.build(inputs, (None, None, memory_width))
        else:
            self.first.build(inputs)
        for layer in self.upper:
            layer.build((None, None, self.units))
        for bridge in self.bridges:
            bridge.build((None, state_width))
        self.built = True

    def call(self, symbols: Tensor, encoded: Encoded, training: bool = False) -> Decoded:
        """Reads symbols `(batch, time)`, each of which stands before the one that is to be told."""
        states = self._initial_states(encoded)
        vectors = self.dropout(self.vectors(symbols), training=training)
        weights = None
        if self.attends:
            found, _, weights = self.first(
                vectors, encoded.memory, initial_state=list(states[0]), memory_mask=encoded.mask, training=training
            )
        else:
            found = self.first(vectors, initial_state=list(states[0]), training=training)
        hidden = self.dropout(found, training=training)
        for layer, state in zip(self.upper, states[1:], strict=True):
            found = layer(hidden, initial_state=list(state), training=training)
            hidden = hidden + self.dropout(found, training=training)
        return Decoded(hidden, weights)

    def _initial_states(self, encoded: Encoded) -> list[tuple]:
        """The state of each layer before the first symbol, from the encoder's last states."""
        last = ops.concatenate(encoded.states, axis=-1)
        made = [bridge(last) for bridge in self.bridges]
        states = []
        for cell in self.cells:
            fields = len(cell.state_type._fields)
            states.append(tuple(made[:fields]))
            made = made[fields:]
        return states

    def memory(self, encoded: Encoded) -> Memory | None:
        """The source as the steps attend to it."""
        return self.first.memory(encoded.memory, encoded.mask) if self.attends else None

    def initial_state(self, encoded: Encoded, memory: Memory | None) -> StepState:
        """The state before the first symbol."""
        first, *upper = self._initial_states(encoded)
        if memory is None:
            return StepState(first, tuple(upper), ())
        attended = ops.zeros_like(ops.cast(memory.keys[..., 0], "float32"))
        return StepState(self.first.state(first, memory), tuple(upper), attended)

    def step(self, symbols: Tensor, state: StepState, memory: Memory | None) -> tuple[Tensor, Tensor | None, StepState]:
        """What follows symbols `(rows,)`: the hidden vector `(rows, units)`, the weights, and the new state.

        There may be several rows for each source, those of one source side by side.
        """
        vectors = self.vectors(symbols)
        weights = None
        if memory is None:
            hidden, first = self.cells[0](vectors, list(state.first))
            first = tuple(first)
        else:
            hidden, weights, first = self.first.step(vectors, state.first, memory)
        upper = []
        for cell, before in zip(self.cells[1:], state.upper, strict=True):
            found, after = cell(hidden, list(before))
            hidden = hidden + found
            upper.append(tuple(after))
        attended = () if weights is None else state.attended + weights
        return hidden, weights, StepState(first, tuple(upper), attended)


def _attention(kind: Any, units: int) -> MemoryAttention:
    if kind in ("additive", "location"):
        return AdditiveAttention(units, **(LOCATION if kind == "location" else {}), name="attention")
    return MultiplicativeAttention(kind, name="attention")
