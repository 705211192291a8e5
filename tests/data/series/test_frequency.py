"""Frequencies: regular times made by pandas are found regular, in all calendars and across clock changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.series.files import read_series
from seqtag.data.series.frequency import Frequency
from seqtag.data.series.frequency_inference import infer_frequency
from seqtag.errors import DataError

OFFSETS = {
    "h": "h", "15min": "15min", "30s": "30s", "D": "D", "2D": "2D", "W": "W", "W-WED": "W", "B": "B",
    "MS": "MS", "ME": "MS", "2MS": "2MS", "QS": "QS", "QE": "QS", "QS-FEB": "QS",
    "YS": "YS", "YE": "YS", "YS-JUL": "YS",
}  # fmt: skip


def table_of(index, **options):
    return read_series(pd.DataFrame({"unique_id": "a", "ds": index, "y": np.arange(float(len(index)))}), **options)


@pytest.mark.parametrize("time_zone", [None, "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("offset", OFFSETS)
def test_every_offset_of_pandas_is_found_again(offset, time_zone):
    index = pd.date_range("2023-01-03", periods=60, freq=offset, tz=time_zone)
    table = table_of(index)
    assert table.frequency.name == OFFSETS[offset]
    assert Frequency.parse(offset).name == OFFSETS[offset]
    assert Frequency.parse(table.frequency.name) == table.frequency
    assert table.to_timestamps(table.times).tolist() == index.tolist()
    # After the last row the grid continues as pandas' date range does.
    further = pd.date_range("2023-01-03", periods=90, freq=offset, tz=time_zone)[60:]
    future = table.times_at(np.zeros(30, int), np.arange(60, 90))
    assert table.to_timestamps(future).tolist() == further.tolist()


@settings(max_examples=40, deadline=None)
@given(
    offset=st.sampled_from(sorted(OFFSETS)),
    time_zone=st.sampled_from([None, "Europe/Berlin"]),
    gone=st.sets(st.integers(1, 38), max_size=12),
)
def test_rows_that_are_missing_come_back_at_their_places(offset, time_zone, gone):
    index = pd.date_range("2024-02-10", periods=40, freq=offset, tz=time_zone)
    kept = np.setdiff1d(np.arange(40), list(gone))
    table = table_of(index[kept], frequency=offset)
    assert table.to_timestamps(table.times).tolist() == index.tolist()
    assert np.flatnonzero(~table.inserted).tolist() == kept.tolist()


@pytest.mark.parametrize(
    ("time_zone", "day", "hours"),
    [
        ("Europe/Berlin", "2024-03-31", 23),
        ("Europe/Berlin", "2024-10-27", 25),
        ("America/New_York", "2024-03-10", 23),
        ("America/New_York", "2024-11-03", 25),
    ],
)
def test_days_of_23_and_25_hours(time_zone, day, hours):
    """Hourly steps are equal in UTC; daily steps are calendar days of 23, 24 or 25 hours."""
    start = pd.Timestamp(day, tz=time_zone)
    index = pd.date_range(start - pd.Timedelta("2D"), start + pd.Timedelta("3D"), freq="h")
    table = table_of(index)
    assert table.frequency.name == "h"
    assert not table.inserted.any()
    assert sum(stamp.date() == start.date() for stamp in table.to_timestamps(table.times)) == hours
    days = pd.date_range(start - pd.DateOffset(days=3), periods=7, freq="D")
    daily = table_of(days)
    assert daily.frequency.name == "D"
    assert not daily.inserted.any()
    assert (np.diff(daily.times) // 3_600_000_000).tolist() == [24, 24, 24, hours, 24, 24]


@pytest.mark.parametrize(("day", "count"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_local_clocks_without_an_offset_are_read_in_their_zone(day, count):
    index = pd.date_range(day, periods=count + 24, freq="h", tz="Europe/Berlin")
    text = [str(stamp.tz_localize(None)) for stamp in index]
    table = table_of(text, time_zone="Europe/Berlin")
    assert table.to_timestamps(table.times).tolist() == index.tolist()
    backwards = table_of(text[::-1], time_zone="Europe/Berlin")
    assert backwards.values.tolist() == [*range(len(text))][::-1], "the later of two rows comes first there"


def test_an_hour_that_clocks_skip_is_refused():
    with pytest.raises(DataError, match=r"series 'a' at 2024-03-31 02:00:00: expected a time that clocks in Europe/Be"):
        table_of(["2024-03-31 01:00:00", "2024-03-31 02:00:00", "2024-03-31 03:00:00"], time_zone="Europe/Berlin")


def test_offsets_in_text_that_change_with_the_clocks_need_the_zone():
    index = pd.date_range("2024-03-30 20:00", periods=12, freq="h", tz="Europe/Berlin")
    text = [stamp.isoformat() for stamp in index]
    found = r"at 2024-03-31T03:00:00\+02:00: expected the time zone of .*, \+01:00, found \+02:00; set data.time_zone"
    with pytest.raises(DataError, match=found):
        table_of(text)
    table = table_of(text, time_zone="Europe/Berlin")
    assert table.to_timestamps(table.times).tolist() == index.tolist()


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("other", [None, "Asia/Tokyo"])
def test_a_timestamp_with_another_zone_is_named(as_text, other):
    index = pd.date_range("2024-01-01", periods=4, freq="h", tz="UTC").tolist()
    index[2] = index[2].tz_convert(other)
    rows = [stamp.isoformat() if as_text else stamp for stamp in index]
    with pytest.raises(DataError, match=r"series 'a' at 2024-01-01.*: expected the time zone of the first row, "):
        table_of(pd.Series(rows, dtype=object))


def test_zones_of_text_are_kept():
    table = table_of(["2024-01-01T00:00:00+05:30", "2024-01-01T01:00:00+05:30", "2024-01-01T02:00:00+05:30"])
    assert str(table.to_timestamps(table.times)[0]) == "2024-01-01 00:00:00+05:30"
    table = table_of(["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+00:00", "2024-01-01T02:00:00+0000"])
    assert table.time_zone == "UTC", "which has three names"


def test_a_daily_time_that_clocks_skip_is_regular():
    index = pd.DatetimeIndex([f"2024-03-{day} 02:30" for day in (29, 30, 31)] + ["2024-04-01 02:30"])
    index = index.tz_localize("Europe/Berlin", nonexistent="shift_forward")
    table = table_of(index, frequency="D")
    assert not table.inserted.any()
    assert table.to_timestamps(table.times).tolist() == index.tolist()


def test_month_ends_are_regular_even_in_february():
    table = table_of(["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-04-30"])
    assert str(table.to_timestamps(table.times)[4].date()) == "2024-03-31"
    table = table_of(["2024-01-30", "2024-02-29", "2024-03-30"])
    assert str(table.to_timestamps(table.times_at(np.array([0]), np.array([13])))[0].date()) == "2025-02-28"


def test_short_weeks_follow_the_series_that_know_weekends():
    friday = pd.bdate_range("2024-01-01", periods=5)
    weeks = pd.bdate_range("2024-01-01", periods=15)
    frames = [pd.DataFrame({"unique_id": name, "ds": ds, "y": 1.0}) for name, ds in (("s", friday), ("l", weeks))]
    table = read_series(pd.concat(frames))
    assert table.frequency.name == "B"
    assert not table.inserted.any()
    with pytest.raises(DataError, match=r"series 'a' at 2024-01-06 00:00:00: expected steps of frequency 'B' from"):
        table_of(pd.date_range("2024-01-01", periods=9, freq="D"), frequency="B")


def test_business_days_and_calendar_days_are_mixed_frequencies():
    days, business = pd.date_range("2024-01-01", periods=15), pd.bdate_range("2024-01-01", periods=15)
    frames = [pd.DataFrame({"unique_id": name, "ds": ds, "y": 1.0}) for name, ds in (("d", days), ("b", business))]
    with pytest.raises(
        DataError, match=r"series 'b': expected frequency 'D' as in series 'd', found 'B' from 2024-01-0"
    ):
        read_series(pd.concat(frames))


def test_the_smallest_step_counts_when_the_others_are_its_multiples():
    times = np.array([0, 2, 4, 5, 0, 7, 9, 11])
    series = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    ids = np.array(["a", "b"], object)
    with pytest.raises(DataError, match="series 'b': expected frequency '1' as in series 'a', found '2' from 0"):
        infer_frequency(times, series, ids, None, True)


def test_seasons_are_named_by_the_frequency():
    expected = {"h": 24, "15min": 96, "D": 7, "B": 5, "W": 52, "MS": 12, "QS": 4, "YS": 1, "7min": 1, "1": 1}
    assert {name: Frequency.parse(name).season_length for name in expected} == expected


@pytest.mark.parametrize("text", ["0", "-2B", "ns", "DateOffset(months=2, days=3)"])
def test_frequencies_that_are_not_supported(text):
    with pytest.raises(ValueError, match=r"expected an? (frequency|step|offset)"):
        Frequency.parse(text)


def test_zones_have_to_exist():
    with pytest.raises(ValueError, match="expected the name of a time zone such as 'Europe/Berlin', found 'Mars/Base'"):
        table_of(["2024-01-01", "2024-01-02"], time_zone="Mars/Base")
