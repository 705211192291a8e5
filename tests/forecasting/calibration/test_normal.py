"""The table of the normal distribution against the standard library, value by value."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from seqtag.forecasting.calibration.normal import normal_cdf, normal_score


def test_the_distribution_function_is_the_standard_librarys():
    scores = np.random.default_rng(0).uniform(-6, 6, 500)
    np.testing.assert_allclose(normal_cdf(scores), [NormalDist().cdf(score) for score in scores], rtol=1e-4, atol=0)


def test_scores_are_the_standard_librarys():
    u = np.random.default_rng(0).uniform(1e-6, 1 - 1e-6, 500)
    np.testing.assert_allclose(normal_score(u), [NormalDist().inv_cdf(value) for value in u], rtol=1e-4, atol=1e-6)


def test_nothing_is_infinite_and_missing_stays_missing():
    assert normal_score(np.array([0.0, 1.0])).tolist() == [-6.0, 6.0]
    assert 0 < normal_cdf(np.array([-1e9])) < normal_cdf(np.array([1e9])) < 1
    assert np.isnan(normal_cdf(np.array([np.nan]))).all() and np.isnan(normal_score(np.array([np.nan]))).all()
