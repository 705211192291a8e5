"""The kernels of CRFs against the portable path, float64, themselves and other company."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from seqtag.native.library import kept_away
from seqtag.ops import crf
from seqtag.ops.crf.expectations import expectations
from seqtag.ops.crf.scores import CRFScores
from seqtag.ops.crf.viterbi import best_path

pytestmark = pytest.mark.usefixtures("kernels")


def make_case(batch, time, tags, *, scale=1.0, forbidden=0.0, seed=0, dtype="float32"):
    """Random emissions, a mask with gaps, and scores of which a share is forbidden."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        values = rng.normal(size=shape) * scale
        values[rng.random(shape) < forbidden] = -np.inf
        return tf.constant(values, dtype)

    emissions = tf.constant(rng.normal(size=(batch, time, tags)) * scale, dtype)
    mask = tf.constant(rng.random((batch, time)) < 0.8)
    return emissions, mask, CRFScores(draw(tags), draw(tags, tags), draw(tags))


def log_partitions(emissions, mask, scores):
    """Log-sum-exp step by step, in float64."""
    start, transitions, end = (np.asarray(score, np.float64) for score in scores)
    found = []
    for row, real in zip(np.asarray(emissions, np.float64), np.asarray(mask), strict=True):
        steps = row[real]
        if not len(steps):
            found.append(0.0)
            continue
        sums = start + steps[0]
        for step in steps[1:]:
            sums = logsumexp(sums[:, None] + transitions, axis=0) + step
        found.append(logsumexp(sums + end))
    return np.array(found)


@hypothesis_settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(0, 9), st.integers(1, 20)),
    scale=st.sampled_from([0.1, 1.0, 10.0, 100.0, 1000.0]),
    forbidden=st.sampled_from([0.0, 0.3, 0.7]),
    seed=st.integers(0, 1000),
)
def test_expectations_are_those_of_float64(shape, scale, forbidden, seed):
    case = make_case(*shape, scale=scale, forbidden=forbidden, seed=seed, dtype="float64")
    emissions, mask, scores = case
    exact = expectations(*case)
    with np.errstate(all="ignore"):
        expected = log_partitions(*case)
    np.testing.assert_allclose(exact.log_partition, expected, rtol=1e-12, atol=1e-12)
    found = expectations(tf.cast(emissions, "float32"), mask, CRFScores(*(tf.cast(s, "float32") for s in scores)))
    # Rounded scores of 1000 differ by 1e-4, and so does what they make probable.
    tolerance = 1e-6 * max(1.0, scale * (1 + shape[1]))
    np.testing.assert_allclose(found.log_partition, expected, rtol=1e-5, atol=tolerance)
    for one, other in zip(found[1:], exact[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=20 * tolerance)
    possible = np.isfinite(expected)
    lengths = mask.numpy().sum(axis=1)
    sums = exact.marginals.numpy().sum(axis=-1)
    np.testing.assert_allclose(sums[possible], mask.numpy()[possible].astype(float), atol=1e-9)
    np.testing.assert_allclose(
        exact.transitions.numpy().sum(axis=(1, 2))[possible], np.maximum(lengths - 1, 0)[possible], atol=1e-9
    )
    assert not exact.transitions.numpy()[~possible].any()


@hypothesis_settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(0, 9), st.integers(1, 20)),
    whole=st.booleans(),
    forbidden=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 1000),
)
def test_best_paths_are_those_of_the_portable_path(shape, whole, forbidden, seed):
    emissions, mask, scores = make_case(*shape, forbidden=forbidden, seed=seed)
    if whole:  # many paths have equal scores
        emissions, scores = tf.round(emissions), CRFScores(*map(tf.round, scores))
    tags, best = best_path(emissions, mask, scores)
    with kept_away():
        expected, score = best_path(emissions, mask, scores)
    np.testing.assert_array_equal(best, score)
    possible = np.isfinite(best)
    np.testing.assert_array_equal(tags.numpy()[possible], expected.numpy()[possible])
    assert tags.dtype == tf.int32 and not tags.numpy()[~mask.numpy()].any()


def test_the_gradient_of_a_loss_is_that_of_the_portable_path():
    emissions, mask, scores = make_case(6, 8, 5)
    tags = tf.constant(np.random.default_rng(1).integers(-1, 5, (6, 8)))

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch([emissions, *scores])
            losses = crf.negative_log_likelihood(emissions, tags, mask, scores)
            loss = tf.reduce_sum(losses * tf.range(1.0, 7.0))
        return [losses, *tape.gradient(loss, [emissions, *scores])]

    found = gradients()
    with kept_away():
        for one, other in zip(found, gradients(), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)


def test_marginals_are_differentiated_as_the_portable_ones():
    emissions, mask, scores = make_case(4, 6, 3)
    weights = np.random.default_rng(2).normal(size=(4, 6, 3)).astype("float32")

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch([emissions, *scores])
            loss = tf.reduce_sum(crf.marginals(emissions, mask, scores) * weights)
        return tape.gradient(loss, [emissions, *scores])

    found, in_a_graph = gradients(), tf.function(gradients)()
    with kept_away():
        expected = gradients()
    for one, other, third in zip(found, in_a_graph, expected, strict=True):
        assert np.abs(third).max() > 1e-3
        np.testing.assert_allclose(one, third, atol=1e-6)
        np.testing.assert_allclose(other, third, atol=1e-6)


def test_instruction_sets_agree_and_threads_change_no_bit(each_setting):
    case = make_case(37, 12, 19)
    found = each_setting(lambda: [np.asarray(x) for x in (*expectations(*case), *best_path(*case))], threads=(1, 2, 5))
    first = next(iter(found.values()))
    for (name, threads), values in found.items():
        for one, other, same in zip(values, first, found[name, 1], strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-6, atol=2e-6)
            np.testing.assert_array_equal(one, same, err_msg=f"{name} with {threads} threads")


def test_a_row_has_the_same_bits_alone_and_in_company():
    emissions, mask, scores = make_case(9, 11, 6)
    together = expectations(emissions, mask, scores)
    for row in range(9):
        alone = expectations(emissions[row : row + 1], mask[row : row + 1], scores)
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], other[row])


def test_nan_stays_in_its_row():
    emissions, mask, scores = make_case(4, 5, 3)
    expected = expectations(emissions, mask, scores)
    broken = emissions.numpy()
    broken[2][mask.numpy()[2]] = np.nan
    broken[~mask.numpy()] = np.nan  # masked steps are not read
    found = expectations(broken, mask, scores)
    assert np.isnan(found.log_partition[2])
    for one, other in zip(found, expected, strict=True):
        for row in (0, 1, 3):
            np.testing.assert_array_equal(one[row], other[row])
