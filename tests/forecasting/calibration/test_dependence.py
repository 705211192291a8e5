"""Dependence between steps: known correlations are found, steps are uniform, matrices positive definite."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from seqtag.forecasting.calibration.dependence import StepDependence, fit_dependence
from seqtag.forecasting.calibration.quantile_function import probabilities, values_at


def normal(windows, paths, horizon, seed):
    return np.random.default_rng(seed).standard_normal((windows, paths, horizon))


def autoregressive(windows, steps, coefficient, seed=0):
    """Normal scores of unit variance whose correlation is `coefficient ** lag`."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(windows, steps))
    for step in range(1, steps):
        scores[:, step] = coefficient * scores[:, step - 1] + np.sqrt(1 - coefficient**2) * scores[:, step]
    return scores


@pytest.mark.parametrize("coefficient", [-0.6, 0.0, 0.5, 0.95])
def test_a_known_correlation_comes_back(coefficient):
    found = fit_dependence(ndtr(autoregressive(5000, 8, coefficient)))
    np.testing.assert_allclose(found.correlation, coefficient ** np.arange(8), atol=0.03)


def test_lags_worked_by_hand():
    """Scores (1, 2), (-2, 1), (1, missing): lag 1 has two pairs, 1 * 2 - 2 * 1 = 0, and (2, 3), (1, 1) 7 / 50 ** .5."""
    nan = np.nan
    zero = fit_dependence(ndtr(np.array([[1.0, 2.0], [-2.0, 1.0], [1.0, nan]])), prior=0)
    assert zero.correlation == pytest.approx([1, 0], abs=1e-6)
    some = fit_dependence(ndtr(np.array([[2.0, 3.0], [1.0, 1.0], [nan, 1.0]])), prior=0)
    assert some.correlation == pytest.approx([1, 7 / 50**0.5], abs=2e-3)
    drawn = fit_dependence(ndtr(np.array([[2.0, 3.0], [1.0, 1.0], [nan, 1.0]])), prior=2)
    assert drawn.correlation == pytest.approx([1, 3.5 / 50**0.5], abs=1e-6)


def test_samples_have_uniform_steps_and_the_fitted_dependence():
    fitted = fit_dependence(ndtr(autoregressive(3000, 6, 0.7)))
    u = fitted.probabilities(normal(200, 100, 6, seed=1))
    assert u.shape == (200, 100, 6) and (u > 0).all() and (u < 1).all()
    for step in range(6):
        np.testing.assert_allclose(np.quantile(u[..., step], [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.01)
    scores = ndtri(u).reshape(-1, 6)
    np.testing.assert_allclose(np.corrcoef(scores.T), fitted.matrix(6), atol=0.03)
    again = fit_dependence(u.reshape(-1, 6))
    np.testing.assert_allclose(again.correlation, fitted.correlation, atol=0.03)


def test_draws_that_are_independent_stay_so_and_those_that_are_not_do_too():
    fitted = StepDependence(np.array([1.0, 0.9]))
    u = fitted.probabilities(normal(4000, 2, 2, seed=2))
    assert abs(np.corrcoef(u[:, 0, 0], u[:, 1, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(u[:-1, 0, 0], u[1:, 0, 0])[0, 1]) < 0.05
    both = np.repeat(normal(1, 9, 2, seed=2), 2, axis=0)
    one, other = fitted.probabilities(both)
    np.testing.assert_array_equal(one, other)


def test_beyond_the_fitted_steps_correlation_fades_on():
    fitted = StepDependence(0.8 ** np.arange(5))
    np.testing.assert_allclose(fitted.matrix(12)[0], 0.8 ** np.arange(12))
    np.testing.assert_array_equal(fitted.matrix(3)[0], 0.8 ** np.arange(3))
    assert fitted.probabilities(normal(2, 3, 12, seed=0)).shape == (2, 3, 12)
    np.testing.assert_array_equal(StepDependence(np.ones(1)).matrix(4), np.eye(4))
    assert abs(fitted.matrix(100)[0, -1]) < 1e-6


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 12), st.sampled_from([0.0, 20.0]))
def test_every_matrix_is_a_correlation(seed, windows, steps, prior):
    random = np.random.default_rng(seed)
    u = random.choice([0.0, 0.2, 0.5, 0.99, 1.0, np.nan], (windows, steps))
    fitted = fit_dependence(u, prior=prior)
    for horizon in (1, steps, 3 * steps):
        matrix = fitted.matrix(horizon)
        assert np.linalg.eigvalsh(matrix).min() > 0
        np.testing.assert_array_equal(matrix, matrix.T)
        np.testing.assert_allclose(np.diag(matrix), 1)


def test_few_pairs_are_drawn_toward_independence():
    one, many = (fit_dependence(np.full((windows, 2), 0.9)).correlation[1] for windows in (1, 2000))
    assert one == pytest.approx(1 / 21)
    assert many > 0.98


def test_a_sum_over_steps_is_as_wide_as_dependence_makes_it():
    """What sample paths are for: the total of a season, from quantiles of its steps alone."""
    scores = autoregressive(4000, 6, 0.8, seed=3)
    levels = np.arange(1, 20) / 20
    quantiles = np.tile(ndtri(levels), (4000, 6, 1))
    fitted = fit_dependence(probabilities(scores, quantiles, levels))
    u = fitted.probabilities(normal(4000, 5, 6, seed=4))
    totals = values_at(u, quantiles[:, None], levels).sum(axis=-1)
    assert totals.std() == pytest.approx(scores.sum(axis=1).std(), rel=0.05)
    assert totals.std() > 1.5 * np.sqrt(6)  # independent steps


def test_dependence_through_json():
    fitted = fit_dependence(ndtr(autoregressive(20, 5, 0.5)))
    back = StepDependence.from_dict(json.loads(json.dumps(fitted.to_dict())))
    np.testing.assert_array_equal(back.correlation, fitted.correlation)


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected probabilities \(windows, steps\), found shape \(3,\)"):
        fit_dependence(np.zeros(3))
    with pytest.raises(ValueError, match=r"expected probabilities between 0 and 1, found 1\.2"):
        fit_dependence(np.array([[0.5, 1.2]]))
    with pytest.raises(ValueError, match="expected prior to be finite and not negative, found -1"):
        fit_dependence(np.array([[0.5]]), prior=-1)
    with pytest.raises(ValueError, match="expected a horizon of at least 1, found 0"):
        StepDependence(np.ones(1)).probabilities(normal(1, 1, 0, seed=0))
