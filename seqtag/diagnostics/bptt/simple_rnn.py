"""Forward and backward pass of the Elman network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqtag.diagnostics.bptt.arrays import Array, activation_of, as_inputs, shaped, states, units_of, with_initial


class SimpleRNNTrace(NamedTuple):
    """The values of the forward pass: inputs, weights, and h_0 … h_T as `h (batch, time + 1, units)`."""

    x: Array
    kernel: Array
    recurrent_kernel: Array
    h: Array
    activation: str


class SimpleRNNGradients(NamedTuple):
    """The gradients of the loss with respect to everything that it depends on.

    Inputs: `x`. Weights: `kernel`, `recurrent_kernel`, `bias`. States: `h (batch, time + 1, units)`, the total
    dL/dh_t with all later steps included; `h[:, 0]` is that of the initial state.
    """

    x: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array
    h: Array


def simple_rnn_forward(
    x: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    h_0: ArrayLike | None = None,
    activation: str = "tanh",
) -> SimpleRNNTrace:
    """The Elman network (Elman 1990), for t from 1 to T:

        a_t = x_t W_x + h_{t-1} W_h + b
        h_t = φ(a_t)

    Args:
        x: inputs `(batch, time, features)`; x_t is `x[:, t - 1]`.
        kernel: W_x `(features, units)`.
        recurrent_kernel: W_h `(units, units)`.
        bias: b `(units,)`; zero by default.
        h_0: the initial state `(batch, units)`; zero by default.
        activation: φ, one of `"tanh"`, `"relu"`, `"leaky_relu"` (slope 0.2 below zero, as in Keras) and
            `"linear"`.

    Raises:
        ValueError: shapes that do not fit, or an unknown activation.
    """
    x = as_inputs(x)
    batch, time, features = x.shape
    units = units_of(recurrent_kernel, 1)
    W_x = shaped("kernel", kernel, (features, units))
    W_h = shaped("recurrent_kernel", recurrent_kernel, (units, units))
    b = shaped("bias", bias, (units,))
    φ = activation_of(activation).value

    h = states(shaped("h_0", h_0, (batch, units)), time)
    for t in range(1, time + 1):
        h[:, t] = φ(x[:, t - 1] @ W_x + h[:, t - 1] @ W_h + b)
    return SimpleRNNTrace(x, W_x, W_h, h, activation)


def simple_rnn_backward(trace: SimpleRNNTrace, dL_dh: ArrayLike) -> SimpleRNNGradients:
    """Backpropagation through time, for t from T down to 1:

        dL/da_t     = dL/dh_t ⊙ φ'(a_t)
        dL/dh_{t-1} = ∂L/∂h_{t-1} + dL/da_t W_hᵀ

    The weights are the same at every step, so their gradients are sums over the steps and over the rows of the
    batch:

        dL/dW_h = Σ_t h_{t-1}ᵀ dL/da_t        dL/dW_x = Σ_t x_tᵀ dL/da_t        dL/db = Σ_t dL/da_t

    and dL/dx_t = dL/da_t W_xᵀ. The Jacobian of a step, ∂h_t/∂h_{t-1} = W_h diag(φ'(a_t)) for row vectors,
    multiplies the norm of a gradient by at most α γ, with α the spectral norm of W_h and γ the greatest slope of φ
    (1 for tanh). Over t - k steps this is at most (α γ)^(t-k), which vanishes if α γ < 1 (Pascanu et al. 2013,
    section 2.1).

    Args:
        trace: what `simple_rnn_forward` returned.
        dL_dh: `(batch, time, units)`, the ∂L/∂h_t of the steps 1 to T: the direct gradient of each output, without
            later steps.

    Raises:
        ValueError: `dL_dh` of another shape than the outputs.
    """
    x, W_x, W_h, h, activation = trace
    slope = activation_of(activation).slope(h)
    dL_dh = with_initial("dL_dh", dL_dh, h)
    dL_dx, dL_dW_x, dL_dW_h, dL_db = np.zeros_like(x), np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))

    for t in range(h.shape[1] - 1, 0, -1):
        dL_da = dL_dh[:, t] * slope[:, t]
        dL_dh[:, t - 1] += dL_da @ W_h.T
        dL_dW_h += h[:, t - 1].T @ dL_da
        dL_dW_x += x[:, t - 1].T @ dL_da
        dL_db += dL_da.sum(axis=0)
        dL_dx[:, t - 1] = dL_da @ W_x.T
    return SimpleRNNGradients(dL_dx, dL_dW_x, dL_dW_h, dL_db, dL_dh)
