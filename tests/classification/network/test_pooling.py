"""Pooling under masks, against NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.classification.network.pooling import SequencePooling

RNG = np.random.default_rng(3)
STATES = RNG.normal(size=(3, 5, 4)).astype("float32")
LENGTHS = [5, 2, 0]
MASK = np.arange(5)[None] < np.array(LENGTHS)[:, None]


def expected(kind, states, layer):
    if not len(states):
        return np.zeros(8 if kind == "mean_max" else 4)
    match kind:
        case "mean":
            return states.mean(axis=0)
        case "max":
            return states.max(axis=0)
        case "mean_max":
            return np.concatenate([states.mean(axis=0), states.max(axis=0)])
        case "last":
            return np.concatenate([states[-1, :2], states[0, 2:]])
    kernel, bias, vector = (weight.numpy() for weight in (layer.kernel, layer.bias, layer.vector))
    scores = np.tanh(states @ kernel + bias) @ vector
    shares = np.exp(scores) / np.exp(scores).sum()
    return shares @ states


@pytest.mark.parametrize("kind", ["last", "mean", "max", "mean_max", "attention"])
def test_a_sequence_is_pooled_over_its_real_steps(kind):
    layer = SequencePooling(kind)
    layer.build((None, None, 4))
    if kind == "attention":
        layer.vector.assign(RNG.normal(size=4))
    vectors, weights = layer(STATES, MASK)
    for n, length in enumerate(LENGTHS):
        np.testing.assert_allclose(vectors[n], expected(kind, STATES[n, :length], layer), atol=1e-6)
        assert not np.asarray(weights)[n, length:].any()
        assert float(np.sum(weights[n])) == pytest.approx(1.0 if length else 0.0, abs=1e-6)
    # What stands at masked steps has no part in it.
    other = np.where(MASK[..., None], STATES, 99.0)
    np.testing.assert_allclose(layer(other, MASK)[0], vectors, atol=1e-6)
    again = SequencePooling.from_config(layer.get_config())
    assert again.kind == kind
    assert layer.compute_output_shape((3, 5, 4)) == (tuple(vectors.shape), (3, 5))


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="expected last, mean, max, mean_max or attention, found 'sum'"):
        SequencePooling("sum")


def test_half_precision_has_weights_in_float32():
    layer = SequencePooling("attention", dtype="mixed_bfloat16")
    vectors, weights = layer(keras.ops.cast(STATES, "bfloat16"), MASK)
    assert (keras.backend.standardize_dtype(vectors.dtype), weights.dtype.name) == ("bfloat16", "float32")
