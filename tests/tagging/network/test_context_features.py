from __future__ import annotations

import numpy as np
import pytest

from seqtag.tagging.network.context_features import ContextFeatures

TAGS, WORDS, BUCKETS, FEATURES = 3, 7, 11, 4


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return {
        "words": rng.integers(0, WORDS, 5).astype("int32"),
        "buckets": rng.integers(0, BUCKETS, (5, FEATURES)).astype("int32"),
        "word_rows": rng.integers(0, 5, (2, 6)).astype("int32"),
    }


@pytest.fixture
def mask():
    return np.array([[True] * 6, [True] * 3 + [False] * 3])


def filled(context_size):
    layer = ContextFeatures(WORDS, BUCKETS, TAGS, context_size)
    layer.build()
    rng = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


@pytest.mark.parametrize("context_size", [0, 1, 2])
def test_scores_are_the_sum_over_the_context(batch, mask, context_size):
    layer = filled(context_size)
    around, own = (variable.numpy() for variable in layer.trainable_variables)
    found = np.asarray(layer(batch, mask=mask))
    for row in range(2):
        for t in np.flatnonzero(mask[row]):
            word = batch["word_rows"][row, t]
            expected = own[batch["buckets"][word]].sum(axis=0)
            for n, offset in enumerate(range(-context_size, context_size + 1)):
                if 0 <= t + offset < 6 and mask[row, t + offset]:
                    neighbour = batch["words"][batch["word_rows"][row, t + offset]]
                    expected = expected + around[neighbour, n * TAGS : (n + 1) * TAGS]
            np.testing.assert_allclose(found[row, t], expected, rtol=1e-5)


def test_features_start_from_nothing(batch, mask):
    layer = ContextFeatures(WORDS, BUCKETS, TAGS)
    assert not np.asarray(layer(batch, mask=mask)).any()


def test_features_are_left_out_in_training_alone_and_the_mean_stays(batch, mask):
    layer = filled(2)
    plain = np.asarray(layer(batch, mask=mask))
    draws = np.stack([np.asarray(layer(batch, mask=mask, training=True)) for _ in range(400)])
    np.testing.assert_array_equal(np.asarray(layer(batch, mask=mask)), plain)
    assert (draws[0] != plain).any()
    spread = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - plain)[mask] < 6 * spread[mask]).all()


def test_the_configuration_makes_the_same_layer():
    layer = ContextFeatures.from_config(ContextFeatures(WORDS, BUCKETS, TAGS, context_size=1).get_config())
    assert (layer.num_words, layer.num_buckets, layer.num_tags, layer.context_size) == (WORDS, BUCKETS, TAGS, 1)


def test_scores_of_many_tags_are_made_of_fewer_sums(batch, mask):
    """A layer of rank 2 gives the sums of one of 2 tags, times its matrix."""
    narrow, wide = ContextFeatures(WORDS, BUCKETS, 2), ContextFeatures(WORDS, BUCKETS, 5, rank=2)
    rng = np.random.default_rng(2)
    for layer in (narrow, wide):
        layer.build()
    for variable, same in zip(narrow.trainable_variables, wide.trainable_variables, strict=False):
        value = rng.normal(size=variable.shape)
        variable.assign(value)
        same.assign(value)
    matrix = wide.projection.kernel.numpy()
    assert matrix.shape == (2, 5)
    expected = np.asarray(narrow(batch, mask=mask)) @ matrix
    np.testing.assert_allclose(np.asarray(wide(batch, mask=mask)), expected, atol=1e-5)
    assert ContextFeatures.from_config(wide.get_config()).rank == 2
