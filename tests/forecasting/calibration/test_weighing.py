"""Weights on held-out errors against searches over the simplex, and how evidence decides between all and each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from seqtag.forecasting.calibration.weighing import CORRELATION, PRIOR, HeldOutErrors, fit_weights, group_of_step

EQUAL = np.full(3, 1 / 3)


def drawn(windows=300, horizon=4, seed=0, sizes=(1.0, 1.5, 3.0)):
    rng = np.random.default_rng(seed)
    common = 0.5 * rng.normal(size=(windows, horizon))
    return np.stack([common + size * rng.normal(size=(windows, horizon)) for size in sizes])


def test_weights_of_all_are_those_of_a_search():
    errors = drawn()
    held_out = HeldOutErrors(errors, np.arange(300) + 1, np.zeros(300, int))
    found = fit_weights(held_out, 300, EQUAL)[0]
    price = PRIOR * (1 + 299 * CORRELATION) / 300
    grid = [np.array([a, b, 1 - a - b]) for a, b in itertools.product(np.linspace(0, 1, 51), repeat=2) if a + b <= 1]
    for step in range(4):
        at_start = np.abs(np.tensordot(EQUAL, errors[:, :, step], 1)).mean()
        costs = [
            np.abs(np.tensordot(w, errors[:, :, step], 1)).mean() / at_start
            + price * (w * np.log(np.maximum(w, 1e-300) / EQUAL)).sum()
            for w in [found[step], *grid]
        ]
        assert costs[0] <= min(costs[1:]) * 1.002


def test_series_that_move_together_tell_less():
    """Of S series the horizons count as S / (1 + (S - 1) r), whatever their number of windows."""
    one = HeldOutErrors(np.zeros((3, 10, 4)), np.ones(10, int), np.arange(10) * 4)
    many = HeldOutErrors(np.zeros((3, 50, 4)), np.arange(50) + 1, np.zeros(50, int))
    assert one.own_horizons(1) == 10
    assert many.own_horizons(50) == pytest.approx(50 / (1 + 49 * CORRELATION))


def test_a_source_without_an_error_has_all_the_weight_and_others_none():
    errors = drawn()
    errors[1] = 0
    found = fit_weights(HeldOutErrors(errors, np.arange(300) + 1, np.zeros(300, int)), 300, EQUAL)
    assert found.shape == (301, 4, 3)
    np.testing.assert_allclose(found.sum(axis=-1), 1)
    assert (found[..., 1] > 0.97).all()


def test_few_series_stay_near_the_prior():
    errors = drawn(windows=2, sizes=(1.0, 1.05, 1.1))
    found = fit_weights(HeldOutErrors(errors, np.array([1, 2]), np.zeros(2, int)), 2, EQUAL)[0]
    many = fit_weights(HeldOutErrors(drawn(sizes=(1.0, 3.0, 9.0)), np.arange(300) + 1, np.zeros(300, int)), 300, EQUAL)
    assert np.abs(found - EQUAL).max() < 0.3 < np.abs(many[0] - EQUAL).max()


def test_series_that_differ_for_good_have_weights_of_their_own():
    """Of 40 series, half are repeated by the first source and half by the second, in all four held-out horizons."""
    series, horizons, horizon = 40, 4, 6
    rng = np.random.default_rng(1)
    number = np.tile(np.arange(series) + 1, horizons)
    age = np.repeat(np.arange(horizons) * horizon, series)
    errors = rng.normal(size=(3, series * horizons, horizon))
    errors[0, number <= 20] *= 0.05
    errors[1, number > 20] *= 0.05
    found = fit_weights(HeldOutErrors(errors, number, age), series, EQUAL)
    assert min(found[1:21, :, 0].min(), found[21:, :, 1].min()) > 0.5
    assert min(found[1:21, :, 0].mean(), found[21:, :, 1].mean()) > 0.9
    assert np.abs(found[0, :, 0] - found[0, :, 1]).max() < 0.2, "a series that was not there has the weights of all"


@pytest.mark.parametrize("horizons", [1, 4])
def test_series_that_differ_by_chance_keep_the_weights_of_all(horizons):
    rng = np.random.default_rng(2)
    number = np.tile(np.arange(40) + 1, horizons)
    age = np.repeat(np.arange(horizons) * 6, 40)
    found = fit_weights(HeldOutErrors(rng.normal(size=(3, 40 * horizons, 6)), number, age), 40, EQUAL)
    assert np.abs(found - found[0]).max() < 0.25 and (horizons > 1 or (found == found[0]).all())


def test_missing_values_and_windows_without_a_unit_do_not_count():
    errors = drawn()
    with_more = np.concatenate([errors, np.full((3, 50, 4), np.nan)], axis=1)
    with_more[:, :300, 0][:, ::2] = np.nan
    fewer = errors.copy()
    fewer[:, ::2, 0] = np.nan
    series, age = np.arange(350) % 300 + 1, np.zeros(350, int)
    one = fit_weights(HeldOutErrors(with_more, series, age), 300, EQUAL)
    other = fit_weights(HeldOutErrors(fewer, series[:300], age[:300]), 300, EQUAL)
    assert np.abs(one - other).max() < 0.05
    nothing = fit_weights(HeldOutErrors(np.full((3, 2, 4), np.nan), np.array([1, 2]), np.zeros(2, int)), 2, EQUAL)
    np.testing.assert_allclose(nothing, 1 / 3)


def test_the_order_of_windows_does_not_matter():
    errors, order = drawn(), np.random.default_rng(3).permutation(300)
    series, age = np.arange(300) // 2 + 1, np.arange(300) % 2 * 4
    one = fit_weights(HeldOutErrors(errors, series, age), 150, EQUAL)
    other = fit_weights(HeldOutErrors(errors[:, order], series[order], age[order]), 150, EQUAL)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_steps_are_grouped_in_order():
    assert group_of_step(3, 3).tolist() == [0, 1, 2] and group_of_step(3, 1).tolist() == [0, 0, 0]
    assert group_of_step(10, 4).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
