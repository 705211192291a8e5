"""SimpleRNN beside `keras.layers.SimpleRNN`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import SimpleRNN


@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu", "softplus"])
def test_equals_keras_weight_for_weight(activation, weight_gradients):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(3, 5, 4)).astype("float32")
    options = {"activation": activation, "return_sequences": True, "bias_initializer": "uniform"}
    ours, theirs = SimpleRNN(6, **options), keras.layers.SimpleRNN(6, **options)
    theirs(inputs)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-6)
    scale = random.normal(size=(3, 5, 6)).astype("float32")
    found, wanted = (weight_gradients(layer, lambda y: ops.sum(y * scale), inputs) for layer in (ours, theirs))
    for mine, keras_ in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, keras_, rtol=1e-4, atol=1e-5)
