"""What has been seen of a series does not depend on how its steps were divided."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.running_scale import Running, RunningScaling

NAN = np.nan


def seen_of(values, cuts=()):
    """What is seen of rows that are padded before their first step, read in several pieces."""
    seen = Running.none(len(values))
    for piece in np.split(np.asarray(values, float), cuts, axis=1):
        seen = seen.after(tf.constant(piece), tf.ones(piece.shape, tf.bool))
    return seen


@pytest.mark.parametrize("level", [0.0, 1e12])
@pytest.mark.parametrize("cuts", [(), (1,), (3, 9), range(1, 20)])
def test_pieces_are_seen_as_the_whole(level, cuts):
    values = level + 5 * np.random.default_rng(2).normal(size=(3, 20))
    values[0, [0, 1, 5, 18, 19]] = values[1, :15] = values[2] = NAN
    seen = Running(*(part.numpy()[:, 0] for part in seen_of(values, list(cuts))))
    np.testing.assert_array_equal(seen.count, [15, 5, 0])
    np.testing.assert_array_equal(seen.elapsed, [2, 0, 20])
    assert seen.first.tolist() == [values[0, 2], values[1, 15], 0]
    assert seen.newest.tolist() == [values[0, 17], values[1, 19], 0]
    deviation = seen_of(values, list(cuts)).deviation()[:2, 0]
    np.testing.assert_allclose(deviation, np.nanstd(values[:2] - level, axis=1), rtol=1e-4)
    np.testing.assert_allclose(seen.largest[:2], np.nanmax(np.abs(values[:2]), axis=1))


def test_padding_is_no_step():
    there = tf.constant([[False, False, True, True], [True] * 4])
    values = tf.constant([[9.0, 9.0, 4.0, NAN], [1.0, NAN, NAN, NAN]], tf.float64)
    seen = Running.none(2).after(values, there)
    assert seen.count[:, 0].numpy().tolist() == [1, 1] and seen.first[:, 0].numpy().tolist() == [4, 1]
    assert seen.elapsed[:, 0].numpy().tolist() == [1, 3]
    again = seen.after(tf.fill([2, 3], tf.constant(NAN, tf.float64)), tf.constant([[False, False, True], [False] * 3]))
    assert again.elapsed[:, 0].numpy().tolist() == [2, 3]


def test_a_series_keeps_location_and_unit():
    layer = RunningScaling("standard", [[10.0, 2.0], [5.0, 0.0]], lookback=6, typical=3.0)
    layer.build((None, 6))
    values = tf.constant([[14.0, NAN, 12.0], [7.0, 8.0, 9.0], [7.0, 8.0, 9.0]], tf.float64)
    series = tf.constant([1, 2, 0])
    scaled = layer.scaled(values, seen_of(values).first, series).numpy()
    np.testing.assert_allclose(scaled, [[2, NAN, 1], [0, 1 / 3, 2 / 3], [0, 1 / 3, 2 / 3]], rtol=1e-6)
    scale, _ = layer(values, series)
    original = scale.original(tf.constant(np.nan_to_num(scaled)[..., None])).numpy()[..., 0]
    np.testing.assert_allclose(original, [[14, 10, 12], [7, 8, 9], [7, 8, 9]], rtol=1e-6)
    np.testing.assert_allclose(scale.spread[:, 0], [np.std([14, 12]) / 2, *[np.std([7, 8, 9]) / 3] * 2])


@pytest.mark.parametrize("kind", ["none", "standard"])
def test_a_constant_series_has_no_width(kind):
    moments = [[4.0, 1.0]] if kind == "none" else None
    layer = RunningScaling(kind, moments, lookback=6, typical=3.0)
    layer.build((None, 6))
    series = tf.zeros([3], tf.int32)
    scale, _ = layer(tf.constant([[7.0] * 6, [7.0] * 5 + [8.0], [7.0] + [NAN] * 5], tf.float64), series)
    assert (scale.scale[:, 0].numpy() > 0).tolist() == [False, True, True]
    assert (scale.original(tf.ones([3, 2]))[0].numpy() == 7).all()
