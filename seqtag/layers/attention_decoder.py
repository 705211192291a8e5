"""A recurrent decoder that attends to a memory at each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from seqtag.keras_internals import scan_with_trace
from seqtag.layers.memory_attention import MemoryAttention
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops.arguments import whole_number
from seqtag.ops.attention import Tensor
from seqtag.ops.recurrence import keep_masked, scan, swap_time
from seqtag.ops.scan import ScanOptions


class Memory(NamedTuple):
    """What a decoder attends to: `values (batch, steps, features)`, `keys` made of them, and `mask (batch, steps)`."""

    values: Tensor
    keys: Tensor
    mask: Tensor | None


class DecoderState(NamedTuple):
    """The state between two steps of a decoder.

    Attributes:
        cell: the states of the cell, `(batch, units)` each.
        output: the last output `(batch, units)`, which input feeding reads; `()` without input feeding.
        attended: the sum of the weights so far `(batch, steps)`, for attention that reads it; `()` for other attention.
    """

    cell: tuple[Tensor, ...]
    output: Tensor
    attended: Tensor


class _Trace(NamedTuple):
    """What a step leaves: output and weights."""

    output: Tensor
    weights: Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class AttentionDecoder(keras.layers.Layer):
    """Runs a cell over decoder inputs, with attention to a memory at each step (Luong, Pham and Manning 2015).

        h_t = cell([x_t; o_{t-1}], h_{t-1}),    c_t, a_t = attention(h_t, memory),    o_t = tanh([h_t; c_t] W + b).

    With input feeding (section 3.3 of the paper) the cell reads its last output beside each input, so that it knows
    where it has attended. Without it, the cell runs over all steps first and all of them attend at once, which is much
    faster.

    Weights: those of the cell and of the attention, `output_kernel (cell units + memory features, units)` and
    `output_bias (units,)`.

    Args:
        cell: a cell of seqtag or Keras, whose first state is its output, such as `LSTMCell(256)`.
        attention: `AdditiveAttention` or `MultiplicativeAttention`.
        units: width of the output; that of the cell by default.
        input_feeding: whether the cell reads the last output.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        sequences: decoder inputs `(batch, time, features)`.
        memory: what is attended to, `(batch, steps, memory features)`.
        initial_state: the states of the cell, by default zeros; the returned states go on where a call ended.
        mask: bool `(batch, time)`, True where a decoder step is real; by default that which Keras propagates. A masked
            step changes no state; its output and weights are zeros.
        memory_mask: bool `(batch, steps)`, True where a step of the memory is real; others get no weight.
        training: whether dropout of the cell acts.

    Returns:
        The outputs `(batch, time, units)`, the list of the last states (those of the cell, with input feeding the last
        output, and the sum of the weights for attention that reads it), and the weights `(batch, time, steps)`.

    Raises:
        ValueError: `attention` is no attention layer, `cell` no cell, or the initial state has another number of
            tensors.

    Example:
        >>> from seqtag.layers import AdditiveAttention, GRUCell
        >>> decoder = AttentionDecoder(GRUCell(8), AdditiveAttention(8))
        >>> outputs, states, weights = decoder(keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 6)))
        >>> outputs.shape == (2, 3, 8) and len(states) == 2 and weights.shape == (2, 3, 5)
        True
    """

    def __init__(
        self,
        cell: keras.layers.Layer,
        attention: MemoryAttention,
        units: int | None = None,
        input_feeding: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(attention, MemoryAttention):
            raise ValueError(
                f"expected attention to be AdditiveAttention or MultiplicativeAttention, found {attention!r}"
            )
        if not (hasattr(cell, "state_size") and hasattr(cell, "call")):
            raise ValueError(f"expected a recurrent cell, found {cell!r}")
        self.cell = cell
        self.attention = attention
        self.units = whole_number("units", _width(cell) if units is None else units)
        self.input_feeding = input_feeding
        self.supports_masking = True

    def build(self, sequences_shape: tuple, memory_shape: tuple) -> None:
        """Creates the weights."""
        batch, time, features = sequences_shape
        width = _width(self.cell)
        if not self.cell.built:
            self.cell.build((batch, features + self.units if self.input_feeding else features))
        if not self.attention.built:
            self.attention.build((batch, time, width), memory_shape)
        shape = (width + memory_shape[-1], self.units)
        self.output_kernel = self.add_weight(name="output_kernel", shape=shape)
        self.output_bias = self.add_weight(name="output_bias", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(
        self,
        sequences: Tensor,
        memory: Tensor,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        training: bool = False,
        sequences_mask: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Runs over the decoder inputs; Keras passes their mask as `sequences_mask`."""
        mask = sequences_mask if mask is None else mask
        mask = None if mask is None else ops.cast(mask, "bool")
        attended = self.memory(memory, memory_mask)
        state = self._initial_state(attended, initial_state)
        if self.input_feeding or self.attention.reads_history:
            outputs, weights, last = self._step_by_step(sequences, attended, state, mask, training)
        else:
            outputs, weights, last = self._at_once(sequences, attended, state, mask, training)
        if mask is not None:
            outputs = ops.where(mask[..., None], outputs, ops.zeros_like(outputs))
            weights = ops.where(mask[..., None], weights, ops.zeros_like(weights))
        flat = keras.tree.flatten(last)
        return ops.cast(outputs, self.compute_dtype), flat, weights

    def memory(self, values: Tensor, mask: Tensor | None = None) -> Memory:
        """A memory with its keys, made once for all steps of `step`."""
        return Memory(values, self.attention.keys(values), mask)

    def state(self, cell: Sequence[Tensor], memory: Memory) -> DecoderState:
        """The state before the first step, from the states of the cell."""
        rows = ops.shape(cell[0])[0]
        output = ops.zeros((rows, self.units), self.compute_dtype) if self.input_feeding else ()
        attended = ops.zeros_like(ops.cast(memory.keys[..., 0], "float32")) if self.attention.reads_history else ()
        return DecoderState(tuple(cell), output, attended)

    def step(
        self, inputs: Tensor, state: DecoderState, memory: Memory, training: bool = False
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """One step over inputs `(rows, features)`: the output, the weights `(rows, steps)`, and the new state.

        There may be several rows for each row of the memory, those of one row side by side, as in a beam search.
        """
        if self.input_feeding:
            inputs = ops.concatenate([inputs, ops.cast(state.output, inputs.dtype)], axis=-1)
        hidden, cell = self.cell(inputs, list(state.cell), training=training)
        rows, steps = ops.shape(hidden)[0], ops.shape(memory.keys)[1]
        # A beam's rows are queries of one memory.
        queries = ops.reshape(hidden, (ops.shape(memory.keys)[0], -1, hidden.shape[-1]))
        history = self.attention.reads_history
        before = ops.reshape(state.attended, (*ops.shape(queries)[:2], steps)) if history else None
        context, weights = self.attention.attend(queries, memory.keys, memory.values, memory.mask, before)
        context, weights = ops.reshape(context, (rows, context.shape[-1])), ops.reshape(weights, (rows, steps))
        output = self._output(hidden, context)
        attended = state.attended + weights if history else ()
        fed = output if self.input_feeding else ()
        return output, weights, DecoderState(tuple(keras.tree.flatten(cell)), fed, attended)

    def _output(self, hidden: Tensor, context: Tensor) -> Tensor:
        both = ops.concatenate([ops.cast(hidden, self.compute_dtype), ops.cast(context, self.compute_dtype)], axis=-1)
        return ops.tanh(ops.matmul(both, self.output_kernel) + self.output_bias)

    def _initial_state(self, memory: Memory, given: Sequence[Tensor] | None) -> DecoderState:
        cells = len(keras.tree.flatten(self.cell.state_size))
        if given is None:
            given = keras.tree.flatten(self.cell.get_initial_state(batch_size=ops.shape(memory.values)[0]))
        given = keras.tree.flatten(given)
        state = self.state(given[:cells], memory)
        whole = len(keras.tree.flatten(state))
        if len(given) not in (cells, whole):
            raise ValueError(f"expected an initial state of {cells} tensors of the cell, found {len(given)}")
        return state if len(given) == cells else keras.tree.pack_sequence_as(state, given)

    def _step_by_step(
        self, sequences: Tensor, memory: Memory, state: DecoderState, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor, DecoderState]:
        inputs, by_time = swap_time(sequences), None if mask is None else ops.transpose(mask)[..., None]
        self._draw_dropout(inputs, state, training)

        def step(old: DecoderState, t: Tensor) -> tuple[DecoderState, _Trace]:
            output, weights, new = self.step(inputs[t], old, memory, training)
            new = keras.tree.map_structure(lambda n, o: ops.cast(n, o.dtype), new, old)
            if by_time is not None:
                new = keep_masked(by_time[t], new, old)
            return new, _Trace(ops.cast(output, "float32"), weights)

        widths = _Trace(self.units, memory.keys.shape[1])
        last, trace = scan_with_trace(step, _in_float32(state), ops.shape(inputs)[0], widths, reverse=False)
        self._forget_dropout()
        return swap_time(trace.output), swap_time(trace.weights), last

    def _at_once(
        self, sequences: Tensor, memory: Memory, state: DecoderState, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor, DecoderState]:
        if isinstance(self.cell, RecurrentCell):
            hidden, cell = self._run_cell(sequences, state, mask, training)
        else:
            hidden, cell = self._scan_cell(sequences, state, mask, training)
        hidden = ops.cast(hidden, self.compute_dtype)
        context, weights = self.attention.attend(hidden, memory.keys, memory.values, memory.mask)
        return self._output(hidden, context), weights, DecoderState(tuple(cell), (), ())

    def _run_cell(
        self, sequences: Tensor, state: DecoderState, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, tuple]:
        """A cell of ours over all steps, by its fused recurrence where it has one."""
        cell = self.cell
        dropped = None
        if training and cell.dropout:
            sequences = keras.random.dropout(
                sequences, cell.dropout, noise_shape=(None, 1, None), seed=cell.seed_generator
            )
        if training and cell.recurrent_dropout:
            ones = ops.ones((1, ops.shape(sequences)[0], cell.units), cell.state_dtype)
            dropped = keras.random.dropout(ones, cell.recurrent_dropout, seed=cell.seed_generator)
        by_time = None if mask is None else ops.transpose(mask)[..., None]
        initial = cell.state_type(*[ops.cast(value, cell.state_dtype) for value in state.cell])
        return cell.run(sequences, initial, ScanOptions(by_time, dropped))

    def _scan_cell(
        self, sequences: Tensor, state: DecoderState, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, tuple]:
        """A cell of Keras over all steps."""
        self._draw_dropout(swap_time(sequences), state, training)

        def step(inputs: Tensor, old: tuple) -> tuple[Tensor, tuple]:
            output, new = self.cell(inputs, list(old), training=training)
            return output, tuple(keras.tree.flatten(new))

        hidden, last = scan(step, sequences, state.cell, mask=mask)
        self._forget_dropout()
        return hidden, last

    def _draw_dropout(self, by_time: Tensor, state: DecoderState, training: bool) -> None:
        """Draws the masks of a cell with dropout before its steps, which all have the same."""
        if not (training and hasattr(self.cell, "get_dropout_mask")):
            return
        inputs = by_time[0]
        if self.input_feeding:
            inputs = ops.concatenate([inputs, ops.cast(state.output, inputs.dtype)], axis=-1)
        self._forget_dropout()
        self.cell.get_dropout_mask(inputs)
        self.cell.get_recurrent_dropout_mask(state.cell[0])

    def _forget_dropout(self) -> None:
        if hasattr(self.cell, "reset_dropout_mask"):
            self.cell.reset_dropout_mask()
            self.cell.reset_recurrent_dropout_mask()

    def compute_mask(self, sequences: Any, mask: Any = None) -> tuple:
        """The mask of the decoder inputs, which Keras passes, for the outputs; none for the rest."""
        states = len(keras.tree.flatten(self.cell.state_size)) + self.input_feeding + self.attention.reads_history
        return mask, [None] * states, None

    def compute_output_shape(
        self, sequences_shape: tuple, memory_shape: tuple, initial_state_shape: Any = None
    ) -> tuple[tuple, list[tuple], tuple]:
        """The shapes of the outputs, the states and the weights."""
        batch, time = sequences_shape[:2]
        sizes = [*keras.tree.flatten(self.cell.state_size), *([self.units] if self.input_feeding else [])]
        sizes += [memory_shape[1]] if self.attention.reads_history else []
        return (batch, time, self.units), [(batch, size) for size in sizes], (batch, time, memory_shape[1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        serialized = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "cell": serialized(self.cell),
            "attention": serialized(self.attention),
            "units": self.units,
            "input_feeding": self.input_feeding,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AttentionDecoder:
        """The layer of a configuration."""
        made = {name: keras.saving.deserialize_keras_object(config[name]) for name in ("cell", "attention")}
        return cls(**{**config, **made})


def _width(cell: Any) -> int:
    """The width of a cell's output."""
    size = getattr(cell, "output_size", None)
    return int(keras.tree.flatten(cell.state_size)[0] if size is None else size)


def _in_float32(state: DecoderState) -> DecoderState:
    """The state as a scan carries it: in one dtype, which adds up small numbers over many steps."""
    return keras.tree.map_structure(lambda value: ops.cast(value, "float32"), state)
