"""Scalings against NumPy, with missing values, large levels, constant windows, and windows without a value."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.scaling import WindowScaling

KINDS = ("none", "mean", "last", "standard", "revin")
NAN = np.nan
HISTORY = np.array([[NAN, 3, 5, NAN, 10], [2, 4, NAN, 7, NAN], [-1, NAN, -4, -4, 0]])
MOMENTS = [[10.0, 2.0], [20.0, 3.0]]
ORIGIN = [[4.0, 1.0]]
every_kind = pytest.mark.parametrize("kind", KINDS)


def scale_of(kind, history=HISTORY, series=(0, 0, 0), moments=None, **options):
    scaling = WindowScaling(kind, moments, **options)
    scaling.build((None, np.shape(history)[1]))
    window_scale, scale_features = scaling(tf.constant(history), tf.constant(series))
    assert scale_features is None
    return window_scale


def located(window_scale):
    """The location and the scale, both in units of the series."""
    return np.concatenate([window_scale.level + window_scale.location, window_scale.scale], axis=1)


def location_and_scale(kind, row, centred=False):
    """The table of the docstring, for one window of a series that training did not have."""
    seen = row[~np.isnan(row)].astype(float)
    from_zero = {"none": (0, 1), "mean": (0, np.abs(seen).mean())}
    above = {"none": (ORIGIN[0][0], 1), "mean": (seen.mean(), np.abs(seen - seen.mean()).mean())}
    return {
        **(above if centred else from_zero),
        "last": (seen[-1], seen.std()),
        "standard": (seen.mean(), seen.std()),
        "revin": (seen.mean(), seen.std()),
    }[kind]


@every_kind
@pytest.mark.parametrize("centred", [False, True])
def test_unknown_series_are_scaled_by_their_windows(kind, centred):
    moments = {"none": ORIGIN if centred else None, "standard": MOMENTS, "last": MOMENTS}.get(kind)
    window_scale = scale_of(kind, moments=moments, centred=centred)
    expected = np.array([location_and_scale(kind, row, centred) for row in HISTORY])
    np.testing.assert_allclose(located(window_scale), expected, rtol=1e-12, atol=1e-12)


def test_known_series_are_scaled_by_their_moments():
    standard = located(scale_of("standard", series=[1, 2, 0], moments=MOMENTS))
    last = located(scale_of("last", series=[2, 1, 0], moments=MOMENTS))
    np.testing.assert_allclose(standard[:2], [[10, 2], [20, 3]])
    np.testing.assert_allclose(last, [[10, 3], [7, 2], [0, np.nanstd(HISTORY[2])]], atol=1e-12)


def test_a_series_that_did_not_vary_in_training_is_scaled_by_its_window():
    moments = [[10.0, 0.0], [20.0, 3.0]]
    for kind, location in (("standard", np.nanmean(HISTORY[0])), ("last", 10)):
        found = located(scale_of(kind, series=[1, 2, 0], moments=moments))
        np.testing.assert_allclose(found[0], [location, np.nanstd(HISTORY[0])], err_msg=kind)
        assert found[1, 1] == 3


def test_scaled_targets_are_cut_off_where_they_are_numbers_of_deviations():
    kinds = [(kind, WindowScaling(kind, centred=True).farthest) for kind in ("mean", "last", "standard", "revin")]
    assert all(farthest is not None for _, farthest in kinds)
    assert WindowScaling("none", ORIGIN, centred=True).farthest is WindowScaling("mean").farthest is None


def centred(kind, history, **options):
    moments = {"none": [[np.nanmean(history), 1.0]]}.get(kind)
    return scale_of(kind, history, moments=moments, centred=True, **options)


@every_kind
@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize("ratio", [1e3, 1e6, 1e12])
def test_a_level_changes_nothing_but_the_location(kind, size, ratio):
    """Down to what float64 resolves of the movement."""
    level = ratio * size
    history = level + size * HISTORY
    expected, found = centred(kind, history - level), centred(kind, history)
    values = expected.history(history - level).numpy()
    assert 0.1 < np.nanmax(np.abs(values)) / (size if kind == "none" else 1.0) < 10
    resolution = 20 * np.spacing(level) / size
    np.testing.assert_allclose(found.history(history), values, rtol=1e-6, atol=(resolution + 1e-6) * np.nanmax(values))
    future = tf.constant(np.random.default_rng(1).normal(size=(3, 4, 2)))
    forecast, moved = (scale.original(future).numpy() for scale in (expected, found))
    unit = 1.0 if kind == "none" else size
    np.testing.assert_allclose(moved - level, forecast, rtol=1e-12, atol=30 * np.spacing(level + unit))
    np.testing.assert_allclose(found.slope(future[..., 0]), expected.slope(future[..., 0]), rtol=1e-6 + resolution)
    np.testing.assert_allclose(found.spread, expected.spread, rtol=1e-6 + resolution)


@every_kind
@pytest.mark.parametrize("value", [0.0, 5.0, -3e6, 1e-8, 0.1, 1e20])
def test_a_constant_window_has_no_width(kind, value):
    history = np.full((3, 9), value)
    history[1, :-8] = history[1, 3] = NAN
    window_scale = centred(kind, history, typical=2.0)
    np.testing.assert_array_equal(window_scale.scale[::2], [[0], [0]])
    assert (window_scale.scale[1] > 0).numpy().all(), "seven values of a longer lookback are too few"
    assert not window_scale.history(history).numpy()[::2].any()
    np.testing.assert_array_equal(window_scale.original(tf.ones((3, 4)))[::2], np.full((2, 4), value))


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_window_of_counts_is_scaled_by_its_size(value):
    window_scale = scale_of("mean", np.full((3, 9), value))
    np.testing.assert_array_equal(located(window_scale), [[0, value or 1]] * 3)


@every_kind
@pytest.mark.parametrize(("typical", "expected"), [(None, 4), (2.5, 2.5), (0.0, 0.0)])
def test_a_single_value_has_the_scale_of_other_series(kind, typical, expected):
    """Without one, as of old, the size of the value."""
    window_scale = centred(kind, np.array([[NAN, NAN, 4.0], [NAN, 4.0, NAN], [4.0, NAN, NAN]]), typical=typical)
    np.testing.assert_array_equal(located(window_scale), [[4, min(expected, 1) if kind == "none" else expected]] * 3)


@every_kind
def test_a_window_without_a_value_has_a_finite_scale(kind):
    history = np.full((3, 5), NAN)
    np.testing.assert_array_equal(located(scale_of(kind, history)), [[0, 1]] * 3)
    np.testing.assert_array_equal(located(scale_of(kind, history, centred=True, typical=2.0))[:, 0], [0] * 3)


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


@every_kind
def test_the_spread_is_the_deviation_of_the_scaled_values(kind):
    window_scale = scale_of(kind, np.where(np.arange(3)[:, None] == 1, 4.0, HISTORY))
    scaled = np.where(np.isnan(HISTORY), NAN, window_scale.history(np.nan_to_num(HISTORY)))
    deviation = np.nanstd(scaled, axis=1)
    np.testing.assert_allclose(window_scale.spread[:, 0], [deviation[0], 1, deviation[2]], rtol=1e-5)


def test_the_configuration_makes_the_same_scaling():
    scaling = WindowScaling("last", MOMENTS, centred=True, typical=3.0)
    again = WindowScaling.from_config(scaling.get_config())
    assert (again.kind, again.centred, again.typical) == ("last", True, 3.0)
    np.testing.assert_array_equal(again.moments, scaling.moments)
