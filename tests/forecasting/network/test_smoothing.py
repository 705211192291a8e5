from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.smoothing import SmoothingScaling


def smoothed(history, season, alpha, gamma, start):
    """The recursion of the docstring in plain NumPy: the level at the end, the season to come, each step's season."""
    level, ring, seasons, seen = 0.0, list(start), [], False
    for value in history:
        now = ring.pop(0)
        seasons.append(now)
        if not np.isnan(value):
            rest = value - now
            level = rest if not seen else level + alpha * (rest - level)
            now = now + gamma * (rest - level) if seen and season > 1 else now
            seen = True
        ring.append(now)
    return level, ring, seasons


def decomposed(values, padding, season):
    """Subtracts the centred moving average, averages the rest for each place in the season, and centres it."""
    half, left = season // 2, np.full(len(values), np.nan)
    for t in range(padding + half, len(values) - half):
        window = values[t - half : t + half + 1]
        around = window.mean() if season % 2 else (window[1:-1].sum() + (window[0] + window[-1]) / 2) / season
        left[t] = values[t] - around
    places = left.reshape(-1, season)
    counts = np.sum(~np.isnan(places), axis=0)
    mean = np.where(counts > 0, np.nansum(places, axis=0) / np.maximum(counts, 1), 0.0)
    return mean - mean.mean()


def scaling(season, horizon=5, **options):
    layer = SmoothingScaling(season, horizon, **options)
    layer.build((None, None))
    layer.coefficients.assign(np.log([0.3 / 0.7, 0.2 / 0.8]))
    return layer


def series(rng, steps, season):
    wave = np.sin(2 * np.pi * np.arange(steps) / season)
    return np.exp(3 + 0.01 * np.arange(steps) + 0.3 * wave + 0.05 * rng.normal(size=steps)).astype(np.float32)


@pytest.mark.parametrize("logarithmic", [True, False])
@pytest.mark.parametrize(("season", "lookback"), [(4, 24), (4, 22), (3, 20), (1, 9), (12, 40)])
def test_the_scale_is_that_of_the_recursion_unrolled(season, lookback, logarithmic):
    rng = np.random.default_rng(season * lookback)
    history = series(rng, lookback, season)
    window_scale, scale_features = scaling(season, logarithmic=logarithmic)(history[None], np.array([0]))
    size = 1.0 if logarithmic else np.abs(history).mean()
    x = np.log(history) if logarithmic else history / size
    whole = np.r_[np.full(-lookback % season, np.nan), x]
    start = decomposed(whole, -lookback % season, season) if season > 1 else [0.0]
    level, ring, seasons = smoothed(whole, season, 0.3, 0.2, start)
    rest = x - np.array(seasons)[-lookback:]
    change = np.minimum(np.abs(np.diff(rest)), 0.7).mean() + 0.003
    location = level + np.r_[np.array(seasons)[-lookback:], np.resize(ring, 5) if season > 1 else np.zeros(5)]
    level = window_scale.level
    found = (np.log(level) if logarithmic else level) + window_scale.location
    np.testing.assert_allclose(found.numpy()[0], location * size, rtol=2e-4, atol=1e-4)
    np.testing.assert_allclose(window_scale.scale.numpy()[0, 0], change * size, rtol=1e-3)
    np.testing.assert_allclose(scale_features.weight.numpy()[0, 0], np.sqrt(change / 0.05), rtol=1e-3)
    assert (scale_features.series.shape[1], scale_features.steps.shape[2]) == scaling(season).feature_widths


def test_the_history_is_scaled_and_scaled_back():
    history = series(np.random.default_rng(1), 24, 4)[None]
    window_scale, _ = scaling(4)(history, np.array([0]))
    scaled = window_scale.history(tf.constant(history))
    assert abs(scaled.numpy()).max() < 20
    future = window_scale.original(tf.zeros((1, 5, 2)))
    assert future.shape == (1, 5, 2) and (future.numpy() > 0).all()


def test_a_season_that_repeats_is_forecast_to_repeat():
    wave = np.exp(np.tile([0.5, -0.2, 0.1, -0.4], 8)).astype(np.float32)
    window_scale, scale_features = scaling(4, horizon=6)(wave[None], np.array([0]))
    np.testing.assert_allclose(window_scale.original(tf.zeros((1, 6)))[0], wave[[0, 1, 2, 3, 0, 1]], rtol=1e-3)
    assert scale_features.series.numpy()[0, 2] > 0.95, "the season's strength"


def test_noise_has_no_strong_season():
    rng = np.random.default_rng(2)
    history = np.exp(0.1 * rng.normal(size=(50, 48))).astype(np.float32)
    strength = scaling(12)(history, np.zeros(50, int))[1].series.numpy()[:, 2]
    assert strength.mean() < 0.4


def test_the_unit_of_a_series_does_not_matter():
    history = series(np.random.default_rng(3), 24, 4)[None]
    (one, _), (other, _) = (scaling(4)(history * unit, np.array([0])) for unit in (1.0, 1000.0))
    np.testing.assert_allclose(one.scale, other.scale, rtol=1e-4)
    np.testing.assert_allclose(other.location, one.location, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(other.level / one.level, 1000.0)


@pytest.mark.parametrize("season", [1, 4])
@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
def test_a_level_changes_nothing_but_the_location(season, size):
    """Where x is no logarithm; down to what float64 resolves of the movement."""
    movement = size * (series(np.random.default_rng(7), 24, season)[None].astype(float) - 20)
    layer = scaling(season, logarithmic=False, centred=True)
    (one, features), *others = (layer(movement + ratio * size, np.array([0])) for ratio in (0.0, 1e3, 1e6, 1e9))
    for ratio, (other, other_features) in zip((1e3, 1e6, 1e9), others, strict=True):
        resolution = 1e-15 * ratio + 1e-6
        np.testing.assert_allclose(other.location, one.location, rtol=1e-3, atol=10 * resolution * size)
        np.testing.assert_allclose(other.level - one.level, ratio * size, rtol=1e-9)
        np.testing.assert_allclose(other.scale, one.scale, rtol=100 * resolution)
        for part, expected in zip(other_features, features, strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-3, atol=1e-4)


def test_logarithms_that_move_little_are_scaled_by_their_movement():
    """A level of a million is in the linear part of the logarithm."""
    movement = series(np.random.default_rng(8), 24, 4)[None].astype(float)
    expected, _ = scaling(4, logarithmic=False)(movement, np.array([0]))
    found, _ = scaling(4)(1e6 + movement, np.array([0]))
    scaled, in_logarithms = expected.history(movement), found.history(1e6 + movement)
    # The little that is added to the changes is no more than they are: at most a factor of two.
    ratio = np.linalg.norm(in_logarithms) / np.linalg.norm(scaled)
    assert 0.5 < ratio < 1.1
    np.testing.assert_allclose(in_logarithms / ratio, scaled, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("logarithmic", [True, False])
@pytest.mark.parametrize("value", [5.0, 0.1, 1e20])
def test_a_constant_window_has_no_width(logarithmic, value):
    layer = scaling(4, logarithmic=logarithmic, centred=True)
    with tf.GradientTape() as tape:
        window_scale, scale_features = layer(np.full((2, 12), value), np.zeros(2, int))
        total = tf.reduce_sum(window_scale.scale) + sum(tf.reduce_sum(tf.cast(f, tf.float64)) for f in scale_features)
    np.testing.assert_array_equal(window_scale.scale, [[0], [0]])
    np.testing.assert_allclose(window_scale.original(tf.ones((2, 5, 3))), np.full((2, 5, 3), value), rtol=1e-15)
    assert not scale_features.weight.numpy().any()
    assert np.isfinite(tape.gradient(total, layer.coefficients.value)).all()


@pytest.mark.parametrize("logarithmic", [True, False])
def test_a_window_without_neighbouring_values_has_a_scale(logarithmic):
    history = np.where(np.arange(24) % 2, np.nan, series(np.random.default_rng(9), 24, 4))[None]
    assert scaling(4, logarithmic=logarithmic, centred=True)(history, np.array([0]))[0].scale.numpy() > 0


@pytest.mark.parametrize("logarithmic", [True, False])
def test_missing_values_padding_and_rows_without_a_value(logarithmic):
    history = np.tile(series(np.random.default_rng(4), 24, 4), (4, 1))
    history[1, [3, 10, 23]] = np.nan
    history[2, :18] = np.nan
    history[3] = np.nan
    layer = scaling(4, logarithmic=logarithmic)
    with tf.GradientTape() as tape:
        window_scale, scale_features = layer(tf.constant(history), np.zeros(4, int))
        parts = (window_scale.location, window_scale.scale, *scale_features)
        total = sum(tf.reduce_sum(tf.cast(part, tf.float64)) for part in parts)
    for part in (window_scale.location, window_scale.scale, *scale_features):
        assert np.isfinite(part.numpy()).all()
    gradient = tape.gradient(total, layer.coefficients.value)
    assert np.isfinite(gradient.numpy()).all() and gradient.numpy().any()
    more, _ = layer(np.pad(history, [[0, 0], [8, 0]], constant_values=np.nan), np.zeros(4, int))
    np.testing.assert_allclose(more.location[:, 8:], window_scale.location, rtol=1e-4, atol=1e-5)


def test_each_series_has_its_own_coefficients_and_an_unknown_one_has_none():
    history = np.tile(series(np.random.default_rng(5), 24, 4), (3, 1))
    layer = scaling(4, series=2, per_series=True)
    window_scale, _ = layer(history, np.array([0, 1, 2]))
    np.testing.assert_array_equal(window_scale.location[0], window_scale.location[2])
    adjustments = layer.adjustments.numpy()
    adjustments[2] = [1.0, 0.0, 0.1, -0.1, 0.0, 0.0]
    layer.adjustments.assign(adjustments)
    window_scale, _ = layer(history, np.array([0, 1, 2]))
    np.testing.assert_array_equal(window_scale.location[0], window_scale.location[1])
    assert abs(window_scale.location[0] - window_scale.location[2]).numpy().max() > 0.01


def test_a_loop_over_long_windows_gives_what_the_unrolled_one_gives(monkeypatch):
    history = series(np.random.default_rng(6), 24, 4)[None]
    expected, _ = scaling(4)(history, np.array([0]))
    monkeypatch.setattr("seqtag.forecasting.network.smoothing._UNROLLED", 8)
    looped, _ = tf.function(scaling(4))(history, np.array([0]))
    np.testing.assert_allclose(looped.location, expected.location, rtol=1e-5)


def test_config_round_trip():
    layer = SmoothingScaling(4, 5, logarithmic=False, series=3, per_series=True, centred=True, typical=2.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
