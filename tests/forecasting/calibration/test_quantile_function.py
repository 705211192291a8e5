"""Probabilities and values between quantiles: worked by hand, there and back, and against other quantile functions."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.forecasting.calibration.quantile_function import at_levels, probabilities, values_at

LEVELS = (0.1, 0.25, 0.5, 0.8, 0.9)
ascending = st.lists(st.integers(-20, 20), min_size=5, max_size=5).map(sorted).map(np.array)


def test_between_its_quantiles_a_normal_distribution_comes_back():
    normal, levels = NormalDist(5, 3), (0.1, 0.3, 0.9)
    quantiles = np.array([normal.inv_cdf(level) for level in levels])
    values = np.array([quantiles[0], 3.0, 5.0, 8.0, quantiles[-1]])
    expected = [normal.cdf(value) for value in values]
    np.testing.assert_allclose(probabilities(values, quantiles, levels), expected, rtol=1e-12)
    np.testing.assert_allclose(values_at(np.array(expected), quantiles, levels), values, rtol=1e-12)
    np.testing.assert_allclose(at_levels(quantiles, levels, expected[1:-1]), values[1:-1], rtol=1e-12)


def test_exponential_tails_go_through_the_two_outermost_quantiles():
    """The quantiles of an exponential distribution of mean 3: its own upper tail comes back."""
    levels = (0.5, 0.7, 0.9)
    quantiles = np.array([-3 * math.log(1 - level) for level in levels])
    values = np.array([8.0, 15.0, 40.0])
    np.testing.assert_allclose(probabilities(values, quantiles, levels), 1 - np.exp(-values / 3), rtol=1e-12)
    np.testing.assert_allclose(values_at(np.array([0.99, 0.9999]), quantiles, levels), -3 * np.log([0.01, 0.0001]))


def test_tails_mirror_each_other():
    quantiles, u = np.array([-4.0, -1.0, 1.0, 4.0]), np.array([0.001, 0.04, 0.3])
    levels = (0.1, 0.4, 0.6, 0.9)
    np.testing.assert_allclose(values_at(u, quantiles, levels), -values_at(1 - u, quantiles, levels))
    np.testing.assert_allclose(
        probabilities(np.array([-9.0]), quantiles, levels), 1 - probabilities(np.array([9.0]), quantiles, levels)
    )


@given(ascending.filter(lambda q: (np.diff(q) > 0).all()), st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=20))
def test_probabilities_come_back_where_no_two_quantiles_coincide(quantiles, u):
    found = values_at(np.array(u), quantiles, LEVELS)
    np.testing.assert_allclose(probabilities(found, quantiles, LEVELS), u, rtol=1e-7, atol=1e-9)


@given(ascending, st.lists(st.floats(-20, 20), min_size=1, max_size=20))
def test_values_come_back_wherever_there_is_probability(quantiles, values):
    inside = np.clip(np.array(values), quantiles[0], quantiles[-1])
    found = values_at(probabilities(inside, quantiles, LEVELS), quantiles, LEVELS)
    np.testing.assert_allclose(found, inside, atol=1e-9)


@given(ascending, st.lists(st.floats(-40, 40), min_size=2, max_size=20), st.lists(st.floats(0, 1), min_size=2))
def test_both_ascend(quantiles, values, u):
    assert (np.diff(probabilities(np.sort(values), quantiles, LEVELS)) >= -1e-12).all()
    found = values_at(np.sort(u), quantiles, LEVELS)
    assert np.isfinite(found).all() and (np.diff(found) >= -1e-9).all()


@given(ascending, st.lists(st.integers(-120, 120).map(lambda value: value / 4), min_size=1, max_size=9))
def test_a_probability_is_the_middle_of_the_limits_from_both_sides(quantiles, values):
    values = np.array([*values, *quantiles], float)
    sides = [probabilities(values + shift, quantiles, LEVELS) for shift in (-1e-7, 1e-7)]
    np.testing.assert_allclose(probabilities(values, quantiles, LEVELS), np.mean(sides, axis=0), atol=1e-5)


def test_coinciding_quantiles_share_the_middle_of_their_jump():
    quantiles, levels = np.array([0.0, 0.0, 5.0]), (0.1, 0.5, 0.9)
    found = probabilities(np.array([-1.0, 0.0, 5.0]), quantiles, levels)
    np.testing.assert_allclose(found, [0.0, 0.25, 0.9])  # below 0 there is nothing, up to and with 0 a half
    assert values_at(np.array([0.01, 0.1, 0.3, 0.5]), quantiles, levels).tolist() == [0.0] * 4


@pytest.mark.parametrize(("quantiles", "levels"), [([3.0], (0.7,)), ([3.0, 3.0], (0.2, 0.9))])
def test_a_point_is_a_point(quantiles, levels):
    assert probabilities(np.array([2.0, 3.0, 4.0]), np.array(quantiles), levels).tolist() == [0.0, 0.5, 1.0]
    assert values_at(np.array([0.0, 0.5, 1.0]), np.array(quantiles), levels).tolist() == [3.0] * 3


def test_a_normal_distribution_of_many_quantiles():
    levels = np.arange(1, 100) / 100
    normal = NormalDist(5, 2)
    quantiles = np.array([normal.inv_cdf(level) for level in levels])
    values = np.array([1.5, 4.0, 5.0, 6.7, 9.0])
    np.testing.assert_allclose(probabilities(values, quantiles, levels), [normal.cdf(v) for v in values], atol=1e-3)


def test_quantiles_of_each_window_and_step_and_missing_values():
    random = np.random.default_rng(0)
    quantiles = np.sort(random.normal(size=(3, 4, 5)), axis=-1)
    u = random.uniform(size=(3, 6, 4))  # windows, paths, horizon
    u[0, 1, 2] = np.nan
    paths = values_at(u, quantiles[:, None], LEVELS)
    back = probabilities(paths, quantiles[:, None], LEVELS)
    for window, path, step in np.ndindex(u.shape):
        alone = values_at(u[window, path, step], quantiles[window, step], LEVELS)
        np.testing.assert_array_equal(paths[window, path, step], alone)
    np.testing.assert_allclose(back, u)
    assert np.isnan(paths).sum() == np.isnan(back).sum() == 1


def test_wrong_levels_and_quantiles_are_named():
    with pytest.raises(ValueError, match=r"expected rising quantile levels, found 0\.5 after 0\.5"):
        probabilities(np.zeros(1), np.zeros(2), (0.5, 0.5))
    with pytest.raises(ValueError, match=r"expected quantiles \(\.\.\., 2\), found shape \(3,\)"):
        probabilities(np.zeros(1), np.zeros(3), (0.1, 0.9))
    with pytest.raises(ValueError, match="expected quantiles that ascend with their levels, found some that cross"):
        values_at(np.full(1, 0.5), np.array([1.0, 0.0]), (0.1, 0.9))
    with pytest.raises(ValueError, match=r"expected probabilities between 0 and 1, found 1\.5"):
        values_at(np.array([1.5]), np.array([0.0]), (0.1,))


@given(ascending, st.sets(st.floats(1e-12, 1 - 1e-12), min_size=1, max_size=9).map(sorted), st.sampled_from([0, 1e12]))
def test_other_levels_have_the_values_of_the_quantile_function(quantiles, wanted, level):
    rows = np.stack([quantiles, np.zeros(5), -quantiles[::-1]]).astype(float) + level
    found = at_levels(rows, LEVELS, wanted)
    np.testing.assert_allclose(found, values_at(np.array(wanted), rows[:, None], LEVELS), rtol=1e-12, atol=1e-7)
    assert (np.diff(found, axis=-1) >= 0).all()
    assert (found[1] == level).all(), "no width where the quantiles coincide"


def test_levels_that_are_given_keep_their_quantiles_bit_for_bit():
    rows = np.sort(np.random.default_rng(1).normal(size=(7, 3, 5)), axis=-1)
    np.testing.assert_array_equal(at_levels(rows, LEVELS, LEVELS[1:4]), rows[..., 1:4])
    np.testing.assert_array_equal(at_levels(rows[..., :1], (0.5,), (0.01, 0.99)), rows[..., [0, 0]])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [((), "found none"), ((0.5, 0.5), "0.5 after 0.5"), ((0, 0.5), "found 0"), ((0.5, math.nan), "found nan")],
)
def test_levels_that_are_none_are_named(wanted, message):
    with pytest.raises(ValueError, match=message):
        at_levels(np.zeros(5), LEVELS, wanted)


def test_lines_may_be_straight_in_the_level_itself():
    """As models read them that were stored before."""
    quantiles, levels = np.array([0.0, 10.0, 30.0]), (0.2, 0.4, 0.8)
    values, u = np.array([0.0, 5.0, 10.0, 15.0, 30.0]), [0.2, 0.3, 0.4, 0.5, 0.8]
    np.testing.assert_allclose(probabilities(values, quantiles, levels, by_score=False), u)
    np.testing.assert_allclose(values_at(np.array(u), quantiles, levels, by_score=False), values)
