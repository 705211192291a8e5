"""The peepholes of the LSTM, and their absence."""

from __future__ import annotations

import numpy as np

from seqtag.layers import LSTM, PeepholeLSTM, PeepholeLSTMCell


def test_starts_as_keras_does():
    layer = PeepholeLSTM(3)
    layer.build((None, None, 2))
    np.testing.assert_array_equal(layer.cell.bias, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    assert layer.cell.peephole_kernel.shape == (3, 3)


def test_zero_peepholes_are_none():
    inputs = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    with_, without = PeepholeLSTM(5, peephole_initializer="zeros"), PeepholeLSTM(5, peephole=False)
    wanted = with_(inputs)
    for layer in (without, LSTM(5)):
        layer.build(inputs.shape)
        layer.set_weights(with_.get_weights()[:3])
        np.testing.assert_allclose(layer(inputs), wanted, atol=1e-7)


def test_peepholes_by_hand():
    # One unit, no products but the bias: i and f see the old cell state, o the new one.
    cell = PeepholeLSTMCell(1, kernel_initializer="zeros", recurrent_initializer="zeros")
    cell.build((1, 1))
    cell.bias.assign([0.1, 0.2, 0.3, 0.4])
    cell.peephole_kernel.assign([[0.5], [-0.6], [0.7]])
    output, (hidden, new) = cell(
        np.zeros((1, 1), "float32"), [np.zeros((1, 1), "float32"), np.full((1, 1), 2, "float32")]
    )

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    wanted = sigmoid(0.2 - 1.2) * 2 + sigmoid(0.1 + 1.0) * np.tanh(0.3)
    np.testing.assert_allclose(new, [[wanted]], rtol=1e-6)
    np.testing.assert_allclose(output, [[sigmoid(0.4 + 0.7 * wanted) * np.tanh(wanted)]], rtol=1e-6)
    np.testing.assert_array_equal(output, hidden)
