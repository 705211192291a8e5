"""Whole recurrences as one operation of TensorFlow, with its gradient."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from seqtag.native.library import library, operations, shared_float

# As the kernels number them.
CELLS = {"simple_rnn": 0, "gru": 1, "lstm": 2}
ACTIVATIONS = {"linear": 0, "tanh": 1, "sigmoid": 2, "relu": 3, "leaky_relu": 4}
GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}


def can_run(inputs: Any, kernel: Any, activations: list[str]) -> bool:
    """Whether the kernels are there, for these dtypes and activations."""
    return shared_float(inputs, kernel) and ACTIVATIONS.keys() >= set(activations) and operations() is not None


def recurrence(
    cell: str,
    inputs: Any,
    states: tuple[Any, ...],
    kernel: Any,
    *,
    activation: str,
    gate_activation: str = "linear",
    peephole: Any = None,
    bias: Any = None,
    mask: Any = None,
    dropout: Any = None,
    reverse: bool = False,
) -> tuple[Any, ...]:
    """Runs a cell over projected inputs; see `seqtag.ops.fused_recurrence` for what it computes.

    Args:
        cell: one of `CELLS`.
        inputs: `(time, batch, gates · units)`; or those of the real steps alone, see `real_steps`.
        states: the initial hidden state, and of an LSTM the cell, `(batch, units)`.
        kernel: `(units, gates · units)`.
        activation: one of `ACTIVATIONS`.
        gate_activation: the same of the gates.
        peephole: `(3, units)` of an LSTM.
        bias: `(3 · units)` of the recurrent product of a GRU.
        mask: bool `(time, batch)`.
        dropout: `(1, batch, units)` or `(time, batch, units)`.
        reverse: whether time runs backwards.

    Returns:
        The outputs `(time, batch, units)`, then the last states.
    """
    tf = sys.modules["tensorflow"]
    _register_gradient()
    dtype = kernel.dtype
    packed = len(inputs.shape) == 2
    found = operations().seqtag_recurrence(
        hidden_start=states[0],
        cell_start=states[1] if cell == "lstm" else tf.zeros((0, 0), dtype),
        kernel=kernel,
        peephole=tf.zeros((0, 0), dtype) if peephole is None else peephole,
        bias=tf.zeros((0,), dtype) if bias is None else bias,
        mask=tf.zeros((0, 0), tf.bool) if mask is None else mask,
        dropout=tf.zeros((0, 0, 0), dtype) if dropout is None else dropout,
        inputs=inputs,
        cell=CELLS[cell],
        activation=ACTIVATIONS[activation],
        gate_activation=ACTIVATIONS[gate_activation],
        reverse=reverse,
        packed=packed,
    )
    units = kernel.shape[0]
    time, batch = (mask if packed else inputs).shape[:2]
    found.hidden.set_shape((time, batch, units))
    last = (found.hidden_end, found.cell_end) if cell == "lstm" else (found.hidden_end,)
    for value in last:
        value.set_shape((batch, units))
    return found.hidden, *last


@cache
def _register_gradient() -> None:
    """Tells TensorFlow the gradient, once in a process."""
    tf = sys.modules["tensorflow"]

    @tf.RegisterGradient("SeqtagRecurrence")
    def gradient(op: Any, d_outputs: Any, _states: Any, _trace: Any, d_hidden_end: Any, d_cell_end: Any) -> list[Any]:
        hidden_start, cell_start, kernel, peephole, bias, mask, dropout, inputs = op.inputs
        hidden, states, trace, _, _ = op.outputs
        reverse, packed, cell = (op.get_attr(name) for name in ("reverse", "packed", "cell"))
        d_inputs, d_recurrent, d_hidden, d_cell = library().operations.seqtag_recurrence_grad(
            *op.inputs[:7],
            hidden,
            states,
            trace,
            d_outputs,
            d_hidden_end,
            d_cell_end,
            cell=cell,
            activation=op.get_attr("activation"),
            gate_activation=op.get_attr("gate_activation"),
            reverse=reverse,
            packed=packed,
        )
        # What reads the gradients may ask for their shapes while it is traced.
        d_inputs.set_shape(inputs.shape)
        d_hidden.set_shape(hidden_start.shape)
        if cell == CELLS["lstm"]:
            d_cell.set_shape(cell_start.shape)
        if cell == CELLS["gru"]:
            d_recurrent.set_shape(inputs.shape)
        sums = d_recurrent if cell == CELLS["gru"] else d_inputs

        def real(values: Any) -> Any:
            return tf.boolean_mask(values, mask) if packed else values

        before = _before(hidden, hidden_start, reverse)
        if _is_there(dropout):
            before = before * dropout
        before = real(before)
        units, width = kernel.shape
        d_kernel = tf.matmul(tf.reshape(before, (-1, units)), tf.reshape(sums, (-1, width)), transpose_a=True)
        d_peephole = d_bias = None
        if _is_there(peephole):
            d_i, d_f, _, d_o = tf.split(d_inputs, 4, axis=-1)
            cell_before = real(_before(states, cell_start, reverse))
            products = (d_i * cell_before, d_f * cell_before, d_o * real(states))
            d_peephole = tf.stack([_sum_of_steps(product, units) for product in products])
        if _is_there(bias):
            d_bias = _sum_of_steps(sums, width)
        return [d_hidden, d_cell, d_kernel, d_peephole, d_bias, None, None, d_inputs]

    @tf.RegisterGradient("SeqtagRecurrenceGrad")
    def second(op: Any, *gradients: Any) -> list[Any]:
        raise NotImplementedError(
            "second derivatives of a recurrence: the compiled kernels have none; SEQTAG_NATIVE=0 keeps them away"
        )


def real_steps(values: Any, mask: Any) -> Any:
    """The rows of `values (time, batch, n)` where `mask (time, batch)` is True: `(steps, n)`, in their order."""
    tf = sys.modules["tensorflow"]
    # Of a gather, TensorFlow would make the gradient sparse, and warn where it makes it dense again.
    return tf.dynamic_partition(values, tf.cast(mask, tf.int32), 2)[1]


def _sum_of_steps(values: Any, width: int) -> Any:
    tf = sys.modules["tensorflow"]
    return tf.reduce_sum(tf.reshape(values, (-1, width)), axis=0)


def _is_there(value: Any) -> bool:
    return value.shape[0] != 0


def _before(states: Any, start: Any, reverse: bool) -> Any:
    """The states before each step, from those after it, `(time, batch, units)`."""
    tf = sys.modules["tensorflow"]
    # In this order there is no step where time is 0.
    return tf.concat([states, start[None]], axis=0)[1:] if reverse else tf.concat([start[None], states], axis=0)[:-1]
