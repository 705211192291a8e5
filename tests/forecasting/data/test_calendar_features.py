"""Calendar features against pandas' own calendar, in local time and across clock changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.frequency import Frequency
from seqtag.forecasting.data.calendar_features import calendar_cycles, calendar_features

PANDAS = {
    "time_of_day": lambda t: (t.hour * 60 + t.minute) / 1440,
    "day_of_week": lambda t: t.day_of_week / 7,
    "day_of_month": lambda t: (t.day - 1) / t.days_in_month,
    "day_of_year": lambda t: (t.day_of_year - 1) / (365 + t.is_leap_year),
    "month_of_year": lambda t: (t.month - 1) / 12,
}


def micros(index):
    return index.as_unit("us").asi8


@pytest.mark.parametrize("time_zone", [None, "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(("offset", "count"), [("15min", 40_000), ("h", 9_000), ("D", 900), ("B", 600), ("W", 120),
                                               ("MS", 30), ("QE", 30), ("YS", 10), ("bh", 4_000), ("C", 600),
                                               ("SME", 60), ("BME", 30)])  # fmt: skip
def test_features_are_those_of_pandas_calendar(offset, count, time_zone):
    index = pd.date_range("1968-11-03", periods=count, freq=offset, tz=time_zone)
    frequency = Frequency.parse(offset)
    cycles = calendar_cycles(frequency)
    names, waves = calendar_features(frequency, micros(index), time_zone)
    assert len(names) == waves.shape[1] == 2 * len(cycles)
    for column, cycle in enumerate(cycles):
        place = np.asarray(PANDAS[cycle](index), float)
        np.testing.assert_allclose(waves[:, 2 * column], np.sin(2 * np.pi * place), atol=1e-6)
        np.testing.assert_allclose(waves[:, 2 * column + 1], np.cos(2 * np.pi * place), atol=1e-6)


def test_local_noon_is_noon_on_every_day_of_the_year():
    noon = pd.date_range("2024-01-01 12:00", periods=366, freq="D").tz_localize("Europe/Berlin")
    _, features = calendar_features(Frequency.parse("h"), micros(noon), "Europe/Berlin")
    np.testing.assert_allclose(features[:, :2], np.tile([0, -1], (366, 1)), atol=1e-15)


def test_any_shape_of_times_and_none():
    times = micros(pd.date_range("2024-01-01", periods=6, freq="D")).reshape(2, 3)
    names, features = calendar_features(Frequency.parse("D"), times, None)
    assert features.shape == (2, 3, len(names))
    np.testing.assert_array_equal(features[1], calendar_features(Frequency.parse("D"), times[1], None)[1])
    assert calendar_features(Frequency.parse("D"), times[:0], None)[1].shape == (0, 3, 6)
    assert calendar_features(Frequency.parse(1), np.arange(4), None)[1].shape == (4, 0)
