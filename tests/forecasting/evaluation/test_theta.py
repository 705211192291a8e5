"""Theta as a baseline: what it reads of a history, its quantiles, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.errors import DataError
from seqtag.forecasting.evaluation.histories import Prefixes
from seqtag.forecasting.evaluation.theta import theta

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def walks():
    return list(np.random.default_rng(2).normal(size=(3, 260)).cumsum(axis=1))


def test_it_reads_no_further_back_than_said(walks):
    older = [np.r_[walk[:60] + 50, walk[60:]] for walk in walks]
    np.testing.assert_array_equal(theta(walks, 4, 1, LEVELS).quantiles, theta(older, 4, 1, LEVELS).quantiles)
    assert not np.allclose(theta(walks, 4, 24).point, theta(older, 4, 24).point)


def test_beginnings_of_series_are_forecast_as_histories_of_their_own(walks):
    shared = Prefixes(walks, np.array([2, 0, 2, 1]), np.array([1, 90, 45, 20]))
    alone = [theta([history], 5, season).point[0] for history, season in zip(shared, [1, 12, 1, 4], strict=True)]
    np.testing.assert_allclose(theta(shared, 5, [1, 12, 1, 4]).point, alone, rtol=1e-9)


def test_a_graph_gives_what_single_steps_give(walks, monkeypatch):
    found = theta(walks, 4, 1).point
    monkeypatch.setattr("seqtag.forecasting.evaluation.theta.MANY_NUMBERS", 0)
    np.testing.assert_allclose(theta(walks, 4, 1).point, found, rtol=1e-12)


def test_quantiles_lie_around_the_forecast_and_are_wider_further_ahead(walks):
    found = theta(walks, 4, 1, LEVELS)
    np.testing.assert_allclose(found.quantiles[..., 1], found.point)
    np.testing.assert_allclose(found.quantiles[..., 0] + found.quantiles[..., 2], 2 * found.point)
    width = found.quantiles[..., 2] - found.quantiles[..., 0]
    assert (width[:, 0] > 0).all() and (np.diff(width) > 0).all()


def test_a_constant_has_no_width():
    found = theta([[7.0] * 12, [3.0]], 2, 4, LEVELS)
    assert found.quantiles.tolist() == [[[7.0] * 3] * 2, [[3.0] * 3] * 2]


def test_bad_input_is_named():
    with pytest.raises(DataError, match="expected an observed value in history 1, found none of 2"):
        theta([[1.0], [np.nan, np.nan]], 2, 1)
    with pytest.raises(ValueError, match="expected a horizon of at least 1, found 0"):
        theta([[1.0]], 0, 1)
    assert theta([], 4, 12, LEVELS).quantiles.shape == (0, 4, 3)
