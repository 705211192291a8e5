"""The long-lag problems are what their papers say, and their baselines what a model without memory gets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqtag.diagnostics.long_lags import ADDING_BASELINE, adding_problem, copy_baseline, copy_problem


@pytest.mark.parametrize("steps", [2, 7, 40])
def test_adding_marks_one_number_in_each_half(steps):
    inputs, targets = adding_problem(np.random.default_rng(1), 200, steps)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    half = steps // 2
    assert set(np.unique(marks)) <= {0, 1}
    assert (marks[:, :half].sum(axis=1) == 1).all()
    assert (marks[:, half:].sum(axis=1) == 1).all()
    # Every place of a half is drawn.
    assert marks.any(axis=0).all()
    assert numbers.min() >= 0
    assert numbers.max() < 1
    for row, target in zip(inputs, targets, strict=True):
        np.testing.assert_allclose(sum(number for number, mark in row if mark), target[0], rtol=1e-6)


def test_adding_baseline_is_the_error_of_answering_one():
    targets = adding_problem(np.random.default_rng(2), 40_000, 10)[1]
    np.testing.assert_allclose(np.mean((targets - 1) ** 2), ADDING_BASELINE, rtol=0.02)


@pytest.mark.parametrize("lag", [1, 2, 25])
def test_copy_asks_for_the_symbols_a_lag_after_the_last(lag):
    inputs, targets = copy_problem(np.random.default_rng(3), 50, lag)
    assert inputs.shape == targets.shape == (50, lag + 20)
    symbols = inputs[:, :10]
    assert set(np.unique(symbols)) == set(range(1, 9))
    assert (inputs[:, 10 : 9 + lag] == 0).all()
    assert (inputs[:, 9 + lag] == 9).all()
    assert (inputs[:, 10 + lag :] == 0).all()
    assert (targets[:, : 10 + lag] == 0).all()
    np.testing.assert_array_equal(targets[:, 10 + lag :], symbols)


def test_copy_baseline_is_the_cross_entropy_of_guessing_the_symbols():
    lag = 12
    targets = copy_problem(np.random.default_rng(4), 20, lag)[1]
    # Certain of the blanks, undecided between the eight symbols after the delimiter.
    chances = np.zeros((lag + 20, 10))
    chances[: lag + 10, 0] = 1
    chances[lag + 10 :, 1:9] = 1 / 8
    losses = -np.log([chances[t, symbol] for row in targets for t, symbol in enumerate(row)])
    np.testing.assert_allclose(losses.mean(), copy_baseline(lag))
    np.testing.assert_allclose(copy_baseline(80), math.log(8) / 10)


@pytest.mark.parametrize("problem", [adding_problem, copy_problem])
def test_problems_are_drawn_from_the_generator_alone(problem):
    first, again, other = (problem(np.random.default_rng(seed), 3, 30)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_lags_too_short_are_refused():
    with pytest.raises(ValueError, match="expected steps to be at least 2, found 1"):
        adding_problem(np.random.default_rng(0), 1, 1)
    with pytest.raises(ValueError, match="expected lag to be at least 1, found 0"):
        copy_problem(np.random.default_rng(0), 1, 0)
