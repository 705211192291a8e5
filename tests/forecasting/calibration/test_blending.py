"""Blending: weights against a search over all weights, and the cases of no and of full weight."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.forecasting.calibration.blending import BlendWeights, fit_blend


def forecasts(seed, windows=12, horizon=3, num_series=3, model_error=1.0, naive_error=1.0):
    random = np.random.default_rng(seed)
    target = random.normal(size=(windows, horizon)) * 5
    model = target + model_error * random.normal(size=target.shape)
    naive = target + naive_error * random.normal(size=target.shape)
    target[random.random(target.shape) < 0.15] = np.nan
    spread = random.uniform(0.5, 3, windows)
    return target, model, naive, spread, random.integers(1, num_series + 1, windows), num_series


def squared_error(weight, row, step, target, model, naive, spread, series, prior):
    """The objective as the module's text has it, window by window."""
    total = 0.0
    losses = ((target - weight * model - (1 - weight) * naive) / spread[:, None]) ** 2
    pooled = [losses[window, step] for window in range(len(target)) if not np.isnan(losses[window, step])]
    if pooled:
        total += (prior if row else 1.0) * np.mean(pooled)
    for window in range(len(target)):
        seen = losses[window][~np.isnan(losses[window])]
        if row and series[window] == row and len(seen):
            total += np.mean(seen)
    return total


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 4.0]), st.sampled_from([0.3, 1.0, 3.0]))
def test_no_weight_on_a_grid_has_a_smaller_error(seed, prior, naive_error):
    target, model, naive, spread, series, num_series = forecasts(seed, naive_error=naive_error)
    found = fit_blend(target, model, naive, spread, series, num_series, prior=prior).weights
    for row, step in np.ndindex(found.shape):
        best = squared_error(found[row, step], row, step, target, model, naive, spread, series, prior)
        for weight in np.linspace(0, 1, 21):
            other = squared_error(weight, row, step, target, model, naive, spread, series, prior)
            assert best <= other + 1e-9


def test_a_model_of_noise_gets_no_weight_and_a_perfect_one_all():
    target, model, naive, spread, series, num_series = forecasts(0, windows=60, model_error=0.0)
    perfect = fit_blend(target, model, naive, spread, series, num_series)
    np.testing.assert_allclose(perfect.weights, 1)
    hopeless = fit_blend(target, naive + 5 * (naive - target), naive, spread, series, num_series)
    assert (hopeless.weights[1:][np.bincount(series, minlength=4)[1:] > 0] == 0).all()
    right = fit_blend(target, model + 3, np.nan_to_num(target), spread, series, num_series)
    assert (right.weights == 0).all()


def test_two_equally_good_forecasts_share():
    target, model, naive, spread, series, num_series = forecasts(1, windows=4000)
    np.testing.assert_allclose(fit_blend(target, model, naive, spread, series, num_series).weights, 0.5, atol=0.04)


def test_each_step_and_each_series_has_its_own_weight():
    """The model is right at the first step and for series 1, seasonal naive elsewhere."""
    random = np.random.default_rng(2)
    target, series = random.normal(size=(400, 2)), np.arange(400) % 2 + 1
    good, bad = target + 0.1, target + random.normal(size=target.shape)
    by_step = np.array([True, False])
    found = fit_blend(target, np.where(by_step, good, bad), np.where(by_step, bad, good), np.ones(400), series, 2)
    assert found.weights[0, 0] > 0.9 and found.weights[0, 1] < 0.1
    by_series = (series == 1)[:, None]
    found = fit_blend(target, np.where(by_series, good, bad), np.where(by_series, bad, good), np.ones(400), series, 2)
    assert found.weights[1].min() > 0.9 and found.weights[2].max() < 0.1


def test_the_prior_draws_a_series_toward_all():
    target, model, naive, spread, series, num_series = forecasts(3)
    weights = [fit_blend(target, model, naive, spread, series, num_series, prior=c).weights for c in (0, 4, 1e9)]
    np.testing.assert_allclose(weights[2][1:], np.broadcast_to(weights[2][:1], (num_series, 3)), atol=1e-6)
    assert (np.abs(weights[1][1:] - weights[1][:1]) <= np.abs(weights[0][1:] - weights[0][:1]) + 1e-12).all()
    for row in weights:
        np.testing.assert_array_equal(row[0], weights[0][0])


def test_a_series_without_windows_takes_the_weights_of_all():
    target, model, naive, spread, series, _ = forecasts(4)
    found = fit_blend(target, model, naive, spread, series, 5).weights
    np.testing.assert_allclose(found[5], found[0])


def test_without_evidence_the_model_gets_all_weight():
    nothing = fit_blend(np.full((2, 3), np.nan), np.zeros((2, 3)), np.ones((2, 3)), np.ones(2), np.array([1, 1]), 1)
    equal = fit_blend(np.zeros((2, 3)), np.ones((2, 3)), np.ones((2, 3)), np.ones(2), np.array([1, 1]), 1)
    constant = fit_blend(np.zeros((2, 3)), np.ones((2, 3)), np.zeros((2, 3)), np.zeros(2), np.array([1, 1]), 1)
    for found in (nothing, equal, constant):
        assert found.weights.tolist() == [[1.0] * 3] * 2


def test_blended_points_and_quantiles():
    weights = BlendWeights(np.array([[0.5, 0.25], [1.0, 0.0]]))
    model, naive = np.full((3, 3), 4.0), np.zeros((3, 3))
    found = weights.blended(model, naive, np.array([1, 0, 1]))
    assert found.tolist() == [[4, 0, 0], [2, 1, 1], [4, 0, 0]]  # the third step is beyond the horizon
    levels = np.array([-1.0, 1.0])
    quantiles = weights.blended(model[..., None] + levels, naive[..., None] + 2 * levels, np.array([1, 0, 1]))
    assert quantiles[1].tolist() == [[0.5, 3.5], [-0.75, 2.75], [-0.75, 2.75]]
    np.testing.assert_allclose(quantiles.mean(axis=-1), found)


def test_weights_through_json():
    found = fit_blend(*forecasts(5))
    back = BlendWeights.from_dict(json.loads(json.dumps(found.to_dict())))
    np.testing.assert_array_equal(back.weights, found.weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros((2, 0))}, r"expected target \(windows, horizon\), found shape \(2, 0\)"),
        ({"model_point": np.zeros((2, 2))}, r"expected model_point of shape \(2, 3\), found \(2, 2\)"),
        ({"naive_point": np.full((2, 3), np.nan)}, "expected finite naive_point wherever the target is observed"),
        ({"spread": np.array([1.0, np.inf])}, "expected spreads that are finite and not negative, found inf"),
        ({"series_index": np.array([0, 1])}, "expected series_index between 1 and 4, found 0"),
        ({"series_index": np.array([1, 5])}, "expected series_index between 1 and 4, found 5"),
        ({"series_index": np.array([1.0, 2.0])}, "expected series_index of whole numbers"),
        ({"series_index": np.array([1])}, r"expected series_index of shape \(2,\), found \(1,\)"),
        ({"prior": -1.0}, "expected prior to be finite and not negative, found -1.0"),
    ],
)
def test_arguments_that_do_not_fit(change, message):
    arguments = {
        "target": np.zeros((2, 3)),
        "model_point": np.zeros((2, 3)),
        "naive_point": np.zeros((2, 3)),
        "spread": np.ones(2),
        "series_index": np.array([1, 2]),
        "num_series": 4,
        **change,
    }
    with pytest.raises(ValueError, match=message):
        fit_blend(**arguments)


def test_blending_checks_its_arguments():
    weights = BlendWeights(np.ones((2, 3)))
    with pytest.raises(ValueError, match="expected forecasts of model and naive in one shape"):
        weights.blended(np.zeros((2, 3)), np.zeros((2, 2)), np.array([0, 1]))
    with pytest.raises(ValueError, match=r"expected series_index of shape \(2,\), found \(3,\)"):
        weights.blended(np.zeros((2, 3)), np.zeros((2, 3)), np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="expected series_index between 0 and 1, found 2"):
        weights.of(np.array([2]), 3)
    with pytest.raises(ValueError, match="expected a horizon of at least 1, found 0"):
        weights.of(np.array([1]), 0)
