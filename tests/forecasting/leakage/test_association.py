"""The variance of a column given a target: worked out by hand, against loops, and where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.data.series.covariates import Categories
from seqtag.forecasting.leakage.association import (
    Steps,
    codings,
    effective_values,
    least_residual_variance,
    order_by,
    residual_variance,
    share_unexplained_by_past,
    variance,
)

NAN = np.nan


def left(target, codes, steps, categorical=False):
    return residual_variance(order_by(target, steps, np.random.default_rng(0)), codes, categorical, steps)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(-10, 10), st.integers(0, 99))
def test_steps_ahead_and_turned_against_a_loop(lengths, by, seed):
    steps = Steps(np.array(lengths))
    values = np.random.default_rng(seed).normal(size=sum(lengths))
    turn = np.random.default_rng(seed).integers(0, 20, len(lengths))
    ahead, turned, start = [], [], 0
    for length, shift in zip(lengths, turn, strict=True):
        own = values[start : start + length]
        ahead += [own[t + by] if 0 <= t + by < length else NAN for t in range(length)]
        turned += [own[(t - shift) % length] for t in range(length)]
        start += length
    np.testing.assert_array_equal(steps.shift(values, by), ahead)
    np.testing.assert_array_equal(steps.roll(values, turn), turned)


def test_neighbours_in_the_order_of_the_target_worked_by_hand():
    """Series one in the target's order: 0, 4, 6; series two: 1, 1. Differences 4, 2 and 0, none across series."""
    steps = Steps(np.array([4, 3]))
    target = np.array([3.0, 1.0, NAN, 2.0, 5.0, 9.0, 4.0])
    column = np.array([6.0, 0.0, 9.0, 4.0, 1.0, NAN, 1.0])
    assert left(target, column, steps) == pytest.approx((16 + 4 + 0) / 2 / 3)
    assert left(target, column, steps, categorical=True) == pytest.approx(2 / 3)
    assert np.isnan(left(np.full(7, NAN), column, steps))


@pytest.mark.parametrize("function", [np.exp, np.negative, np.square, np.sin, lambda y: np.abs(y) ** 0.5])
def test_a_function_of_the_target_leaves_nothing(function):
    steps = Steps(np.array([400, 300]))
    target = np.random.default_rng(0).normal(size=700)
    for codes in codings(function(target), steps)[:1]:
        assert left(target, codes, steps) < 0.01 * variance(codes, False, steps)


def test_noise_is_left_and_nothing_else():
    """For y + e it is the variance of e; for an independent column, its whole variance."""
    random = np.random.default_rng(1)
    steps, target = Steps(np.array([3000, 3000])), random.normal(size=6000)
    assert left(target, target + 0.5 * random.normal(size=6000), steps) == pytest.approx(0.25, rel=0.1)
    alone = random.normal(size=6000)
    assert left(target, alone, steps) == pytest.approx(variance(alone, False, steps), rel=0.1)


def test_equal_targets_do_not_show_the_order_of_time():
    """A constant target explains nothing of a column that grows with time."""
    steps, column = Steps(np.array([2000])), np.arange(2000.0)
    assert left(np.zeros(2000), column, steps) == pytest.approx(column.var(), rel=0.1)


def test_ranks_share_ties_and_are_each_series_own():
    steps = Steps(np.array([4, 2]))
    ranks, values = codings(np.array([10.0, 30.0, 10.0, NAN, -5.0, 900.0]), steps)
    np.testing.assert_allclose(ranks, [1 / 3, 5 / 6, 1 / 3, NAN, 1 / 4, 3 / 4])
    np.testing.assert_allclose(values, [-(0.5**0.5), 2**0.5, -(0.5**0.5), NAN, -1, 1])
    assert codings(np.full(6, 0.1, np.float32), steps)[1].tolist() == [0.0] * 6
    np.testing.assert_allclose(codings(np.array([1.0, 3, 1, NAN, 1e12, 1e12 + 3]), steps)[1], values, atol=1e-3)


def test_categories_keep_their_codes():
    assert codings(Categories(np.array([2, 0, -1]), ("a", "b", "c")), Steps(np.array([3])))[0].tolist()[:2] == [2, 0]
    assert np.isnan(codings(Categories(np.array([-1]), ()), Steps(np.array([1])))[0][0])


def test_the_variance_of_categories_is_the_chance_that_two_differ():
    codes = np.array([0.0, 0.0, 1.0, 2.0, NAN])
    pairs = [a != b for i, a in enumerate(codes[:4]) for j, b in enumerate(codes[:4]) if i != j]
    assert variance(codes, True, Steps(np.array([5]))) == pytest.approx(np.mean(pairs))
    two = Steps(np.array([5, 3]))
    both = variance(np.array([*codes, 7.0, 7.0, 2.0]), True, two)
    assert both == pytest.approx((3 * np.mean(pairs) + 2 * 2 / 3) / 5)  # weighed by degrees of freedom
    assert variance(np.array([1.0, 3.0, 5.0]), False, Steps(np.array([2, 1]))) == pytest.approx(2.0)
    assert np.isnan(variance(np.full(3, NAN), False, Steps(np.array([3]))))


def test_classes_of_the_target_leave_their_borders():
    target = np.random.default_rng(2).permutation(50.0 * np.arange(60))
    codes, steps = (target // 300).astype(float), Steps(np.array([60]))
    assert left(target, codes, steps, categorical=True) == pytest.approx(9 / 59)
    assert least_residual_variance(codes, True, steps) == pytest.approx(9 / 59)
    assert least_residual_variance(codes, False, steps) == 0


def test_what_the_past_leaves():
    random = np.random.default_rng(3)
    steps, noise = Steps(np.array([2000, 2000])), random.normal(size=(4000, 1))
    column = noise[:, 0].copy()
    for t in range(1, 4000):
        column[t] = 0.9 * column[t - 1] * (t != 2000) + noise[t, 0]
    left = share_unexplained_by_past(column, False, steps, [1, 2]) * variance(column, False, steps)
    assert left == pytest.approx(1.0, rel=0.1)
    assert share_unexplained_by_past(np.arange(4000.0) % 7, True, steps, [1, 7]) < 1e-3
    assert share_unexplained_by_past(np.arange(4000.0) % 50, True, steps, [1, 50]) < 1e-3
    assert share_unexplained_by_past(noise[:, 0], False, steps, [1, 7]) == pytest.approx(1.0, abs=0.01)
    assert share_unexplained_by_past(np.array([1.0, 2.0]), False, Steps(np.array([2])), [1]) == 1


def test_values_in_effect():
    assert effective_values(Categories(np.array([0, 1, 2, 2, -1]), ("a", "b", "c"))) == pytest.approx(16 / 6)
    assert effective_values(np.array([NAN])) == 0
