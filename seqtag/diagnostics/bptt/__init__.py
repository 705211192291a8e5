"""Backpropagation through time in NumPy: the reference for the tests of the layers' gradients.

A recurrent network applies one function with one set of weights W at every step, `h_t = F(x_t, h_{t-1}; W)`.
Every state h_t enters the loss L twice: directly, through the output of step t, and through all later states, by
h_{t+1}. Going back from the last step therefore gives, with `∂L/∂h_t` for the direct part,

    dL/dh_t = ∂L/∂h_t + dL/dh_{t+1} · ∂h_{t+1}/∂h_t                            (from T down to 0)
    dL/dW   = Σ_t dL/dh_t · ∂h_t/∂W                                            (the weights are shared)

(Werbos 1990; Goodfellow, Bengio and Courville 2016, section 10.2.2). From the loss at step t, the gradient reaches
a much earlier state h_k through a product of Jacobians, `∂h_t/∂h_k = ∂h_t/∂h_{t-1} · … · ∂h_{k+1}/∂h_k`, and a
product of many similar factors vanishes or explodes (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and
Bengio 2013). The gates of an LSTM or a GRU add a path on which the factors are the gates themselves.

Each cell has a `…_forward`, which returns a trace of every state and gate, and a `…_backward`, which takes
the trace and the `∂L/∂h_t` of all steps and returns the gradients. Time runs from 1 to T, and arrays of states
`(batch, time + 1, units)` hold the initial state at 0, so that `h[:, t]` is the h_t of the equations. Weights
are laid out as in `seqtag.layers` and come in the order of `layer.get_weights()`. The code is NumPy in float64,
step by step, written for reading and not for speed; it has no masks.

Example:
    >>> import numpy as np
    >>> x, kernel, recurrent_kernel = np.ones((1, 2, 1)), np.array([[0.5]]), np.array([[2.0]])
    >>> trace = simple_rnn_forward(x, kernel, recurrent_kernel, activation="linear")
    >>> trace.h[0, :, 0]  # h_0, h_1 = 0.5, h_2 = 0.5 + 2 h_1
    array([0. , 0.5, 1.5])
    >>> gradients = simple_rnn_backward(trace, np.array([[[0.0], [1.0]]]))  # L = h_2
    >>> gradients.h[0, :, 0], gradients.recurrent_kernel  # dL/dW_h = h_1
    (array([4., 2., 1.]), array([[0.5]]))
"""

from seqtag.diagnostics.bptt.gru import GRUGradients, GRUTrace, gru_backward, gru_forward
from seqtag.diagnostics.bptt.peephole_lstm import (
    PeepholeLSTMGradients,
    PeepholeLSTMTrace,
    peephole_lstm_backward,
    peephole_lstm_forward,
)
from seqtag.diagnostics.bptt.simple_rnn import (
    SimpleRNNGradients,
    SimpleRNNTrace,
    simple_rnn_backward,
    simple_rnn_forward,
)

__all__ = [
    "GRUGradients",
    "GRUTrace",
    "PeepholeLSTMGradients",
    "PeepholeLSTMTrace",
    "SimpleRNNGradients",
    "SimpleRNNTrace",
    "gru_backward",
    "gru_forward",
    "peephole_lstm_backward",
    "peephole_lstm_forward",
    "simple_rnn_backward",
    "simple_rnn_forward",
]
