"""GRU beside `keras.layers.GRU`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import GRU

MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 1, 1, 0]], bool)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("go_backwards", [True, False])
def test_equals_keras_weight_for_weight(reset_after, use_bias, go_backwards, weight_gradients):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(3, 5, 4)).astype("float32")
    options = {
        "reset_after": reset_after,
        "use_bias": use_bias,
        "go_backwards": go_backwards,
        "return_sequences": True,
        "bias_initializer": "uniform",
    }
    ours, theirs = GRU(6, **options), keras.layers.GRU(6, **options)
    theirs(inputs)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-6)
    real = (MASK[:, ::-1] if go_backwards else MASK)[..., None]
    scale = random.normal(size=(3, 5, 6)).astype("float32") * real
    found, wanted = (
        weight_gradients(layer, lambda y: ops.sum(y * scale), inputs, mask=MASK) for layer in (ours, theirs)
    )
    for mine, keras_ in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, keras_, rtol=1e-4, atol=1e-5)
