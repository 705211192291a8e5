"""Values are scaled and scaled back, for logarithms and for locations that change from step to step."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqtag.forecasting.network.window_scale import WindowScale, filled, observed_steps, since_seen

LOOKBACK, HORIZON = 5, 3


def made(logarithmic, every_step):
    rng = np.random.default_rng(1)
    location = rng.normal(size=(2, LOOKBACK + HORIZON if every_step else 1))
    scale = rng.uniform(0.5, 2, (2, 1))
    level = np.array([[3.0], [2.0]])
    return WindowScale(*map(tf.constant, (level, location, scale, np.ones((2, 1)))), logarithmic)


every_scale = [
    pytest.mark.parametrize("logarithmic", [False, True]),
    pytest.mark.parametrize("every_step", [False, True]),
]


@every_scale[0]
@every_scale[1]
def test_scaled_values_are_those_of_the_equation(logarithmic, every_step):
    window_scale = made(logarithmic, every_step)
    values = np.random.default_rng(2).uniform(1, 9, (2, LOOKBACK + HORIZON)).astype(np.float32)
    level = window_scale.level.numpy()
    expected = np.log(values / level) if logarithmic else values - level
    expected = (expected - window_scale.location) / window_scale.scale
    np.testing.assert_allclose(window_scale.history(values[:, :LOOKBACK]), expected[:, :LOOKBACK], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(window_scale.future(values[:, LOOKBACK:]), expected[:, LOOKBACK:], rtol=1e-5, atol=1e-6)


@every_scale[0]
@every_scale[1]
def test_the_original_values_come_back(logarithmic, every_step):
    window_scale = made(logarithmic, every_step)
    future = np.random.default_rng(2).uniform(1, 9, (2, HORIZON)).astype(np.float32)
    scaled = window_scale.future(tf.constant(future))
    np.testing.assert_allclose(window_scale.original(scaled), future, rtol=1e-5)
    quantiles = tf.stack([scaled, scaled + 1], axis=-1)
    both = window_scale.original(quantiles).numpy()
    np.testing.assert_allclose(both[..., 0], future, rtol=1e-5)
    np.testing.assert_allclose(both[..., 1], window_scale.original(scaled + 1), rtol=1e-5)


@every_scale[0]
@every_scale[1]
def test_the_slope_is_the_derivative(logarithmic, every_step):
    window_scale = made(logarithmic, every_step)
    scaled = tf.constant(np.random.default_rng(3).normal(size=(2, HORIZON)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(scaled)
        values = window_scale.original(scaled)
    np.testing.assert_allclose(window_scale.slope(scaled), tape.gradient(values, scaled), rtol=1e-5)


@every_scale[1]
def test_where_nothing_varies_every_forecast_is_the_location(every_step):
    window_scale = made(False, every_step)._replace(scale=tf.constant([[0.0], [2.0]], tf.float64))
    scaled = window_scale.future(np.random.default_rng(4).normal(size=(2, HORIZON)))
    assert not scaled[0].numpy().any() and scaled[1].numpy().all()
    location = np.broadcast_to(window_scale.location[:1, -HORIZON:], (1, HORIZON))
    np.testing.assert_array_equal(window_scale.original(tf.ones((2, HORIZON)))[0], location[0] + 3.0)
    assert not window_scale.slope(tf.ones((2, HORIZON)))[0].numpy().any()


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=5))
def test_steps_since_seen_are_counted(rows):
    expected = []
    for row in rows:
        count, counts = 0, []
        for there in row:
            count = 0 if there else count + 1
            counts.append(count)
        expected.append(counts)
    assert since_seen(tf.constant(rows)).numpy().tolist() == expected


def test_a_window_of_one_step():
    assert since_seen(tf.constant([[True], [False]])).numpy().tolist() == [[0], [1]]


def test_what_is_missing_is_filled():
    values = tf.constant([[np.nan, 2.0, np.nan]])
    observed = observed_steps(values)
    assert observed.numpy().tolist() == [[False, True, False]]
    assert filled(values, observed, 7.0).numpy().tolist() == [[7, 2, 7]]
