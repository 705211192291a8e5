"""Heads against scipy's distributions, central differences, and samples whose distribution is known."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.forecasting.network.heads import (
    HEADS,
    NegativeBinomialHead,
    PointHead,
    QuantileHead,
    StudentTHead,
    head_named,
)

LEVELS = (0.1, 0.25, 0.5, 0.7, 0.9)
every_head = pytest.mark.parametrize("name", HEADS)
rng = np.random.default_rng(7)


def inputs(size: int, *shape: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Raw numbers, targets that are whole once scaled, and scales."""
    source = np.random.default_rng(size)
    scale = source.choice([0.5, 1.0, 4.0], shape)
    target = source.integers(0, 6, shape) / scale
    return tuple(tf.constant(each, tf.float32) for each in (source.normal(size=(*shape, size)), target, scale))


# ---------------------------------------------------------------- quantiles


@pytest.mark.parametrize("levels", [LEVELS, (0.1, 0.9), (0.2, 0.3, 0.9), (0.5,), (0.3,)])
def test_raw_zeros_are_the_standard_normal(levels):
    quantiles = QuantileHead(levels).quantiles(tf.zeros((2, len(levels))), levels, tf.ones(2))
    np.testing.assert_allclose(quantiles, [scipy.stats.norm.ppf(levels)] * 2, atol=1e-6)


def test_the_centre_is_the_first_raw_number_and_the_gaps_lie_outward():
    head = QuantileHead((0.1, 0.3, 0.5, 0.9))
    raw = np.array([2.0, 1.0, -1.0, 3.0])
    normal = scipy.stats.norm.ppf(head.levels)
    gaps = np.log1p(np.exp(raw[1:])) / np.log(2) * np.diff(normal)
    expected = [2 - gaps[1] - gaps[0], 2 - gaps[1], 2, 2 + gaps[2]]
    np.testing.assert_allclose(head.quantiles(raw, head.levels, 1.0), expected, rtol=1e-6)
    assert head.point(raw, 1.0) == 2


def test_the_median_alone_scores_the_absolute_error():
    head = QuantileHead((0.5,))
    np.testing.assert_allclose(head.loss([[1.0], [1.0]], [3.0, -0.5], [1.0, 1.0]), [2.0, 1.5])


def test_quantile_loss_is_twice_the_mean_pinball():
    head = QuantileHead((0.2, 0.5, 0.9))
    low, middle, high = head.quantiles(np.zeros(3), head.levels, 1.0).numpy()
    expected = 2 * (0.2 * (0.5 - low) + 0.5 * (0.5 - middle) + 0.1 * (high - 0.5)) / 3
    np.testing.assert_allclose(head.loss(np.zeros(3), 0.5, 1.0), expected, rtol=1e-6)


def test_other_levels_lie_on_straight_lines():
    head = QuantileHead(LEVELS)
    raw, _, scale = inputs(head.size, 20)
    own = head.quantiles(raw, LEVELS, scale).numpy()
    asked = (0.02, 0.05, 0.1, 0.11, 0.4, 0.5, 0.6999, 0.9, 0.99)
    found = head.quantiles(raw, asked, scale).numpy()
    for row, values in zip(found, own, strict=True):
        np.testing.assert_allclose(row[2:-1], np.interp(asked[2:-1], LEVELS, values), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[:, [2, 5, 7]], own[:, [0, 2, 4]])
    np.testing.assert_allclose(found[:, 1], own[:, 0] - (own[:, 1] - own[:, 0]) / 3, rtol=1e-5)
    np.testing.assert_allclose(found[:, -1], own[:, 4] + (own[:, 4] - own[:, 3]) * 0.45, rtol=1e-5)
    lone = QuantileHead((0.5,)).quantiles([[3.0]], (0.1, 0.9), [1.0])
    np.testing.assert_array_equal(lone, [[3.0, 3.0]])


def test_a_level_just_below_a_known_one_does_not_pass_its_quantile():
    raw, _, scale = inputs(5, 1_000)
    found = QuantileHead(LEVELS).quantiles(raw, (0.5 - 1e-12, 0.5, 0.7 - 1e-12, 0.7), scale).numpy()
    assert (np.diff(found) >= 0).all()


@every_head
@given(
    raw=st.lists(st.floats(-50, 50, width=32), min_size=5, max_size=5),
    levels=st.lists(st.floats(1e-4, 1 - 1e-4), min_size=2, max_size=6, unique=True).map(sorted),
    scale=st.floats(0.125, 1000, width=32),
)
@settings(max_examples=40, derandomize=True)
def test_quantiles_never_cross(name, raw, levels, scale):
    head = head_named(name, LEVELS)
    found = head.quantiles(tf.constant([raw[: head.size]]), levels, tf.constant([scale])).numpy()
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()


# ---------------------------------------------------------------- Student's t


def softplus(raw: np.ndarray) -> np.ndarray:
    return np.logaddexp(raw, 0)


def test_student_t_loss_is_scipys():
    raw = rng.normal(size=(500, 3)) * [3, 4, 6]
    raw[:3, 2] = 50, 1e4, 1e6
    target = rng.normal(size=500) * 10
    expected = -scipy.stats.t.logpdf(target, 2 + softplus(raw[:, 2]), raw[:, 0], softplus(raw[:, 1]) + 1e-4)
    np.testing.assert_allclose(StudentTHead().loss(raw, target, 1.0), expected, rtol=1e-4, atol=1e-5)


def test_student_t_quantiles_are_scipys():
    levels = (0.005, 0.01, 0.1, 0.3, 0.499999, 0.5, 0.6, 0.9, 0.975, 0.995)
    raw_df = np.r_[np.linspace(-50, 50, 60), 1e3, 1e5]
    raw = np.stack([0 * raw_df, 0 * raw_df, raw_df], axis=-1).astype(np.float32)
    expected = (np.log(2) + 1e-4) * scipy.stats.t.ppf(levels, 2 + softplus(raw_df)[:, None])
    found = StudentTHead().quantiles(raw, levels, 1.0).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=0)
    np.testing.assert_array_equal(found[:, 5], 0)


def test_student_t_quantiles_of_far_tails():
    raw_df = np.linspace(-20, 50, 30)
    raw = np.stack([0 * raw_df, 0 * raw_df, raw_df], axis=-1)
    levels = (1e-6, 1e-4, 0.9999)
    expected = (np.log(2) + 1e-4) * scipy.stats.t.ppf(levels, 2 + softplus(raw_df)[:, None])
    np.testing.assert_allclose(StudentTHead().quantiles(raw, levels, 1.0), expected, rtol=1e-4)


def test_student_t_point_is_the_location():
    raw, _, scale = inputs(3, 4)
    np.testing.assert_array_equal(StudentTHead().point(raw, scale), raw[:, 0])


# ---------------------------------------------------------------- negative binomial


def counts(means: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw numbers for the means, and what scipy calls n and p."""
    z = means / scale
    raw = np.stack([z + np.log(-np.expm1(-z)), rng.uniform(-12, 4, len(means))], axis=-1).astype(np.float32)
    mean, dispersion = (softplus(raw.astype(float)) + 1e-6).astype(np.float32).astype(float).T
    return raw, 1 / dispersion, 1 / (1 + dispersion * mean * scale)


MEANS = 10.0 ** rng.uniform(-3, 5, 400)


@pytest.mark.parametrize("scale", [1.0, 64.0])
def test_negative_binomial_loss_is_scipys(scale):
    raw, n, p = counts(MEANS, scale)
    target = rng.poisson(MEANS * rng.uniform(0, 2, 400)) // 64 * 64.0
    expected = -scipy.stats.nbinom.logpmf(target, n, p)
    found = NegativeBinomialHead().loss(raw, target / scale, scale)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    nothing = NegativeBinomialHead().loss(raw, 0 * target, scale)
    np.testing.assert_allclose(nothing, -n * np.log(p), rtol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 64.0])
def test_negative_binomial_quantiles_are_scipys(scale):
    raw, n, p = counts(MEANS, scale)
    levels = (0.005, 0.1, 0.5, 0.9, 0.995)
    found = np.round(NegativeBinomialHead().quantiles(raw, levels, np.float32(scale)).numpy() * scale)
    expected = scipy.stats.nbinom.ppf(levels, n[:, None], p[:, None])
    # Parameters in float32 move the large ones by their rounding.
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=0.1)
    assert (found[expected < 1000] == expected[expected < 1000]).mean() > 0.999


def test_large_counts_stay_whole():
    scale = 1e9 / 3
    found = NegativeBinomialHead().quantiles(tf.constant([[3.0, -9.0]]), (0.1, 0.9), tf.constant([scale], tf.float64))
    counted = found.numpy() * scale
    np.testing.assert_allclose(counted, np.round(counted), atol=1e-5)
    assert counted.min() > 2.0**24


def test_negative_binomial_point_is_the_mean_whatever_the_scale():
    raw, _, scale = inputs(2, 4)
    np.testing.assert_allclose(NegativeBinomialHead().point(raw, scale), softplus(raw[:, 0].numpy()) + 1e-6, rtol=1e-6)


# ---------------------------------------------------------------- point


def test_point_losses_by_hand():
    raw, target = [[1.0], [1.0], [1.0]], [1.5, 4.0, -2.0]
    expected = {"mse": [0.25, 9, 9], "mae": [0.5, 3, 3], "huber": [0.125, 2.5, 2.5]}
    for name, losses in expected.items():
        np.testing.assert_allclose(PointHead(name).loss(raw, target, 1.0), losses)
    np.testing.assert_array_equal(PointHead().quantiles(raw, (0.1, 0.9), 1.0), [[1, 1]] * 3)


# ---------------------------------------------------------------- all heads


@every_head
def test_gradients_are_central_differences(name, gradients):
    head = head_named(name, LEVELS)
    raw, target, scale = inputs(head.size, 8)
    (found,) = gradients(lambda raw: tf.reduce_sum(head.loss(raw, target, scale)), raw)
    step = 4e-3
    for column in range(head.size):
        moved = step * np.eye(head.size, dtype=np.float32)[column]
        slope = (head.loss(raw + moved, target, scale) - head.loss(raw - moved, target, scale)) / (2 * step)
        np.testing.assert_allclose(found[:, column], slope, rtol=2e-3, atol=1e-3)


@every_head
def test_extreme_raw_numbers_give_finite_losses_and_gradients(name, gradients):
    head = head_named(name, (0.1, 0.5, 0.9))
    raw = np.array(list(itertools.product([-50, 0, 50], repeat=head.size)), np.float32)[:, None]
    target = np.array([0, 1, 1e6], np.float32)
    loss = head.loss(raw, target, np.float32(1))
    (found,) = gradients(lambda raw: tf.reduce_sum(head.loss(raw, target, np.float32(1))), np.repeat(raw, 3, axis=1))
    assert np.isfinite(loss).all()
    assert np.isfinite(found).all()


@every_head
def test_raw_zeros_are_a_sensible_start(name):
    head = head_named(name, LEVELS)
    raw = tf.zeros((1, head.size))
    low, middle, high = head.quantiles(raw, (0.1, 0.5, 0.9), tf.constant([100.0])).numpy()[0]
    assert abs(middle) <= 1
    assert abs(head.point(raw, tf.constant([100.0]))) < 1
    assert isinstance(head, PointHead) or 0.5 < high - low < 5


@every_head
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_all_but_counts_is_float32_under_any_dtype_policy(name, dtype):
    head = head_named(name, LEVELS)
    raw, target, scale = (tf.cast(each, dtype) for each in inputs(head.size, 6))
    exact = [tf.cast(each, tf.float32) for each in (raw, target, scale)]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = [head.loss(raw, target, scale), head.point(raw, scale), head.quantiles(raw, LEVELS, scale)]
    finally:
        keras.config.set_dtype_policy(policy)
    expected = [head.loss(*exact), head.point(exact[0], exact[2]), head.quantiles(exact[0], LEVELS, exact[2])]
    kinds = [tf.float32, tf.float32, tf.float64 if head.counts else tf.float32]
    for one, other, kind in zip(found, expected, kinds, strict=True):
        assert one.dtype == kind
        np.testing.assert_array_equal(one, other)


@every_head
def test_scale_broadcasts_over_the_horizon(name):
    head = head_named(name, LEVELS)
    raw, target, _ = inputs(head.size, 3, 4)
    scale = tf.constant([[0.5], [1.0], [4.0]])
    assert head.loss(raw, target, scale).shape == head.point(raw, scale).shape == (3, 4)
    found = head.quantiles(raw, (0.2, 0.8), scale)
    assert found.shape == (3, 4, 2)
    np.testing.assert_array_equal(found[2], head.quantiles(raw[2], (0.2, 0.8), scale[2]))
    assert head.quantiles(raw[:0], (0.2, 0.8), scale[:0]).shape == (0, 4, 2)


@every_head
def test_a_saved_model_gives_the_same_quantiles(name, tmp_path):
    head = head_named(name, LEVELS)
    raw, _, scale = inputs(head.size, 3, 4)
    module = tf.Module()
    module.quantiles = tf.function(
        lambda raw, scale: head.quantiles(raw, (0.05, 0.5, 0.95), scale),
        input_signature=[tf.TensorSpec([None, None, head.size]), tf.TensorSpec([None, None])],
    )
    tf.saved_model.save(module, str(tmp_path))
    found = tf.saved_model.load(str(tmp_path)).quantiles(raw, scale)
    np.testing.assert_allclose(found, head.quantiles(raw, (0.05, 0.5, 0.95), scale), rtol=1e-6)


SAMPLES = {
    "quantiles": (scipy.stats.expon(loc=1, scale=2), 1.0, 0.15),
    "student_t": (scipy.stats.t(4, loc=3, scale=0.5), 1.0, 0.1),
    "negative_binomial": (scipy.stats.nbinom(2, 0.2), 8.0, 1.01),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_fitted_head_has_the_quantiles_of_the_sample(name):
    head = head_named(name, LEVELS)
    truth, scale, tolerance = SAMPLES[name]
    target = tf.constant(truth.rvs(4_000, random_state=3) / scale, tf.float32)
    raw = tf.Variable(tf.zeros(head.size))
    optimizer = keras.optimizers.Adam(0.05)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(head.loss(tf.repeat(raw[None], len(target), axis=0), target, scale))
        optimizer.apply([tape.gradient(loss, raw)], [raw])

    optimizer.build([raw])
    for _ in range(400):
        step()
    found = scale * head.quantiles(raw, LEVELS, tf.constant(scale))
    np.testing.assert_allclose(found, truth.ppf(LEVELS), atol=tolerance)


@pytest.mark.parametrize(("name", "statistic"), [("mse", "mean"), ("mae", "median")])
def test_point_losses_are_least_at_mean_and_median(name, statistic):
    sample = scipy.stats.expon.rvs(size=2_001, random_state=3).astype(np.float32)
    centres = np.linspace(0.3, 1.5, 121, dtype=np.float32)
    losses = tf.reduce_mean(PointHead(name).loss(centres[:, None, None], sample, 1.0), axis=1)
    assert abs(centres[np.argmin(losses)] - getattr(np, statistic)(sample)) <= 0.01


# ---------------------------------------------------------------- names and mistakes


@every_head
def test_a_head_is_made_again_from_its_name(name):
    head = head_named(name, LEVELS)
    assert head.name == name
    assert type(head_named(head.name, LEVELS)) is type(head)
    assert head.counts == (name == "negative_binomial")


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((), "expected at least one quantile level, found none"),
        ((0.1, 1.0), "expected quantile levels between 0 and 1, found 1"),
        ((-0.1, 0.5), "expected quantile levels between 0 and 1, found -0.1"),
        ((0.1, float("nan")), "expected quantile levels between 0 and 1, found nan"),
        ((0.5, 0.1), "expected rising quantile levels, found 0.1 after 0.5"),
        ((0.5, 0.5), "expected rising quantile levels, found 0.5 after 0.5"),
    ],
)
def test_levels_rise_between_0_and_1(levels, message):
    with pytest.raises(ValueError, match=message):
        head_named("quantiles", levels)
    with pytest.raises(ValueError, match=message):
        StudentTHead().quantiles(tf.zeros((1, 3)), levels, tf.ones(1))
    if levels:
        with pytest.raises(ValueError, match=message):
            head_named("student_t", levels)


def test_names_are_known():
    with pytest.raises(ValueError, match=r"unknown head 'studentt', did you mean 'student_t'\?"):
        head_named("studentt")
    with pytest.raises(
        ValueError, match="unknown head 'xyz'; heads: quantiles, student_t, negative_binomial, point_mse"
    ):
        head_named("xyz")
    with pytest.raises(ValueError, match="expected loss 'mse', 'mae' or 'huber', found 'l3'"):
        PointHead("l3")
