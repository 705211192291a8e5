"""Forecasts at other levels."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.errors import ConfigError
from seqtag.forecasting.evaluation.forecast import Forecast, quantile_names


def test_other_levels_leave_the_point_and_take_levels_in_any_order():
    quantiles = np.sort(np.random.default_rng(1).normal(size=(5, 2, 3)), axis=-1)
    rising = Forecast.of_quantiles(quantiles, (0.1, 0.5, 0.9)).at((0.05, 0.5, 0.7))
    turned = Forecast.of_quantiles(quantiles[..., [2, 0, 1]], (0.9, 0.1, 0.5)).at((0.05, 0.5, 0.7))
    np.testing.assert_array_equal(rising.quantiles, turned.quantiles)
    np.testing.assert_array_equal(rising.point, quantiles[..., 1])
    assert rising.levels == (0.05, 0.5, 0.7)


def test_a_single_quantile_says_nothing_of_others():
    single = Forecast.of_quantiles(np.ones((1, 1, 1)), (0.5,))
    assert single.at((0.5,)).quantiles.tolist() == [[[1.0]]]
    with pytest.raises(ConfigError, match="expected a model of at least two quantiles for other levels, found one"):
        single.at((0.1, 0.9))


def test_names_of_quantiles_tell_levels_apart():
    assert quantile_names((0.1, 0.3 - 0.1, 0.97525, 0.9999999)) == ["q0.1", "q0.2", "q0.97525", "q0.9999999"]
