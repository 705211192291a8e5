from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import MultiplicativeAttention

RANDOM = np.random.default_rng(0)
QUERY, MEMORY = (RANDOM.normal(size=shape).astype("float32") for shape in ((3, 4, 5), (3, 6, 5)))
QUERY_MASK = np.arange(4) < np.array([[4], [1], [0]])
MEMORY_MASK = np.arange(6) < np.array([[6], [0], [1]])


def as_arrays(outputs):
    return [ops.convert_to_numpy(output) for output in outputs]


@pytest.mark.parametrize("score", ["dot", "general", "scaled"])
def test_weights_and_contexts_by_hand(score):
    layer = MultiplicativeAttention(score)
    found, weights = as_arrays(layer(QUERY, MEMORY, query_mask=QUERY_MASK, memory_mask=MEMORY_MASK))
    kernel = np.eye(5) if score == "dot" else ops.convert_to_numpy(layer.memory_kernel)
    wanted = np.zeros((3, 4, 6))
    for b, t in np.argwhere(QUERY_MASK):
        scores = MEMORY[b] @ kernel @ QUERY[b, t] / (5**0.5 if score == "scaled" else 1)
        raised = np.exp(scores) * MEMORY_MASK[b]
        wanted[b, t] = raised / raised.sum() if raised.any() else 0
    np.testing.assert_allclose(weights, wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found, np.einsum("bts,bsf->btf", wanted, MEMORY), rtol=1e-4, atol=1e-5)
    assert not weights[~QUERY_MASK].any() and not found[1].any()


def test_keras_attention_is_dot():
    mask = MEMORY_MASK | np.array([[False], [True], [False]])
    wanted = keras.layers.Attention()([QUERY, MEMORY], mask=[None, mask], return_attention_scores=True)
    found = MultiplicativeAttention("dot")(QUERY, MEMORY, memory_mask=mask)
    for ours, theirs in zip(as_arrays(found), as_arrays(wanted), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("score", ["general", "scaled"])
def test_a_memory_of_another_width(score):
    found, weights = MultiplicativeAttention(score)(QUERY, MEMORY[..., :2])
    assert (found.shape, weights.shape) == ((3, 4, 2), (3, 4, 6))


def test_arguments_that_cannot_be():
    with pytest.raises(ValueError, match="expected score to be dot, general or scaled, found 'cosine'"):
        MultiplicativeAttention("cosine")
    with pytest.raises(ValueError, match="expected a memory as wide as the queries for score='dot', found 2 and 5"):
        MultiplicativeAttention("dot")(QUERY, MEMORY[..., :2])
