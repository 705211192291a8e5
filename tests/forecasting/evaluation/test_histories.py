"""Histories that share series: every baseline and scale is the same as for each history alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqtag.errors import DataError
from seqtag.forecasting.evaluation import baselines, metrics
from seqtag.forecasting.evaluation.histories import Group, Prefixes, checked_groups, groups, seasonal_error

NAN = math.nan
ROWS, LEVELS = 60, (0.1, 0.5, 0.9)


@pytest.fixture
def shared() -> Prefixes:
    """Sixty beginnings, in random order, of three series with gaps, one of them at its start."""
    source = np.random.default_rng(3)
    series = [source.normal(50, 9, size).astype(kind) for size, kind in ((30, "f4"), (9, "f8"), (41, "f8"))]
    for values in series:
        values[source.random(len(values)) < 0.3] = NAN
    series[0][:3], series[1][0], series[2][:4] = (NAN, NAN, 5.0), 7.0, 3.0
    of = source.integers(3, size=ROWS)
    lengths = [source.integers(1 if s else 3, len(series[s]) + 1) for s in of]
    return Prefixes(series, of, np.array(lengths))


@pytest.mark.parametrize("season_lengths", [1, 4, 50, list(np.random.default_rng(8).integers(1, 12, ROWS))])
def test_prefixes_are_as_if_each_row_were_alone(shared, season_lengths):
    alone = [row.copy() for row in shared]
    for rule in (baselines.naive, baselines.mean, baselines.drift):
        np.testing.assert_array_equal(rule(shared, 5), rule(alone, 5))
    np.testing.assert_array_equal(
        baselines.seasonal_naive(shared, 9, season_lengths), baselines.seasonal_naive(alone, 9, season_lengths)
    )
    found = baselines.seasonal_naive_quantiles(shared, 9, season_lengths, LEVELS)
    np.testing.assert_array_equal(found, baselines.seasonal_naive_quantiles(alone, 9, season_lengths, LEVELS))
    for found, expected in zip(
        metrics.scales(shared, season_lengths), metrics.scales(alone, season_lengths), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_the_rules_are_those_of_numpy_row_by_row(shared):
    np.testing.assert_allclose(baselines.mean(shared, 1)[:, 0], [np.nanmean(row.astype(float)) for row in shared])
    np.testing.assert_array_equal(baselines.naive(shared, 1)[:, 0], [row[~np.isnan(row)][-1] for row in shared])


def test_rows_of_one_series_and_season_make_one_group(shared):
    made = list(groups(shared, [row % 2 + 1 for row in range(ROWS)]))
    assert len(made) == 6
    assert sorted(row for group in made for row in group.rows) == list(range(ROWS))
    for group in made:
        for row, length in zip(group.rows, group.lengths, strict=True):
            np.testing.assert_array_equal(group.values[:length], shared[row])
            assert group.season_length == row % 2 + 1


def test_some_rows(shared):
    part = shared.take(np.array([7, 3]))
    assert len(part) == 2
    np.testing.assert_array_equal(part[1], shared[3])
    assert len(list(groups(shared.take(np.zeros(ROWS, bool))))) == 0


def test_the_error_of_a_season_within_each_beginning():
    group = Group(np.arange(4), np.array([1.0, NAN, 4.0, 9.0, 2.0]), np.array([0, 2, 3, 5]), season_length=2)
    # |4 - 1|, then |2 - 4|; the pair of 9 is missing
    np.testing.assert_array_equal(seasonal_error(group, power=1), [NAN, NAN, 3.0, 2.5])
    np.testing.assert_array_equal(seasonal_error(group, power=2), [NAN, NAN, 9.0, 6.5])


def test_only_what_a_row_knows_can_be_at_fault():
    values = [np.array([NAN, 1.0, math.inf])]
    assert baselines.naive(Prefixes(values, np.array([0]), np.array([2])), 1).tolist() == [[1.0]]
    with pytest.raises(DataError, match="expected finite or missing values in history 1, found inf"):
        list(checked_groups(Prefixes(values, np.array([0, 0]), np.array([2, 3]))))
    with pytest.raises(DataError, match="expected an observed value in history 1, found none of 1"):
        list(checked_groups(Prefixes(values, np.array([0, 0]), np.array([2, 1]))))


def test_wrong_prefixes():
    values = [np.arange(3.0)]
    with pytest.raises(ValueError, match=r"one series and one length for each row, found shapes \(2,\) and \(1,\)"):
        Prefixes(values, np.array([0, 0]), np.array([1]))
    with pytest.raises(ValueError, match=r"expected series from 0 to 0, found \[1\]"):
        Prefixes(values, np.array([1]), np.array([1]))
    for length in (-1, 4):
        with pytest.raises(ValueError, match="expected lengths of at most those of the series, found"):
            Prefixes(values, np.array([0]), np.array([length]))
