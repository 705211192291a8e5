"""Scalings against NumPy, with missing values, constant windows, and windows without a value."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.scaling import WindowScaling, training_moments

KINDS = ("none", "mean", "last", "standard", "revin")
NAN = np.nan
HISTORY = np.array([[NAN, 3, 5, NAN, 10], [2, 4, NAN, 7, NAN], [-1, NAN, -4, -4, 0]], np.float32)
MOMENTS = [[10.0, 2.0], [20.0, 3.0]]
every_kind = pytest.mark.parametrize("kind", KINDS)


def scale_of(kind, history=HISTORY, series=(0, 0, 0), moments=None):
    scaling = WindowScaling(kind, moments)
    scaling.build((None, np.shape(history)[1]))
    window_scale, scale_features = scaling(tf.constant(history, tf.float32), tf.constant(series))
    assert scale_features is None
    return window_scale


def location_and_scale(kind, row):
    """The table of the docstring, for one window of a series that training did not have."""
    seen = row[~np.isnan(row)].astype(float)
    return {
        "none": (0, 1),
        "mean": (0, np.abs(seen).mean()),
        "last": (seen[-1], seen.std()),
        "standard": (seen.mean(), seen.std()),
        "revin": (seen.mean(), seen.std()),
    }[kind]


@every_kind
@pytest.mark.parametrize("moments", [None, MOMENTS])
def test_unknown_series_are_scaled_by_their_windows(kind, moments):
    window_scale = scale_of(kind, moments=moments)
    expected = np.array([location_and_scale(kind, row) for row in HISTORY])
    np.testing.assert_allclose(
        np.concatenate([window_scale.location, window_scale.scale], axis=1), expected, rtol=1e-5, atol=1e-6
    )


def test_known_series_are_scaled_by_their_moments():
    standard = scale_of("standard", series=[1, 2, 0], moments=MOMENTS)
    last = scale_of("last", series=[2, 1, 0], moments=MOMENTS)
    np.testing.assert_allclose(standard.location[:2], [[10], [20]])
    np.testing.assert_allclose(standard.scale[:2], [[2], [3]])
    np.testing.assert_allclose(last.location, [[10], [7], [0]], atol=1e-6)
    np.testing.assert_allclose(last.scale[:2], [[3], [2]])
    np.testing.assert_allclose(last.scale[2], [np.nanstd(HISTORY[2])], rtol=1e-5)


@every_kind
@pytest.mark.parametrize("value", [0.0, 5.0, -3e6, 1e-8])
def test_a_constant_window_has_a_scale_of_its_size(kind, value):
    window_scale = scale_of(kind, np.full((3, 5), value))
    expected = 1 if kind == "none" or not value else abs(value)
    np.testing.assert_allclose(window_scale.scale, np.full((3, 1), expected), rtol=1e-5)
    assert np.isfinite(window_scale.history(np.full((3, 5), value, np.float32))).all()


@every_kind
def test_a_window_without_a_value_has_a_finite_scale(kind):
    window_scale = scale_of(kind, np.full((3, 5), NAN))
    np.testing.assert_array_equal(np.concatenate([window_scale.location, window_scale.scale], axis=1), [[0, 1]] * 3)


@every_kind
def test_a_single_value_is_enough(kind):
    window_scale = scale_of(kind, np.array([[NAN, NAN, 4.0], [NAN, 4.0, NAN], [4.0, NAN, NAN]]))
    assert np.isfinite(window_scale.location).all() and (window_scale.scale.numpy() > 0).all()
    np.testing.assert_array_equal(window_scale.location, np.repeat(window_scale.location[:1], 3, axis=0))


def test_a_small_deviation_of_large_values_is_seen():
    history = 1e4 + np.array([[0, 1, 2, 3, 4]] * 3)
    window_scale = scale_of("revin", history)
    np.testing.assert_allclose(window_scale.location, np.full((3, 1), 10002))
    np.testing.assert_allclose(window_scale.scale, np.full((3, 1), np.sqrt(2)), rtol=1e-4)


@pytest.mark.parametrize(("gain", "shift"), [(1.0, 0.0), (0.5, 0.7), (3.0, -2.0)])
def test_revin_is_an_affine_map_behind_the_standard_one(gain, shift):
    scaling = WindowScaling("revin")
    scaling.build((None, 5))
    scaling.gain.assign(gain)
    scaling.shift.assign(shift)
    window_scale, _ = scaling(tf.constant(HISTORY), tf.zeros(3, tf.int32))
    mean, deviation = np.nanmean(HISTORY, axis=1, keepdims=True), np.nanstd(HISTORY, axis=1, keepdims=True)
    expected = gain * (HISTORY - mean) / deviation + shift
    np.testing.assert_allclose(window_scale.history(HISTORY), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("gain", [-1.0, 0.0, -1e-3])
def test_the_scale_of_revin_stays_above_zero(gain):
    scaling = WindowScaling("revin")
    scaling.build((None, 5))
    scaling.gain.assign(gain)
    window_scale, _ = scaling(tf.constant(HISTORY), tf.zeros(3, tf.int32))
    assert (window_scale.scale.numpy() > 0).all() and np.isfinite(window_scale.location).all()


def test_the_spread_is_the_deviation_of_the_scaled_values():
    scaled = tf.constant([[0.0, 2, 4, 9], [3, 3, 3, 3], [5, 0, 0, 0]], tf.float32)
    observed = tf.constant([[True, True, True, False], [True] * 4, [True, False, False, False]])
    expected = [[np.std([0, 2, 4])], [1], [1]]
    np.testing.assert_allclose(WindowScaling("none").spread(scaled, observed), expected, rtol=1e-5)


def test_moments_are_those_of_each_series():
    values = np.array([1, 2, NAN, 6, 5, 5, 0, 0, NAN, NAN])
    offsets = np.array([0, 4, 6, 8, 9, 10])
    expected = [[3, np.std([1, 2, 6])], [5, 5], [0, 1], [0, 1], [0, 1]]
    np.testing.assert_allclose(training_moments(values, offsets), expected, rtol=1e-6)


def test_the_configuration_makes_the_same_scaling():
    scaling = WindowScaling("last", MOMENTS)
    again = WindowScaling.from_config(scaling.get_config())
    assert again.kind == "last"
    np.testing.assert_array_equal(again.moments, scaling.moments)
