"""Seasonal naive in the graph is that of NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.evaluation import baselines
from seqtag.forecasting.rules.naive import seasonal_naive


@pytest.mark.parametrize(("lookback", "season"), [(12, 4), (10, 4), (3, 7), (1, 1), (5, 1), (7, 7)])
@pytest.mark.parametrize("missing", [0.0, 0.4, 0.8])
def test_it_is_the_rule_of_numpy(lookback, season, missing):
    rng = np.random.default_rng(lookback)
    history = rng.normal(size=(30, lookback)).astype(np.float32)
    holes = rng.random(history.shape) < missing
    holes[:, rng.integers(lookback)] = False
    history[holes] = np.nan
    expected = baselines.seasonal_naive(list(history.astype(float)), 9, season)
    np.testing.assert_array_equal(seasonal_naive(tf.constant(history), 9, season), expected)


def test_padding_before_a_series_changes_nothing():
    history = np.array([[1.0, 2, 3, 4, 5]], np.float32)
    padded = np.concatenate([np.full((1, 3), np.nan, np.float32), history], axis=1)
    np.testing.assert_array_equal(seasonal_naive(tf.constant(history), 6, 3), seasonal_naive(tf.constant(padded), 6, 3))


def test_a_window_without_a_value_gives_zeros():
    history = tf.constant(np.full((1, 5), np.nan), tf.float32)
    assert seasonal_naive(history, 3, 2).numpy().tolist() == [[0, 0, 0]]
