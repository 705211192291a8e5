"""The baselines against figures worked out by hand and against loops over values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.errors import DataError
from seqtag.forecasting.evaluation import baselines
from seqtag.forecasting.evaluation.histories import seasonal_differences

NAN = math.nan
values = st.one_of(st.just(NAN), st.floats(-1e6, 1e6))
histories = st.lists(values, min_size=1, max_size=25).filter(lambda history: not all(map(math.isnan, history)))


def test_the_newest_value_reaches_the_first_step_of_a_series_that_counts():
    count = [np.arange(10.0)]
    assert baselines.naive(count, 2).tolist() == [[9.0, 9.0]]
    assert baselines.drift(count, 3).tolist() == [[10.0, 11.0, 12.0]]
    assert baselines.mean(count, 2).tolist() == [[4.5, 4.5]]
    assert baselines.seasonal_naive(count, 5, 4).tolist() == [[6.0, 7.0, 8.0, 9.0, 6.0]]


def test_series_of_unequal_length_with_a_season_each():
    found = baselines.seasonal_naive([[1.0, 2.0, 3.0], [5.0], [4.0, 6.0, 8.0, 9.0]], 3, [2, 3, 1])
    assert found.tolist() == [[2.0, 3.0, 2.0], [5.0, 5.0, 5.0], [9.0, 9.0, 9.0]]


@given(histories, st.integers(1, 9), st.integers(1, 12))
def test_seasonal_naive_looks_back_season_by_season(history, season_length, horizon):
    observed = [value for value in history if not math.isnan(value)]
    expected = []
    for step in range(len(history), len(history) + horizon):
        same_place = [history[t] for t in range(len(history)) if (step - t) % season_length == 0]
        same_place = [value for value in same_place if not math.isnan(value)]
        expected.append((same_place or observed)[-1])
    assert baselines.seasonal_naive([history], horizon, season_length).tolist() == [expected]


@given(histories, st.integers(1, 5))
def test_a_season_of_one_is_naive(history, horizon):
    assert baselines.seasonal_naive([history], horizon, 1).tolist() == baselines.naive([history], horizon).tolist()


@given(st.floats(-100, 100), st.floats(-10, 10), st.sets(st.integers(0, 19), min_size=2))
def test_drift_goes_on_along_a_line_whatever_is_missing(start, slope, seen):
    line = start + slope * np.arange(25)
    history = [line[t] if t in seen else NAN for t in range(20)]
    np.testing.assert_allclose(baselines.drift([history], 5), [line[20:]], rtol=1e-9, atol=1e-9)


def test_a_single_observation_is_carried_on_flat():
    history = [[NAN, 3.0, NAN]]
    for rule in (baselines.naive, baselines.drift, baselines.mean):
        assert rule(history, 2).tolist() == [[3.0, 3.0]]
    assert baselines.seasonal_naive(history, 2, 2).tolist() == [[3.0, 3.0]]


def test_differences_need_both_values():
    assert seasonal_differences([1.0, NAN, 4.0, 9.0, NAN, 2.0], 2).tolist() == [3.0, -7.0]
    assert seasonal_differences([1.0, 2.0], 2).size == 0
    assert seasonal_differences([1.0], 5).size == 0


def test_quantiles_widen_by_the_season_and_lie_around_the_forecast():
    # Differences of season 2: 3, -4; their root mean square is 12.5 ** 0.5.
    found = baselines.seasonal_naive_quantiles([[1.0, 10.0, 4.0, 6.0]], 5, 2, (0.1, 0.5, 0.9))
    middle = baselines.seasonal_naive([[1.0, 10.0, 4.0, 6.0]], 5, 2)
    np.testing.assert_allclose(found[..., 1], middle)
    width = 1.2815515655446004 * 12.5**0.5 * np.sqrt([1, 1, 2, 2, 3])
    np.testing.assert_allclose(found[0, :, 2] - middle[0], width)
    np.testing.assert_allclose(middle[0] - found[0, :, 0], width)


def test_quantiles_of_a_history_without_differences_are_its_forecast():
    assert baselines.seasonal_naive_quantiles([[7.0]], 2, 3, (0.1, 0.9)).tolist() == [[[7.0, 7.0], [7.0, 7.0]]]


def test_intervals_of_a_random_walk_cover_what_they_say():
    walks = np.random.default_rng(3).normal(size=(400, 206)).cumsum(axis=1)
    low, high = np.moveaxis(baselines.seasonal_naive_quantiles(walks[:, :200], 6, 1, (0.1, 0.9)), -1, 0)
    inside = (low <= walks[:, 200:]) & (walks[:, 200:] <= high)
    assert 0.77 < inside.mean() < 0.83


@pytest.mark.parametrize("rule", [baselines.naive, baselines.drift, baselines.mean])
def test_bad_input_is_named(rule):
    with pytest.raises(DataError, match="expected an observed value in history 1, found none of 2"):
        rule([[1.0], [NAN, NAN]], 2)
    with pytest.raises(DataError, match="expected an observed value in history 0, found none of 0"):
        rule([[]], 2)
    with pytest.raises(DataError, match="expected finite or missing values in history 0, found -inf"):
        rule([[1.0, -math.inf]], 2)
    with pytest.raises(ValueError, match="expected a horizon of at least 1, found 0"):
        rule([[1.0]], 0)
    with pytest.raises(ValueError, match="expected histories of one dimension, found 2 in history 0"):
        rule(np.zeros((1, 2, 3)), 1)


def test_bad_seasons_and_levels_are_named():
    with pytest.raises(ValueError, match="expected season lengths of at least 1, found 0"):
        baselines.seasonal_naive([[1.0]], 1, 0)
    with pytest.raises(ValueError, match="expected one season length or one for each of 1 series, found 2"):
        baselines.seasonal_naive([[1.0]], 1, [1, 2])
    with pytest.raises(TypeError):
        baselines.seasonal_naive([[1.0]], 1, [1.5])
    with pytest.raises(ValueError, match="expected quantile levels between 0 and 1, found 1"):
        baselines.seasonal_naive_quantiles([[1.0]], 1, 1, (0.5, 1.0))


def test_no_series_gives_no_rows():
    assert baselines.drift([], 4).shape == (0, 4)
    assert baselines.seasonal_naive_quantiles([], 4, 12, (0.5,)).shape == (0, 4, 1)
