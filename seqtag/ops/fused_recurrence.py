"""Whole-sequence recurrences with gradients derived by hand.

A backend that differentiates a loop step by step computes and adds a gradient of the recurrent kernel's size at every
step. Here the backward loop carries only the gradients of the states. The factors by which each step multiplies them
are computed for all steps at once before the loop, and the gradient of each weight is one product after it. The forward
loop runs the steps of `recurrence`, so that both ways give the same values. Time is the first axis of inputs, outputs
and options: the numbers of a step lie side by side in memory.

Only activations whose derivative (slope) follows from their value can be used here; see `has_slope`.

On processors compiled kernels compute the same, where there are any: `seqtag.native`. That is decided here and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from seqtag.keras_internals import custom_gradient, runs_on_cores
from seqtag.native import recurrence as native
from seqtag.native.library import operations
from seqtag.ops import recurrence
from seqtag.ops.recurrence import (
    Activation,
    GRUWeights,
    LSTMState,
    LSTMWeights,
    RNNState,
    RNNWeights,
    State,
    Tensor,
)
from seqtag.ops.scan import ScanOptions

# The slope of an activation as a function of its value.
_SLOPES: dict[Activation, Activation] = {
    keras.activations.linear: ops.ones_like,
    keras.activations.tanh: lambda y: 1 - y * y,
    keras.activations.sigmoid: lambda y: y * (1 - y),
    keras.activations.relu: lambda y: ops.cast(y > 0, y.dtype),
    keras.activations.leaky_relu: lambda y: ops.where(y > 0, ops.ones_like(y), ops.full_like(y, 0.2)),
}


def has_slope(*activations: Activation) -> bool:
    """Whether the fused recurrences support all of these activations.

    Example:
        >>> has_slope(keras.activations.tanh), has_slope(keras.activations.gelu)
        (True, False)
    """
    return all(activation in _SLOPES for activation in activations)


def can_compile() -> bool:
    """Whether XLA may compile models with these recurrences: it knows no kernel of ours, and is slower."""
    return operations() is None


def is_native(inputs: Tensor, weights: Any, *activations: Activation) -> bool:
    """Whether compiled kernels run this recurrence."""
    names = [activation.__name__ for activation in activations]
    return runs_on_cores() and native.can_run(inputs, weights.recurrent_kernel, names)


def real_steps(values: Tensor, options: ScanOptions) -> Tensor:
    """The real steps alone of `values (time, batch, n)`, `(steps, n)`: kernels run over their projections as well."""
    return native.real_steps(values, options.mask[..., 0])  # type: ignore[index]


def _run_native(
    cell: str,
    inputs: Tensor,
    state: State,
    weights: Any,
    options: ScanOptions,
    activation: Activation,
    recurrent_activation: Activation = keras.activations.linear,
    **more: Tensor,
) -> tuple[Tensor, State]:
    outputs, *last = native.recurrence(
        cell,
        inputs,
        state,
        weights.recurrent_kernel,
        activation=activation.__name__,
        gate_activation=recurrent_activation.__name__,
        mask=None if options.mask is None else options.mask[..., 0],
        dropout=options.dropout_mask,
        reverse=options.reverse,
        **more,
    )
    return outputs, type(state)(*last)


def simple_rnn(
    inputs: Tensor, state: RNNState, weights: RNNWeights, options: ScanOptions, *, activation: Activation
) -> tuple[Tensor, RNNState]:
    """`recurrence.simple_rnn_step` over projected inputs `(time, batch, units)`.

    Returns:
        The outputs `(time, batch, units)` and the last state.

    Example:
        >>> inputs, state = ops.array([[[1.0]], [[0.0]]]), RNNState(ops.zeros((1, 1)))
        >>> weights = RNNWeights(ops.array([[2.0]]))
        >>> outputs, last = simple_rnn(inputs, state, weights, ScanOptions(), activation=keras.activations.linear)
        >>> print(ops.convert_to_numpy(outputs)[:, 0, 0])
        [1. 2.]
    """

    if is_native(inputs, weights, activation):
        return _run_native("simple_rnn", inputs, state, weights, options, activation)

    @custom_gradient
    def run(inputs: Tensor, initial: Tensor, kernel: Tensor) -> tuple:
        def step(old: RNNState, t: Tensor) -> tuple[RNNState, RNNState]:
            new = recurrence.simple_rnn_step(
                inputs[t],
                old,
                RNNWeights(kernel),
                activation=activation,
                dropout_mask=options.dropout_at(t),
            )[1]
            return (options.keep_masked(t, new, old),) * 2

        last, states = options.run(step, RNNState(initial), inputs, RNNState(initial.shape[-1]))

        def backward(*cotangents: Tensor) -> tuple:
            d_outputs, d_last = keras.tree.flatten(cotangents)
            slopes = options.zero_masked(_SLOPES[activation](states.hidden))
            d_initial, trace = _back_through_hidden(options, kernel, [slopes], None, d_outputs, d_last)
            before = options.before(states.hidden, initial)
            return trace.gates, d_initial, _kernel_gradient(options, before, trace.gates, kernel)

        return (states.hidden, last.hidden), backward

    outputs, hidden = run(inputs, state.hidden, weights.recurrent_kernel)
    return outputs, RNNState(hidden)


class _GRUTrace(NamedTuple):
    """Hidden state and gates of a step."""

    hidden: Tensor
    z: Tensor
    r: Tensor
    candidate: Tensor
    term: Tensor


def gru(
    inputs: Tensor,
    state: RNNState,
    weights: GRUWeights,
    options: ScanOptions,
    *,
    activation: Activation,
    recurrent_activation: Activation,
) -> tuple[Tensor, RNNState]:
    """`recurrence.gru_step` with `reset_after` over projected inputs `(time, batch, 3·units)`.

    Returns:
        The outputs `(time, batch, units)` and the last state.
    """

    if is_native(inputs, weights, activation, recurrent_activation):
        bias = weights.recurrent_bias
        return _run_native("gru", inputs, state, weights, options, activation, recurrent_activation, bias=bias)

    @custom_gradient
    def run(inputs: Tensor, initial: Tensor, kernel: Tensor, *bias: Tensor) -> tuple:
        step_weights = GRUWeights(kernel, *bias)

        def step(old: RNNState, t: Tensor) -> tuple[RNNState, _GRUTrace]:
            gates = recurrence.gru_gates_reset_after(
                inputs[t],
                old,
                step_weights,
                activation,
                recurrent_activation,
                options.dropout_at(t),
            )
            hidden = gates.z * old.hidden + (1 - gates.z) * gates.candidate
            new = options.keep_masked(t, RNNState(hidden), old)
            return new, _GRUTrace(new.hidden, *gates)

        last, trace = options.run(step, RNNState(initial), inputs, _GRUTrace(*[initial.shape[-1]] * 5))

        def backward(*cotangents: Tensor) -> tuple:
            d_outputs, d_last = keras.tree.flatten(cotangents)
            before = options.before(trace.hidden, initial)
            to_z = (before - trace.candidate) * _SLOPES[recurrent_activation](trace.z)
            to_h = options.zero_masked((1 - trace.z) * _SLOPES[activation](trace.candidate))
            to_r = to_h * trace.term * _SLOPES[recurrent_activation](trace.r)
            slopes = [options.zero_masked(to_z), to_r, to_h * trace.r]
            kept = options.zero_masked(trace.z)
            d_initial, back = _back_through_hidden(options, kernel, slopes, kept, d_outputs, d_last)
            units = initial.shape[-1]
            d_inputs = ops.concatenate([back.gates[..., : 2 * units], back.hidden * to_h], axis=-1)
            d_kernel = _kernel_gradient(options, before, back.gates, kernel)
            d_bias = [ops.cast(_sum_steps(back.gates), b.dtype) for b in bias]
            return d_inputs, d_initial, d_kernel, *d_bias

        return (trace.hidden, last.hidden), backward

    bias = [] if weights.recurrent_bias is None else [weights.recurrent_bias]
    outputs, hidden = run(inputs, state.hidden, weights.recurrent_kernel, *bias)
    return outputs, RNNState(hidden)


class _LSTMTrace(NamedTuple):
    """State and gates of a step."""

    hidden: Tensor
    cell: Tensor
    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor


def lstm(
    inputs: Tensor,
    state: LSTMState,
    weights: LSTMWeights,
    options: ScanOptions,
    *,
    activation: Activation,
    recurrent_activation: Activation,
) -> tuple[Tensor, LSTMState]:
    """`recurrence.lstm_step` without layer norm over projected inputs `(time, batch, 4·units)`.

    Returns:
        The outputs `(time, batch, units)` and the last state.
    """

    if is_native(inputs, weights, activation, recurrent_activation):
        peephole = weights.peephole_kernel
        return _run_native("lstm", inputs, state, weights, options, activation, recurrent_activation, peephole=peephole)

    @custom_gradient
    def run(inputs: Tensor, hidden: Tensor, cell: Tensor, kernel: Tensor, *peephole: Tensor) -> tuple:
        step_weights = LSTMWeights(kernel, *peephole)

        def step(old: LSTMState, t: Tensor) -> tuple[LSTMState, _LSTMTrace]:
            gates, new_cell = recurrence.lstm_gates(
                inputs[t],
                old,
                step_weights,
                activation,
                recurrent_activation,
                options.dropout_at(t),
            )
            new = options.keep_masked(t, LSTMState(gates.o * activation(new_cell), new_cell), old)
            return new, _LSTMTrace(*new, *gates)

        last, trace = options.run(step, LSTMState(hidden, cell), inputs, _LSTMTrace(*[hidden.shape[-1]] * 6))

        def backward(*cotangents: Tensor) -> tuple:
            d_outputs, d_hidden, d_cell = keras.tree.flatten(cotangents)
            cell_before = options.before(trace.cell, cell)
            factors = _lstm_factors(trace, cell_before, options, activation, recurrent_activation, *peephole)
            d_initial, d_gates = _back_through_lstm(options, kernel, factors, d_outputs, d_hidden, d_cell)
            d_kernel = _kernel_gradient(options, options.before(trace.hidden, hidden), d_gates, kernel)
            d_peephole = [_peephole_gradient(d_gates, trace.cell, cell_before, p.dtype) for p in peephole]
            return d_gates, *d_initial, d_kernel, *d_peephole

        return (trace.hidden, last.hidden, last.cell), backward

    peephole = [] if weights.peephole_kernel is None else [weights.peephole_kernel]
    outputs, hidden, cell = run(inputs, *state, weights.recurrent_kernel, *peephole)
    return outputs, LSTMState(hidden, cell)


class _LSTMFactors(NamedTuple):
    """The factors by which a step multiplies gradients, time first.

    `to_i`, `to_f`, `to_g`, `to_o`: from c_t (from h_t for o) to the sum inside each gate; `into_cell`: from h_t to c_t;
    `decay`: from c_t to c_{t-1}.
    """

    to_i: Tensor
    to_f: Tensor
    to_g: Tensor
    to_o: Tensor
    into_cell: Tensor
    decay: Tensor


def _lstm_factors(
    trace: _LSTMTrace,
    cell_before: Tensor,
    options: ScanOptions,
    activation: Activation,
    recurrent_activation: Activation,
    peephole: Tensor | None = None,
) -> _LSTMFactors:
    squashed = activation(trace.cell)
    slope, gate_slope = _SLOPES[activation], _SLOPES[recurrent_activation]
    to_i, to_f = trace.g * gate_slope(trace.i), cell_before * gate_slope(trace.f)
    to_g, to_o = trace.i * slope(trace.g), squashed * gate_slope(trace.o)
    into_cell, decay = trace.o * slope(squashed), trace.f
    if peephole is not None:
        into_cell = into_cell + to_o * peephole[2]
        decay = decay + to_i * peephole[0] + to_f * peephole[1]
    # At a masked step no gradient enters the gates, and that of the cell passes unchanged.
    zero = options.zero_masked
    return _LSTMFactors(
        zero(to_i), zero(to_f), zero(to_g), zero(to_o), into_cell=zero(into_cell), decay=options.one_masked(decay)
    )


class _Gates(NamedTuple):
    """Gradients of the sums inside a step."""

    gates: Tensor


def _back_through_lstm(
    options: ScanOptions, kernel: Tensor, factors: _LSTMFactors, d_outputs: Tensor, d_hidden: Tensor, d_cell: Tensor
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Gradients of the initial state, and those of the gates' sums `(time, batch, 4·units)`."""
    transposed = ops.transpose(kernel)

    def step(after: LSTMState, t: Tensor) -> tuple[LSTMState, _Gates]:
        at = _LSTMFactors(*[factor[t] for factor in factors])
        hidden = after.hidden + d_outputs[t]
        cell = after.cell + hidden * at.into_cell
        gates = ops.concatenate([cell * at.to_i, cell * at.to_f, cell * at.to_g, hidden * at.to_o], axis=-1)
        return LSTMState(options.back_to_hidden(gates, transposed, t, hidden), cell * at.decay), _Gates(gates)

    last, trace = options.run(step, LSTMState(d_hidden, d_cell), d_outputs, _Gates(kernel.shape[-1]), backward=True)
    return (last.hidden, last.cell), trace.gates


class _HiddenBack(NamedTuple):
    """Gradients of the hidden state after a step, and of the sums inside it."""

    hidden: Tensor
    gates: Tensor


def _back_through_hidden(
    options: ScanOptions,
    kernel: Tensor,
    slopes: Sequence[Tensor],
    kept: Tensor | None,
    d_outputs: Tensor,
    d_last: Tensor,
) -> tuple[Tensor, _HiddenBack]:
    """Gradient of the initial state, and the gradients at each step, time first.

    `slopes` are those of each gate; `kept` is the share of h_{t-1} that a real step adds to h_t without the recurrent
    product.
    """
    transposed = ops.transpose(kernel)

    def step(after: RNNState, t: Tensor) -> tuple[RNNState, _HiddenBack]:
        hidden = after.hidden + d_outputs[t]
        gates = ops.concatenate([hidden * slope[t] for slope in slopes], axis=-1)
        before = options.back_to_hidden(gates, transposed, t, hidden)
        before = before if kept is None else before + hidden * kept[t]
        return RNNState(before), _HiddenBack(hidden, gates)

    widths = _HiddenBack(kernel.shape[0], kernel.shape[1])
    last, trace = options.run(step, RNNState(d_last), d_outputs, widths, backward=True)
    return last.hidden, trace


def _kernel_gradient(options: ScanOptions, before: Tensor, d_gates: Tensor, kernel: Tensor) -> Tensor:
    before = ops.reshape(ops.cast(options.drop(before), kernel.dtype), (-1, kernel.shape[0]))
    return ops.matmul(ops.transpose(before), ops.reshape(ops.cast(d_gates, kernel.dtype), (-1, kernel.shape[1])))


def _peephole_gradient(d_gates: Tensor, cell: Tensor, cell_before: Tensor, dtype: str) -> Tensor:
    d_i, d_f, _, d_o = ops.split(d_gates, 4, axis=-1)
    rows = [_sum_steps(d_i * cell_before), _sum_steps(d_f * cell_before), _sum_steps(d_o * cell)]
    return ops.cast(ops.stack(rows), dtype)


def _sum_steps(values: Tensor) -> Tensor:
    return ops.sum(ops.reshape(values, (-1, values.shape[-1])), axis=0)
