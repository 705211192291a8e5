"""Forward and backward pass of the LSTM, with and without peepholes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqtag.diagnostics.bptt.arrays import Array, as_inputs, shaped, sigmoid, states, units_of, with_initial


class PeepholeLSTMTrace(NamedTuple):
    """The values of the forward pass.

    Inputs, weights, the states h_0 … h_T and c_0 … c_T as `h` and `c (batch, time + 1, units)`, and the gates
    `i`, `f`, `g`, `o` of the same shape, with unused entries at 0.
    """

    x: Array
    kernel: Array
    recurrent_kernel: Array
    peephole_kernel: Array
    h: Array
    c: Array
    i: Array
    f: Array
    g: Array
    o: Array


class PeepholeLSTMGradients(NamedTuple):
    """The gradients of the loss with respect to everything that it depends on.

    Inputs: `x`. Weights: `kernel`, `recurrent_kernel`, `bias`, `peephole_kernel`. States: `h` and
    `c (batch, time + 1, units)`, the total dL/dh_t and dL/dc_t with all later steps included; `h[:, 0]` and
    `c[:, 0]` are those of the initial states.
    """

    x: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array
    peephole_kernel: Array
    h: Array
    c: Array


def peephole_lstm_forward(
    x: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    peephole_kernel: ArrayLike | None = None,
    h_0: ArrayLike | None = None,
    c_0: ArrayLike | None = None,
) -> PeepholeLSTMTrace:
    """The LSTM whose gates read the cell state (Gers et al. 2002; Graves 2013), for t from 1 to T:

        a_t = x_t W + h_{t-1} U + b,   in four blocks a_i, a_f, a_g, a_o
        i_t = σ(a_i + p_i ⊙ c_{t-1})
        f_t = σ(a_f + p_f ⊙ c_{t-1})
        g_t = tanh(a_g)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
        o_t = σ(a_o + p_o ⊙ c_t)
        h_t = o_t ⊙ tanh(c_t)

    Args:
        x: inputs `(batch, time, features)`; x_t is `x[:, t - 1]`.
        kernel: W `(features, 4·units)`, the blocks in the order i, f, g, o.
        recurrent_kernel: U `(units, 4·units)`.
        bias: b `(4·units,)`; zero by default.
        peephole_kernel: p `(3, units)` in the order i, f, o; zero by default, which gives the LSTM without peepholes.
        h_0, c_0: the initial states `(batch, units)`; zero by default.

    Raises:
        ValueError: shapes that do not fit.
    """
    x = as_inputs(x)
    batch, time, features = x.shape
    units = units_of(recurrent_kernel, 4)
    W = shaped("kernel", kernel, (features, 4 * units))
    U = shaped("recurrent_kernel", recurrent_kernel, (units, 4 * units))
    b = shaped("bias", bias, (4 * units,))
    p = shaped("peephole_kernel", peephole_kernel, (3, units))
    p_i, p_f, p_o = p

    h = states(shaped("h_0", h_0, (batch, units)), time)
    c = states(shaped("c_0", c_0, (batch, units)), time)
    i, f, g, o = (np.zeros_like(h) for _ in range(4))
    for t in range(1, time + 1):
        a_i, a_f, a_g, a_o = np.split(x[:, t - 1] @ W + h[:, t - 1] @ U + b, 4, axis=-1)
        i[:, t] = sigmoid(a_i + p_i * c[:, t - 1])
        f[:, t] = sigmoid(a_f + p_f * c[:, t - 1])
        g[:, t] = np.tanh(a_g)
        c[:, t] = f[:, t] * c[:, t - 1] + i[:, t] * g[:, t]
        o[:, t] = sigmoid(a_o + p_o * c[:, t])
        h[:, t] = o[:, t] * np.tanh(c[:, t])
    return PeepholeLSTMTrace(x, W, U, p, h, c, i, f, g, o)


def peephole_lstm_backward(
    trace: PeepholeLSTMTrace, dL_dh: ArrayLike, dL_dc: ArrayLike | None = None
) -> PeepholeLSTMGradients:
    """Backpropagation through time, for t from T down to 1.

    The output gate read c_t, so it comes first, and its peephole adds to the gradient of c_t. Then come the gates
    that made c_t:

        dL/da_o = dL/dh_t ⊙ tanh(c_t) ⊙ o_t (1 - o_t)
        dL/dc_t = ∂L/∂c_t + (the part from step t + 1)
                  + dL/dh_t ⊙ o_t ⊙ (1 - tanh²(c_t)) + dL/da_o ⊙ p_o
        dL/da_i = dL/dc_t ⊙ g_t ⊙ i_t (1 - i_t)
        dL/da_f = dL/dc_t ⊙ c_{t-1} ⊙ f_t (1 - f_t)
        dL/da_g = dL/dc_t ⊙ i_t ⊙ (1 - g_t²)

    Step t passes back to the states before it, with a_t for the four blocks side by side:

        dL/dh_{t-1} = ∂L/∂h_{t-1} + dL/da_t Uᵀ
        to dL/dc_{t-1}: dL/dc_t ⊙ f_t + dL/da_i ⊙ p_i + dL/da_f ⊙ p_f

    The first term of the last line is the constant error carousel (Hochreiter and Schmidhuber 1997): from c_t to
    c_k a gradient is multiplied only by the forget gates f_t ⊙ … ⊙ f_{k+1}, by no weight and no slope, and a gate
    near 1 passes it unchanged. The gradients of the weights are sums over the steps:

        dL/dU   = Σ_t h_{t-1}ᵀ dL/da_t       dL/dW   = Σ_t x_tᵀ dL/da_t       dL/db   = Σ_t dL/da_t
        dL/dp_i = Σ_t c_{t-1} ⊙ dL/da_i      dL/dp_f = Σ_t c_{t-1} ⊙ dL/da_f  dL/dp_o = Σ_t c_t ⊙ dL/da_o

    and dL/dx_t = dL/da_t Wᵀ.

    Args:
        trace: what `peephole_lstm_forward` returned.
        dL_dh: `(batch, time, units)`, the ∂L/∂h_t of the steps 1 to T: the direct gradient of each output, without
            later steps.
        dL_dc: the same for the cell states; zero by default, since they are no outputs.

    Raises:
        ValueError: `dL_dh` or `dL_dc` of another shape than the outputs.
    """
    x, W, U, p, h, c, i, f, g, o = trace
    p_i, p_f, p_o = p
    dL_dh, dL_dc = with_initial("dL_dh", dL_dh, h), with_initial("dL_dc", dL_dc, c)
    dL_dx, dL_dW, dL_dU, dL_db, dL_dp = (np.zeros_like(values) for values in (x, W, U, U[0], p))

    for t in range(h.shape[1] - 1, 0, -1):
        tanh_c = np.tanh(c[:, t])
        dL_da_o = dL_dh[:, t] * tanh_c * o[:, t] * (1 - o[:, t])
        dL_dc[:, t] += dL_dh[:, t] * o[:, t] * (1 - tanh_c**2) + dL_da_o * p_o
        dL_da_i = dL_dc[:, t] * g[:, t] * i[:, t] * (1 - i[:, t])
        dL_da_f = dL_dc[:, t] * c[:, t - 1] * f[:, t] * (1 - f[:, t])
        dL_da_g = dL_dc[:, t] * i[:, t] * (1 - g[:, t] ** 2)
        dL_da = np.concatenate([dL_da_i, dL_da_f, dL_da_g, dL_da_o], axis=-1)

        dL_dh[:, t - 1] += dL_da @ U.T
        dL_dc[:, t - 1] += dL_dc[:, t] * f[:, t] + dL_da_i * p_i + dL_da_f * p_f

        dL_dU += h[:, t - 1].T @ dL_da
        dL_dW += x[:, t - 1].T @ dL_da
        dL_db += dL_da.sum(axis=0)
        dL_dp[0] += (c[:, t - 1] * dL_da_i).sum(axis=0)
        dL_dp[1] += (c[:, t - 1] * dL_da_f).sum(axis=0)
        dL_dp[2] += (c[:, t] * dL_da_o).sum(axis=0)
        dL_dx[:, t - 1] = dL_da @ W.T
    return PeepholeLSTMGradients(dL_dx, dL_dW, dL_dU, dL_db, dL_dp, dL_dh, dL_dc)
