"""One step of each recurrence, and the scan of a step over time.

A step is a pure function `(inputs, state, weights) -> (output, state)`. Its inputs are already projected: `x W + b` of
all steps is one large product outside of the loop, and only `h U` depends on the step before. States and weights are
named tuples of tensors; the first field of a state is the output.

Steps compute in the dtype of the state and multiply in the dtype of the kernel. The layers keep states in float32 under
`mixed_bfloat16` and `mixed_float16`: a cell state adds up small numbers over many steps, which half precision would
lose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import keras
from keras import ops

Tensor = Any
Activation = Callable[[Tensor], Tensor]
State = TypeVar("State", bound=tuple)

NORM_EPSILON = 1e-5


class RNNState(NamedTuple):
    """State of a simple recurrent network or a GRU: `hidden` is `(batch, units)`."""

    hidden: Tensor


class LSTMState(NamedTuple):
    """State of an LSTM: `hidden` and `cell` are `(batch, units)`."""

    hidden: Tensor
    cell: Tensor


class RNNWeights(NamedTuple):
    """`recurrent_kernel (units, units)`, and `recurrent_gain (units,)` of the layer norm."""

    recurrent_kernel: Tensor
    recurrent_gain: Tensor | None = None


class LSTMWeights(NamedTuple):
    """`recurrent_kernel (units, 4·units)` in the order i, f, g, o; `peephole_kernel (3, units)` for i, f, o.

    Layer norm adds `recurrent_gain (4·units,)`, `cell_gain (units,)` and `cell_offset (units,)`.
    """

    recurrent_kernel: Tensor
    peephole_kernel: Tensor | None = None
    recurrent_gain: Tensor | None = None
    cell_gain: Tensor | None = None
    cell_offset: Tensor | None = None


class GRUWeights(NamedTuple):
    """`recurrent_kernel (units, 3·units)` and `recurrent_bias (3·units,)` in the order z, r, h.

    Layer norm adds `recurrent_gain (3·units,)`.
    """

    recurrent_kernel: Tensor
    recurrent_bias: Tensor | None = None
    recurrent_gain: Tensor | None = None


def simple_rnn_step(
    inputs: Tensor,
    state: RNNState,
    weights: RNNWeights,
    *,
    activation: Activation = keras.activations.tanh,
    dropout_mask: Tensor | None = None,
) -> tuple[Tensor, RNNState]:
    """One step of the Elman network: `h_t = φ(x_t W + h_{t-1} U + b)` (Elman 1990).

    Args:
        inputs: `(batch, units)`, the projected input `x_t W + b`.
        state: the state after the step before.
        weights: the recurrent weights.
        activation: φ.
        dropout_mask: factor `(batch, units)` on the `h_{t-1}` that enters the product.

    Example:
        >>> state = RNNState(ops.array([[0.5]]))
        >>> output, state = simple_rnn_step(ops.array([[0.1]]), state, RNNWeights(ops.array([[2.0]])))
        >>> print(f"{float(output[0, 0]):.4f}")
        0.8005
    """
    hidden = activation(inputs + project_state(state.hidden, weights, dropout_mask))
    return hidden, RNNState(hidden)


def lstm_step(
    inputs: Tensor,
    state: LSTMState,
    weights: LSTMWeights,
    *,
    activation: Activation = keras.activations.tanh,
    recurrent_activation: Activation = keras.activations.sigmoid,
    dropout_mask: Tensor | None = None,
) -> tuple[Tensor, LSTMState]:
    """One step of the LSTM, with peepholes where the weights have them (Gers et al. 2002).

    With `a = x_t W + h_{t-1} U + b` split into i, f, g, o:
    `i = σ(a_i + p_i ⊙ c_{t-1})`, `f = σ(a_f + p_f ⊙ c_{t-1})`, `c_t = f ⊙ c_{t-1} + i ⊙ φ(a_g)`,
    `o = σ(a_o + p_o ⊙ c_t)`, `h_t = o ⊙ φ(c_t)`.

    Args:
        inputs: `(batch, 4·units)`, the projected input `x_t W + b`.
        state: the state after the step before.
        weights: the recurrent weights; layer norm acts on `h_{t-1} U` and on the `c_t` inside the last φ.
        activation: φ.
        recurrent_activation: σ.
        dropout_mask: factor `(batch, units)` on the `h_{t-1}` that enters the product.

    Example:
        >>> state = LSTMState(ops.zeros((1, 1)), ops.ones((1, 1)))
        >>> output, state = lstm_step(ops.zeros((1, 4)), state, LSTMWeights(ops.zeros((1, 4))))
        >>> print(f"{float(state.cell[0, 0]):.4f} {float(output[0, 0]):.4f}")
        0.5000 0.2311
    """
    gates, cell = lstm_gates(inputs, state, weights, activation, recurrent_activation, dropout_mask)
    if weights.cell_gain is None:
        hidden = gates.o * activation(cell)
    else:
        hidden = gates.o * activation(layer_norm(cell, weights.cell_gain, weights.cell_offset))
    return hidden, LSTMState(hidden, cell)


class LSTMGates(NamedTuple):
    """The values of the gates of one step, each `(batch, units)`; `g` is the candidate."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor


def lstm_gates(
    inputs: Tensor,
    state: LSTMState,
    weights: LSTMWeights,
    activation: Activation,
    recurrent_activation: Activation,
    dropout_mask: Tensor | None,
) -> tuple[LSTMGates, Tensor]:
    """The gates of one LSTM step and its new cell state; see `lstm_step`."""
    i, f, g, o = ops.split(inputs + project_state(state.hidden, weights, dropout_mask), 4, axis=-1)
    peephole = weights.peephole_kernel
    if peephole is not None:
        i = i + state.cell * peephole[0]
        f = f + state.cell * peephole[1]
    i, f, g = recurrent_activation(i), recurrent_activation(f), activation(g)
    cell = f * state.cell + i * g
    if peephole is not None:
        o = o + cell * peephole[2]
    return LSTMGates(i, f, g, recurrent_activation(o)), cell


def gru_step(
    inputs: Tensor,
    state: RNNState,
    weights: GRUWeights,
    *,
    activation: Activation = keras.activations.tanh,
    recurrent_activation: Activation = keras.activations.sigmoid,
    reset_after: bool = True,
    dropout_mask: Tensor | None = None,
) -> tuple[Tensor, RNNState]:
    """One step of the GRU (Cho et al. 2014; `reset_after` as in cuDNN).

    `z = σ(a_z + h_{t-1} U_z)`, `r = σ(a_r + h_{t-1} U_r)`, `h_t = z ⊙ h_{t-1} + (1 - z) ⊙ h̃` with
    `h̃ = φ(a_h + r ⊙ (h_{t-1} U_h + b_h))` if `reset_after`, else `h̃ = φ(a_h + (r ⊙ h_{t-1}) U_h)`.

    Args:
        inputs: `(batch, 3·units)`, the projected input `x_t W + b` in the order z, r, h.
        state: the state after the step before.
        weights: the recurrent weights.
        activation: φ.
        recurrent_activation: σ.
        reset_after: whether the reset gate acts after the product or before it.
        dropout_mask: factor `(batch, units)` on the `h_{t-1}` that enters the products.

    Example:
        >>> state = RNNState(ops.ones((1, 1)))
        >>> output, state = gru_step(ops.zeros((1, 3)), state, GRUWeights(ops.zeros((1, 3))))
        >>> print(f"{float(output[0, 0]):.4f}")
        0.5000
    """
    step = gru_gates_reset_after if reset_after else gru_gates_reset_before
    gates = step(inputs, state, weights, activation, recurrent_activation, dropout_mask)
    hidden = gates.z * state.hidden + (1 - gates.z) * gates.candidate
    return hidden, RNNState(hidden)


class GRUGates(NamedTuple):
    """Update gate, reset gate, candidate, and what the reset gate scales; each `(batch, units)`."""

    z: Tensor
    r: Tensor
    candidate: Tensor
    term: Tensor


def gru_gates_reset_after(
    inputs: Tensor,
    state: RNNState,
    weights: GRUWeights,
    activation: Activation,
    recurrent_activation: Activation,
    dropout_mask: Tensor | None,
) -> GRUGates:
    """The gates of one step where the reset gate acts after the product; `term` is `h_{t-1} U_h + b_h`."""
    recurrent = project_state(state.hidden, weights, dropout_mask)
    if weights.recurrent_bias is not None:
        recurrent = recurrent + weights.recurrent_bias
    x_z, x_r, x_h = ops.split(inputs, 3, axis=-1)
    h_z, h_r, term = ops.split(recurrent, 3, axis=-1)
    r = recurrent_activation(x_r + h_r)
    return GRUGates(recurrent_activation(x_z + h_z), r, activation(x_h + r * term), term)


def gru_gates_reset_before(
    inputs: Tensor,
    state: RNNState,
    weights: GRUWeights,
    activation: Activation,
    recurrent_activation: Activation,
    dropout_mask: Tensor | None,
) -> GRUGates:
    """The gates of one step where the reset gate acts before the product; `term` is the dropped `h_{t-1}`."""
    units = state.hidden.shape[-1]
    gate_weights, candidate_weights = split_gru_weights(weights, units)
    term = state.hidden if dropout_mask is None else state.hidden * dropout_mask
    x_z, x_r, x_h = ops.split(inputs, 3, axis=-1)
    h_z, h_r = ops.split(project_state(term, gate_weights), 2, axis=-1)
    r = recurrent_activation(x_r + h_r)
    candidate = activation(x_h + project_state(r * term, candidate_weights))
    return GRUGates(recurrent_activation(x_z + h_z), r, candidate, term)


def split_gru_weights(weights: GRUWeights, units: int) -> tuple[RNNWeights, RNNWeights]:
    """The weights of the two gates z, r and those of the candidate."""
    kernel, gain = weights.recurrent_kernel, weights.recurrent_gain
    split = 2 * units
    if gain is None:
        return RNNWeights(kernel[:, :split]), RNNWeights(kernel[:, split:])
    return RNNWeights(kernel[:, :split], gain[:split]), RNNWeights(kernel[:, split:], gain[split:])


def project_state(hidden: Tensor, weights: Any, dropout_mask: Tensor | None = None) -> Tensor:
    """`h U` in the dtype of the state, multiplied in that of the kernel, with layer norm if the weights have a gain."""
    kernel = weights.recurrent_kernel
    if dropout_mask is not None:
        hidden = hidden * dropout_mask
    product = ops.cast(ops.matmul(ops.cast(hidden, kernel.dtype), kernel), hidden.dtype)
    return product if weights.recurrent_gain is None else layer_norm(product, weights.recurrent_gain)


def layer_norm(values: Tensor, gain: Tensor, offset: Tensor | None = None) -> Tensor:
    """Layer normalisation over the last axis (Ba, Kiros and Hinton 2016)."""
    return ops.layer_normalization(values, gain, offset, axis=-1, epsilon=NORM_EPSILON)


def scan(
    step: Callable[[Tensor, State], tuple[Tensor, State]],
    inputs: Tensor,
    state: State,
    *,
    mask: Tensor | None = None,
    reverse: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, State]:
    """Runs a step over time; the backend differentiates it step by step.

    A masked step does not change the state: its output repeats the hidden state of the last real step, or of the
    initial state. A mask may have gaps. `reverse` starts at the last step, so that each row begins with its own last
    real step; outputs stay at the step that they belong to.

    Args:
        step: `(inputs at t, state) -> (output, state)`, the output being the state's first field.
        inputs: `(batch, time, width)`, of a float dtype.
        state: the initial state.
        mask: bool `(batch, time)`, True where a step is real.
        reverse: whether time runs backwards.
        unroll: whether to write the steps out; needs a static time dimension.

    Returns:
        The outputs `(batch, time, units)` and the last state.

    Example:
        >>> step = lambda x, state: (state[0] + x, RNNState(state[0] + x))
        >>> outputs, last = scan(step, ops.array([[[1.0], [2.0], [4.0]]]), RNNState(ops.zeros((1, 1))))
        >>> print(ops.convert_to_numpy(outputs)[0, :, 0])
        [1. 3. 7.]
    """
    width = inputs.shape[-1]
    if mask is not None:
        # Keras's scan takes only one tensor if the time dimension is dynamic.
        inputs = ops.concatenate([inputs, ops.cast(mask, inputs.dtype)[..., None]], axis=-1)

    def masked_step(state: State, inputs: Tensor) -> State:
        new = step(inputs[:, :width], state)[1]
        return new if mask is None else keep_masked(inputs[:, width:] > 0, new, state)

    last, states = iterate(masked_step, state, swap_time(inputs), reverse=reverse, unroll=unroll)
    return swap_time(states[0]), last


def iterate(
    step: Callable[[State, Tensor], State],
    state: State,
    steps: Tensor,
    *,
    reverse: bool = False,
    unroll: bool = False,
) -> tuple[State, State]:
    """The last of the states `s_t = step(s_{t-1}, steps[t])`, and all of them, time first."""
    if not unroll:
        return ops.scan(lambda s, x: (step(s, x),) * 2, state, steps, reverse=reverse)
    length = checked_length(steps.shape[0])
    states: list[Any] = [None] * length
    for t in reversed(range(length)) if reverse else range(length):
        state = states[t] = step(state, steps[t])
    return state, keras.tree.map_structure(lambda *values: ops.stack(values), *states)


def checked_length(length: int | None) -> int:
    """The number of steps to write out.

    Raises:
        ValueError: it is not known before the run, or zero.
    """
    if not length:
        raise ValueError(f"expected a static time dimension above zero to unroll, found {length}")
    return length


def keep_masked(mask: Tensor, new: State, old: State) -> State:
    """The new state where the mask `(batch, 1)` is True, the old one elsewhere."""
    return keras.tree.map_structure(lambda n, o: ops.where(mask, n, o), new, old)


def swap_time(values: Tensor) -> Tensor:
    """Swaps the axes of batch and time."""
    return ops.transpose(values, (1, 0, *range(2, len(values.shape))))


def as_tensors(weights: State) -> State:
    """The same weights as plain tensors: a custom gradient may not read variables."""
    return keras.tree.map_structure(lambda w: None if w is None else ops.cast(w, w.dtype), weights)
