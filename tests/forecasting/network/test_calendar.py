"""The calendar of the graph against that of NumPy, over 130 years and around every clock change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag.data.series.frequency import Frequency
from seqtag.forecasting.data.calendar_features import calendar_cycles, calendar_features
from seqtag.forecasting.network.calendar import GraphCalendar, zone_offsets

FREQUENCIES = ("h", "D", "B", "W", "MS", "QS", "YS", "1", "bh", "SME")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", None)
END = pd.Timestamp("2101-01-01").value // 1000


def moments(text: str, time_zone: str | None) -> np.ndarray:
    """The hour around the changes of one year and 1,000 random times, in microseconds."""
    around = zone_offsets(time_zone)[0][:, None] + np.array([-3_600_000_000, -1, 0, 1, 1_800_000_000, 3_600_000_000])
    return np.r_[around.ravel(), np.random.default_rng(len(text)).integers(0, END, 1_000)]


@pytest.mark.parametrize("time_zone", ZONES)
@pytest.mark.parametrize("text", FREQUENCIES)
def test_features_are_those_of_numpy(text, time_zone):
    frequency = Frequency.parse(text)
    times = moments(text, time_zone)
    names, expected = calendar_features(frequency, times, time_zone)
    calendar = GraphCalendar(calendar_cycles(frequency), time_zone)
    found = calendar(tf.constant(times))
    assert calendar.names == names
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_every_day_of_five_centuries():
    days = np.arange("1600-01-01", "2101-01-01", dtype="datetime64[D]").astype("datetime64[us]").astype(np.int64)
    cycles = ("day_of_week", "day_of_month", "day_of_year", "month_of_year")
    found = GraphCalendar(cycles, None)(days).numpy()
    np.testing.assert_allclose(found[:, :6], calendar_features(Frequency.parse("D"), days, None)[1], atol=1e-6)
    np.testing.assert_allclose(found[:, 6:], calendar_features(Frequency.parse("MS"), days, None)[1], atol=1e-6)


def test_the_clocks_of_lord_howe_change_by_half_an_hour():
    changes, offsets = zone_offsets("Australia/Lord_Howe")
    spring = np.searchsorted(changes, pd.Timestamp("2024-07-01", tz="UTC").value // 1000)
    assert pd.Timestamp(changes[spring], unit="us") == pd.Timestamp("2024-10-05 15:30")  # 2 o'clock at UTC+10:30
    assert (offsets[spring : spring + 2] / 3.6e9).tolist() == [10.5, 11.0]


def test_a_changed_clock_shows_in_the_time_of_day():
    noon = [pd.Timestamp(day, tz="Europe/Berlin").value // 1000 for day in ("2024-03-30 12:00", "2024-03-31 12:00")]
    assert noon[1] - noon[0] == 23 * 3_600_000_000
    found = GraphCalendar(("time_of_day",), "Europe/Berlin")(noon)
    np.testing.assert_allclose(found, [[0, -1], [0, -1]], atol=1e-6)


@pytest.mark.parametrize("cycles", [("day_of_week", "time_of_day"), ()])
def test_any_shape_of_times(cycles):
    calendar = GraphCalendar(cycles, "America/New_York")
    times = tf.constant(moments("h", None)[-24:].reshape(2, 3, 4))
    found = calendar(times)
    assert found.shape == (2, 3, 4, 2 * len(cycles))
    np.testing.assert_array_equal(found[1, 2], calendar(times[1, 2]))
    assert calendar(times[:0]).shape == (0, 3, 4, 2 * len(cycles))


def test_a_saved_model_reads_timestamps(tmp_path):
    frequency = Frequency.parse("15min")
    calendar = GraphCalendar(calendar_cycles(frequency), "Europe/Berlin")
    module = tf.Module()
    module.features = tf.function(calendar, input_signature=[tf.TensorSpec([None, None], tf.int64)])
    tf.saved_model.save(module, str(tmp_path))
    times = moments("15min", "Europe/Berlin")[-30:].reshape(5, 6)
    expected = calendar_features(frequency, times, "Europe/Berlin")[1]
    found = tf.saved_model.load(str(tmp_path)).features(tf.constant(times))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"unknown cycle 'day_of_weak', did you mean 'day_of_week'\?"):
        GraphCalendar(("day_of_weak",), None)
    with pytest.raises(ValueError, match="unknown cycle 'xyz'; cycles: time_of_day, day_of_week"):
        GraphCalendar(("xyz",), None)
