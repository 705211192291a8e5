"""Forward and backward pass of the GRU, with the reset gate after or before the recurrent product."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqtag.diagnostics.bptt.arrays import Array, as_inputs, shaped, sigmoid, states, units_of, with_initial


class GRUTrace(NamedTuple):
    """The values of the forward pass.

    Inputs, weights, and h_0 … h_T as `h (batch, time + 1, units)`. The gates `z` and `r`, the candidate, and `m`
    have the same shape, with unused entries at 0; `m` is `h_{t-1} U_h + b'_h` with `reset_after`, else zero.
    """

    x: Array
    kernel: Array
    recurrent_kernel: Array
    h: Array
    z: Array
    r: Array
    candidate: Array
    m: Array
    reset_after: bool


class GRUGradients(NamedTuple):
    """The gradients of the loss with respect to everything that it depends on.

    Inputs: `x`. Weights: `kernel`, `recurrent_kernel`, and `bias`, `(2, 3·units)` with `reset_after` and
    `(3·units,)` without. States: `h (batch, time + 1, units)`, the total dL/dh_t with all later steps included;
    `h[:, 0]` is that of the initial state.
    """

    x: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array
    h: Array


def gru_forward(
    x: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    h_0: ArrayLike | None = None,
    reset_after: bool = True,
) -> GRUTrace:
    """The gated recurrent unit (Cho et al. 2014), for t from 1 to T:

        z_t = σ(x_t W_z + b_z + h_{t-1} U_z + b'_z)
        r_t = σ(x_t W_r + b_r + h_{t-1} U_r + b'_r)
        h̃_t = tanh(x_t W_h + b_h + r_t ⊙ (h_{t-1} U_h + b'_h))     where reset_after, as in cuDNN
        h̃_t = tanh(x_t W_h + b_h + (r_t ⊙ h_{t-1}) U_h)            elsewhere, and without any b'
        h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t

    Args:
        x: inputs `(batch, time, features)`; x_t is `x[:, t - 1]`.
        kernel: W `(features, 3·units)`, the blocks in the order z, r, h.
        recurrent_kernel: U `(units, 3·units)`.
        bias: b and b' as `(2, 3·units)` where `reset_after`, b `(3·units,)` elsewhere; zero by default.
        h_0: the initial state `(batch, units)`; zero by default.
        reset_after: whether the reset gate acts after the recurrent product or before it.

    Raises:
        ValueError: shapes that do not fit.
    """
    x = as_inputs(x)
    batch, time, features = x.shape
    units = units_of(recurrent_kernel, 3)
    W = shaped("kernel", kernel, (features, 3 * units))
    U = shaped("recurrent_kernel", recurrent_kernel, (units, 3 * units))
    b = shaped("bias", bias, (2, 3 * units) if reset_after else (3 * units,))
    b, b_recurrent = b if reset_after else (b, np.zeros(3 * units))
    U_h = U[:, 2 * units :]

    h = states(shaped("h_0", h_0, (batch, units)), time)
    z, r, candidate, m = (np.zeros_like(h) for _ in range(4))
    for t in range(1, time + 1):
        x_z, x_r, x_h = np.split(x[:, t - 1] @ W + b, 3, axis=-1)
        h_z, h_r, h_h = np.split(h[:, t - 1] @ U + b_recurrent, 3, axis=-1)
        z[:, t] = sigmoid(x_z + h_z)
        r[:, t] = sigmoid(x_r + h_r)
        if reset_after:
            m[:, t] = h_h
            candidate[:, t] = np.tanh(x_h + r[:, t] * h_h)
        else:
            candidate[:, t] = np.tanh(x_h + (r[:, t] * h[:, t - 1]) @ U_h)
        h[:, t] = z[:, t] * h[:, t - 1] + (1 - z[:, t]) * candidate[:, t]
    return GRUTrace(x, W, U, h, z, r, candidate, m, reset_after)


def gru_backward(trace: GRUTrace, dL_dh: ArrayLike) -> GRUGradients:
    """Backpropagation through time, for t from T down to 1.

    The update gate and the candidate made h_t. With a_z, a_r, a_h for the arguments of σ, σ and tanh:

        dL/da_z = dL/dh_t ⊙ (h_{t-1} - h̃_t) ⊙ z_t (1 - z_t)
        dL/da_h = dL/dh_t ⊙ (1 - z_t) ⊙ (1 - h̃_t²)

    The reset gate is part of the candidate. If it acts after the product, on m = h_{t-1} U_h + b'_h, the gradient
    of the products with h_{t-1} is s_t, the blocks

        dL/da_r = dL/da_h ⊙ m ⊙ r_t (1 - r_t)           s_t = [dL/da_z, dL/da_r, dL/da_h ⊙ r_t]
        dL/dh_{t-1} = ∂L/∂h_{t-1} + dL/dh_t ⊙ z_t + s_t Uᵀ
        dL/dU = Σ_t h_{t-1}ᵀ s_t                          dL/db' = Σ_t s_t

    If it acts before the product, on h_{t-1} itself, the gradient of r_t ⊙ h_{t-1} is q = dL/da_h U_hᵀ, and

        dL/da_r = q ⊙ h_{t-1} ⊙ r_t (1 - r_t)
        dL/dh_{t-1} = ∂L/∂h_{t-1} + dL/dh_t ⊙ z_t + q ⊙ r_t + dL/da_z U_zᵀ + dL/da_r U_rᵀ
        dL/dU_z = Σ_t h_{t-1}ᵀ dL/da_z        dL/dU_r = Σ_t h_{t-1}ᵀ dL/da_r
        dL/dU_h = Σ_t (r_t ⊙ h_{t-1})ᵀ dL/da_h

    In both cases dL/dW = Σ_t x_tᵀ dL/da_t, dL/db = Σ_t dL/da_t and dL/dx_t = dL/da_t Wᵀ, with a_t the three blocks
    side by side. The term dL/dh_t ⊙ z_t is the GRU's error carousel: an update gate near 1 passes the gradient
    unchanged.

    Args:
        trace: what `gru_forward` returned.
        dL_dh: `(batch, time, units)`, the ∂L/∂h_t of the steps 1 to T: the direct gradient of each output, without
            later steps.

    Raises:
        ValueError: `dL_dh` of another shape than the outputs.
    """
    x, W, U, h, z, r, candidate, m, reset_after = trace
    split = 2 * len(U)
    U_zr, U_h = U[:, :split], U[:, split:]
    dL_dh = with_initial("dL_dh", dL_dh, h)
    dL_dx, dL_dW, dL_dU, dL_db, dL_db_recurrent = (np.zeros_like(values) for values in (x, W, U, U[0], U[0]))

    for t in range(h.shape[1] - 1, 0, -1):
        dL_da_z = dL_dh[:, t] * (h[:, t - 1] - candidate[:, t]) * z[:, t] * (1 - z[:, t])
        dL_da_h = dL_dh[:, t] * (1 - z[:, t]) * (1 - candidate[:, t] ** 2)
        dL_dh[:, t - 1] += dL_dh[:, t] * z[:, t]
        if reset_after:
            dL_da_r = dL_da_h * m[:, t] * r[:, t] * (1 - r[:, t])
            s = np.concatenate([dL_da_z, dL_da_r, dL_da_h * r[:, t]], axis=-1)
            dL_dh[:, t - 1] += s @ U.T
            dL_dU += h[:, t - 1].T @ s
            dL_db_recurrent += s.sum(axis=0)
        else:
            q = dL_da_h @ U_h.T
            dL_da_r = q * h[:, t - 1] * r[:, t] * (1 - r[:, t])
            dL_da_zr = np.concatenate([dL_da_z, dL_da_r], axis=-1)
            dL_dh[:, t - 1] += q * r[:, t] + dL_da_zr @ U_zr.T
            dL_dU[:, :split] += h[:, t - 1].T @ dL_da_zr
            dL_dU[:, split:] += (r[:, t] * h[:, t - 1]).T @ dL_da_h

        dL_da = np.concatenate([dL_da_z, dL_da_r, dL_da_h], axis=-1)
        dL_dW += x[:, t - 1].T @ dL_da
        dL_db += dL_da.sum(axis=0)
        dL_dx[:, t - 1] = dL_da @ W.T
    bias = np.stack([dL_db, dL_db_recurrent]) if reset_after else dL_db
    return GRUGradients(dL_dx, dL_dW, dL_dU, bias, dL_dh)
