"""LSTM beside `keras.layers.LSTM`, and its forget bias."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import LSTM

MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 1, 1, 0]], bool)


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "softsign"}, {"go_backwards": True}])
def test_equals_keras_weight_for_weight(options, weight_gradients):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(3, 5, 4)).astype("float32")
    options = {"return_sequences": True, "return_state": True, **options}
    ours, theirs = LSTM(6, **options), keras.layers.LSTM(6, **options)
    theirs(inputs)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    start = [random.normal(size=(3, 6)).astype("float32") for _ in range(2)]
    found, wanted = (layer(inputs, initial_state=start, mask=MASK) for layer in (ours, theirs))
    real = MASK[:, ::-1] if ours.go_backwards else MASK
    np.testing.assert_allclose(np.asarray(found[0])[real], np.asarray(wanted[0])[real], atol=1e-6)
    for mine, keras_ in zip(found[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(mine, keras_, atol=1e-6)
    scale = random.normal(size=(3, 5, 6)).astype("float32")

    def loss(outputs):
        return ops.sum(outputs[0] * scale) + ops.sum(outputs[1] * scale[:, 0]) + ops.sum(outputs[2] * scale[:, 1])

    found, wanted = (weight_gradients(layer, loss, inputs, mask=MASK[:1].repeat(3, 0)) for layer in (ours, theirs))
    for mine, keras_ in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, keras_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("forget_bias", "wanted"), [(2.5, 2.5), (0, 0.0), (None, 1.0)])
def test_forget_bias_is_a_number_or_the_initializers(forget_bias, wanted):
    layer = LSTM(4, forget_bias=forget_bias, bias_initializer=keras.initializers.Constant(7))
    layer.build((None, None, 2))
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.cell.bias)[4:8], np.full(4, wanted))
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.cell.bias)[[0, 8, 12]], np.full(3, 7))


def test_without_unit_forget_bias_the_initializer_decides():
    layer = LSTM(4, unit_forget_bias=False, bias_initializer=keras.initializers.Constant(7))
    layer.build((None, None, 2))
    np.testing.assert_array_equal(layer.cell.bias, np.full(16, 7))


def test_chrono_bias_spreads_memories_over_the_steps():
    layer = LSTM(2000, forget_bias="chrono", chrono_steps=50, recurrent_initializer="zeros")
    layer.build((None, None, 2))
    i, f, g, o = np.split(ops.convert_to_numpy(layer.cell.bias), 4)
    np.testing.assert_array_equal(i, -f)
    np.testing.assert_array_equal([g, o], np.zeros((2, 2000)))
    memories = np.exp(f)
    assert 1 <= memories.min() < 1.5 and 48 < memories.max() <= 49
    assert 23.5 < memories.mean() < 26.5


def test_wrong_forget_biases_are_named():
    with pytest.raises(ValueError, match="expected forget_bias to be a number, 'chrono' or None, found 'unit'"):
        LSTM(3, forget_bias="unit")
    with pytest.raises(ValueError, match="expected chrono_steps to be at least 3, found 2"):
        LSTM(3, chrono_steps=2)
