from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import AdditiveAttention

RANDOM = np.random.default_rng(0)
QUERY, MEMORY = (RANDOM.normal(size=shape).astype("float32") for shape in ((3, 4, 5), (3, 6, 2)))
QUERY_MASK = np.arange(4) < np.array([[4], [1], [0]])
MEMORY_MASK = np.arange(6) < np.array([[6], [0], [1]])


def as_arrays(outputs):
    return [ops.convert_to_numpy(output) for output in outputs]


def by_hand(layer, query, memory, query_mask, memory_mask):
    """The weights, query after query, as the equations say them."""
    kernels = {weight.name: ops.convert_to_numpy(weight) for weight in layer.weights}
    weights = np.zeros((*query.shape[:2], memory.shape[1]))
    for b in range(len(query)):
        attended = np.zeros(memory.shape[1])
        for t in range(query.shape[1]):
            sums = query[b, t] @ kernels["query_kernel"] + memory[b] @ kernels["memory_kernel"] + kernels["bias"]
            if layer.location_filters:
                sums = sums + location(attended, kernels["location_kernel"]) @ kernels["location_projection"]
            raised = np.exp(np.tanh(sums) @ kernels["vector"]) * memory_mask[b]
            if query_mask[b, t] and raised.any():
                weights[b, t] = raised / raised.sum()
            attended += weights[b, t]
    return weights


def location(attended, kernel):
    """What filters of an odd width see around each step."""
    half = len(kernel) // 2
    padded = np.pad(attended, half)
    return np.array([padded[s : s + len(kernel)] @ kernel[:, 0] for s in range(len(attended))])


@pytest.fixture(params=[{}, {"location_filters": 3, "location_width": 5}], ids=["plain", "located"])
def layer(request):
    layer = AdditiveAttention(7, **request.param)
    layer(QUERY, MEMORY)
    for seed, weight in enumerate(layer.weights):
        weight.assign(keras.random.normal(weight.shape, seed=seed))
    return layer


def test_weights_and_contexts_by_hand(layer):
    found, weights = as_arrays(layer(QUERY, MEMORY, query_mask=QUERY_MASK, memory_mask=MEMORY_MASK))
    wanted = by_hand(layer, QUERY, MEMORY, QUERY_MASK, MEMORY_MASK)
    np.testing.assert_allclose(weights, wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found, np.einsum("bts,bsf->btf", wanted, MEMORY), rtol=1e-4, atol=1e-5)


def test_a_single_row_and_no_masks(layer):
    _, weights = as_arrays(layer(QUERY[:1, :1], MEMORY[:1, :1]))
    np.testing.assert_allclose(weights, [[[1]]], rtol=1e-6)
    _, weights = as_arrays(layer(QUERY[:1], MEMORY[:1]))
    everywhere = np.ones((1, 4), bool), np.ones((1, 6), bool)
    np.testing.assert_allclose(weights, by_hand(layer, QUERY[:1], MEMORY[:1], *everywhere), rtol=1e-4, atol=1e-6)


def test_a_masked_query_is_not_read_by_later_ones():
    layer = AdditiveAttention(7, location_filters=3, location_width=3)
    gap = np.array([[True, False, True, True]])
    _, weights = as_arrays(layer(QUERY[:1], MEMORY[:1], query_mask=gap))
    _, without = as_arrays(layer(QUERY[:1, [0, 2, 3]], MEMORY[:1]))
    np.testing.assert_allclose(weights[:, [0, 2, 3]], without, rtol=1e-5)
    assert not weights[:, 1].any()


def test_keras_additive_attention_without_projections():
    theirs = keras.layers.AdditiveAttention()
    query = RANDOM.normal(size=(3, 4, 2)).astype("float32")
    # Theirs spreads attention over a memory without a real step.
    mask = MEMORY_MASK | np.array([[False], [True], [False]])
    theirs([query, MEMORY])
    theirs.scale.assign(RANDOM.normal(size=2))
    wanted = as_arrays(theirs([query, MEMORY], mask=[None, mask], return_attention_scores=True))
    layer = AdditiveAttention(2)
    layer(query, MEMORY)
    layer.query_kernel.assign(np.eye(2))
    layer.memory_kernel.assign(np.eye(2))
    layer.vector.assign(theirs.scale)
    for ours, other in zip(as_arrays(layer(query, MEMORY, memory_mask=mask)), wanted, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-6)


def test_masks_of_keras_are_read_and_passed_on():
    ids = np.array([[3, 1, 0], [2, 0, 0]])
    vectors = keras.layers.Embedding(4, 2, mask_zero=True)
    layer = AdditiveAttention(3)
    inputs = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    attended, weights = layer(vectors(inputs[0]), vectors(inputs[1]))
    summed = keras.layers.GlobalAveragePooling1D()(attended)
    model = keras.Model(inputs, [attended, weights, summed])
    found, weights, mean = model.predict([ids, ids], verbose=0)
    wanted = as_arrays(layer(vectors(ids), vectors(ids), query_mask=ids != 0, memory_mask=ids != 0))
    np.testing.assert_allclose(found, wanted[0], rtol=1e-5)
    np.testing.assert_allclose(weights, wanted[1], rtol=1e-5)
    np.testing.assert_allclose(mean, [found[0, :2].mean(axis=0), found[1, 0]], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units"),
        ({"units": 2.5}, "units"),
        ({"units": 3, "location_filters": -1}, "location_filters"),
        ({"units": 3, "location_width": 0}, "location_width"),
        ({"units": 3, "location_filters": 2, "location_width": 4}, "expected location_width to be odd, found 4"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdditiveAttention(**arguments)
