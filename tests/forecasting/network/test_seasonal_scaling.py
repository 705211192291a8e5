"""The scaling by the last season against loops, at any level, with gaps and repeats."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.seasonal_scaling import SeasonalScaling, mean_change, window_unit

NAN = np.nan
LOOKBACK, HORIZON = 10, 4


def rows(seed=0, count=6):
    values = np.random.default_rng(seed).normal(10, 3, (count, LOOKBACK))
    values[0, :5] = NAN
    values[1, [3, 9]] = NAN
    values[2, 1::3] = NAN
    return values


def repeated(row, season_length):
    """The value that each step of history and future is measured from, in a loop."""
    seen = [t for t in range(LOOKBACK) if not np.isnan(row[t])]
    found = []
    for step in range(LOOKBACK + HORIZON):
        at_place = [t for t in seen if (t - step) % season_length == 0]
        found.append(row[at_place[-1] if at_place else seen[-1]])
    return np.array(found)


def unit(row, season_length):
    def changes(lag):
        pairs = [abs(row[t] - row[t - lag]) for t in range(lag, LOOKBACK)]
        return [pair for pair in pairs if not np.isnan(pair)]

    seasonal, steps = changes(season_length), changes(1)
    if season_length == 1:
        return np.mean(steps)
    share = min(len(seasonal) / 8, 1)
    return share * np.mean(seasonal or [0]) + (1 - share) * np.mean(steps or [0])


@pytest.mark.parametrize("season_length", [1, 3, 4, 12])
def test_windows_are_measured_from_their_last_season(season_length):
    values = rows()
    scale, features = SeasonalScaling(season_length, HORIZON)(tf.constant(values), None)
    assert features is None
    base, size = scale.level + scale.location, scale.scale.numpy()
    for number, row in enumerate(values):
        np.testing.assert_allclose(base[number], repeated(row, season_length), rtol=1e-12)
        assert size[number, 0] == pytest.approx(unit(row, season_length), rel=1e-9)
    zeros = tf.zeros((len(values), HORIZON))
    expected = [repeated(row, season_length)[LOOKBACK:] for row in values]
    np.testing.assert_allclose(scale.original(zeros), expected, rtol=1e-12)


@pytest.mark.parametrize("level", [1e6, 1e12])
def test_a_level_changes_nothing_but_the_level(level):
    values = np.round(rows() * 256)
    plain, above = (SeasonalScaling(3, HORIZON)(tf.constant(part), None)[0] for part in (values, values + level))
    np.testing.assert_allclose(plain.scale, above.scale, rtol=1e-12)
    for part in ("history", "future"):
        array = values if part == "history" else values[:, :HORIZON]
        one, other = getattr(plain, part)(tf.constant(array)), getattr(above, part)(tf.constant(array + level))
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_an_exact_repeat_has_no_unit_and_few_values_have_the_typical_one():
    same = np.tile([1.0, 5.0, 2.0], 4)[None]
    assert window_unit(tf.constant(same), 3, 2.5).numpy() == 0
    constant, single = np.full((1, LOOKBACK), 7.0), np.r_[np.full(LOOKBACK - 1, NAN), 7.0][None]
    assert window_unit(tf.constant(constant), 3, 2.5).numpy() == 0
    assert window_unit(tf.constant(single), 3, 2.5).numpy() == 2.5
    assert window_unit(tf.constant(single), 3).numpy() == 7


def test_other_rows_and_padding_change_nothing():
    values = rows()
    whole = window_unit(tf.constant(values), 3).numpy()
    padded = np.concatenate([np.full((len(values), 5), NAN), values], axis=1)
    np.testing.assert_allclose(window_unit(tf.constant(padded), 3), whole)
    np.testing.assert_allclose(window_unit(tf.constant(values[2:3]), 3), whole[2:3])


def test_changes_of_no_pair_are_zero():
    values = tf.constant([[1.0, NAN]])
    assert [part.numpy().item() for part in mean_change(values, 1)] == [0, 0]
    assert [part.numpy().item() for part in mean_change(values, 5)] == [0, 0]
