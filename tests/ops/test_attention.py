"""Scores, weights and contexts against loops in NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.ops.attention import additive_scores, attention_weights, contexts, multiplicative_scores

RANDOM = np.random.default_rng(0)
QUERY, KEYS = RANDOM.normal(size=(3, 4, 5)), RANDOM.normal(size=(3, 6, 5))
MEMORY = RANDOM.normal(size=(3, 6, 2))
VECTOR, LOCATION = RANDOM.normal(size=5), RANDOM.normal(size=(3, 4, 6, 5))
MASK = np.array([[1] * 6, [0, 1, 0, 0, 1, 0], [0] * 6], bool)


def numpy(value):
    return ops.convert_to_numpy(value)


def single(*values):
    return [ops.convert_to_tensor(np.float32(value)) for value in values]


def by_hand(score):
    return np.array([[[score(b, t, s) for s in range(6)] for t in range(4)] for b in range(3)])


@pytest.mark.parametrize("located", [False, True])
def test_additive_scores(located):
    def score(b, t, s):
        return VECTOR @ np.tanh(QUERY[b, t] + KEYS[b, s] + (LOCATION[b, t, s] if located else 0))

    found = additive_scores(*single(QUERY, KEYS, VECTOR), *(single(LOCATION) if located else []))
    np.testing.assert_allclose(numpy(found), by_hand(score), rtol=1e-4, atol=1e-5)


def test_multiplicative_scores():
    found = multiplicative_scores(*single(QUERY, KEYS), 0.3)
    np.testing.assert_allclose(
        numpy(found), by_hand(lambda b, t, s: 0.3 * QUERY[b, t] @ KEYS[b, s]), rtol=1e-4, atol=1e-5
    )


def test_weights_are_the_softmax_of_real_steps():
    scores = 3 * RANDOM.normal(size=(3, 4, 6))
    found = numpy(attention_weights(*single(scores), ops.convert_to_tensor(MASK)))
    for b in range(3):
        for t in range(4):
            raised = np.exp(scores[b, t]) * MASK[b]
            np.testing.assert_allclose(found[b, t], raised / max(raised.sum(), 1e-30), rtol=1e-5)
    assert (found[~np.repeat(MASK[:, None], 4, axis=1)] == 0).all()
    np.testing.assert_allclose(numpy(attention_weights(*single(scores))).sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("size", [1e4, -1e4, np.inf])
def test_weights_of_extreme_scores_are_finite(size):
    scores = np.full((1, 1, 6), 2.0)
    scores[..., 1] = min(size, 1e30)
    found = numpy(attention_weights(*single(scores), ops.convert_to_tensor(MASK[1:2])))
    assert np.isfinite(found).all() and found.sum() == pytest.approx(1)


def test_contexts_are_means_of_the_memory():
    weights = RANDOM.dirichlet(np.ones(6), size=(3, 4))
    np.testing.assert_allclose(
        numpy(contexts(*single(weights, MEMORY))), np.einsum("bts,bsf->btf", weights, MEMORY), rtol=1e-5, atol=1e-6
    )
    half = contexts(ops.convert_to_tensor(np.float32(weights)), ops.cast(ops.convert_to_tensor(MEMORY), "bfloat16"))
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"


@pytest.mark.parametrize("located", [False, True])
def test_gradients_against_central_differences(gradients, located):
    def value(query, keys, memory, vector, location):
        scores = additive_scores(query, keys, vector, location if located else None)
        weights = attention_weights(scores + multiplicative_scores(query, keys), ops.convert_to_tensor(MASK))
        return ops.sum(ops.square(contexts(weights, memory)))

    arrays = [np.float32(array) for array in (QUERY, KEYS, MEMORY, VECTOR, LOCATION)]
    found = gradients(value, *arrays)
    for number, array in enumerate(arrays):
        for place in RANDOM.integers(0, array.size, 4):
            step = np.zeros(array.size, np.float32)
            step[place] = 1e-2
            step = step.reshape(array.shape)
            above, below = (
                float(value(*map(ops.convert_to_tensor, [*arrays[:number], array + s, *arrays[number + 1 :]])))
                for s in (step, -step)
            )
            np.testing.assert_allclose(found[number].ravel()[place], (above - below) / 2e-2, atol=5e-3, rtol=1e-2)
    assert all(np.isfinite(gradient).all() for gradient in found)
