"""Offsets without a fixed step: their times are those of pandas, forwards and backwards, and their text comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.data.series.frequency import Frequency
from seqtag.data.series.offsets import RENAMED, OffsetGrid, parse_offset
from seqtag.errors import DataError

ARABIC_WEEK = "CustomBusinessDay(weekmask='Sun Mon Tue Wed Thu', holidays=['2024-05-01'])"
OFFSETS = [
    "BME", "BMS", "BQE", "BQS-FEB", "BYE-JUN", "SME", "SMS-10", "bh", "C", "2B", "3BME", "2bh", "WOM-2FRI", "LWOM-MON",
    "RE-L-JAN-FRI", ARABIC_WEEK, "BusinessHour(start=['08:00', '13:00'], end=['12:00', '17:00'])",
    "BusinessHour(start='22:00', end='02:00')", "CustomBusinessHour(holidays=['2024-05-01'])", "Easter()",
]  # fmt: skip


def table_of(index, **options):
    return read_series(pd.DataFrame({"unique_id": "a", "ds": index, "y": np.arange(float(len(index)))}), **options)


@pytest.mark.parametrize("time_zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("text", OFFSETS)
def test_times_are_those_of_pandas(text, time_zone):
    index = pd.date_range("2021-03-03", periods=50, freq=parse_offset(text), tz=time_zone)
    kept = np.setdiff1d(np.arange(40), [3, 7, 8])
    table = table_of(index[kept], frequency=text)
    assert table.to_timestamps(table.times).tolist() == index[:40].tolist()
    assert np.flatnonzero(table.inserted).tolist() == [3, 7, 8]
    further = table.times_at(np.zeros(10, int), np.arange(40, 50))
    assert table.to_timestamps(further).tolist() == index[40:].tolist()
    assert Frequency.parse(table.frequency.name) == table.frequency == Frequency(**table.frequency.to_dict())


def test_the_time_of_day_is_kept():
    index = pd.date_range("2024-01-01", periods=9, freq="BME") + pd.Timedelta("17:30:00")
    table = table_of(index)
    assert table.frequency.name == "BME"
    assert str(table.to_timestamps(table.times_at(np.array([0]), np.array([9])))[0]) == "2024-10-31 17:30:00"


@pytest.mark.parametrize("text", ["BME", "BMS", "BQE-DEC", "BYE-DEC", "SME-15", "SMS-15", "bh", "WOM-2FRI"])
def test_they_are_inferred(text):
    assert table_of(pd.date_range("2021-03-03", periods=30, freq=text)).frequency.name == text


@pytest.mark.parametrize("text", ["BME", "BMS", "SME-15", "SMS-15"])
def test_common_ones_are_inferred_beside_missing_rows(text):
    index = pd.date_range("2021-03-03", periods=30, freq=text).delete([4, 11, 12])
    table = table_of(index)
    assert table.frequency.name == text and table.inserted.sum() == 3


def test_mixed_frequencies_are_not_taken_for_an_offset():
    days = pd.date_range("2024-01-01", periods=40)
    frames = [
        pd.DataFrame({"unique_id": name, "ds": ds, "y": 1.0})
        for name, ds in (("d", days), ("w", days[::7]), ("h", pd.date_range("2024-01-01", periods=9, freq="h")))
    ]
    with pytest.raises(DataError, match=r"expected frequency 'D' as in series 'd', found 'W' .*; set data\.frequency"):
        read_series(pd.concat(frames))


def test_a_time_that_is_on_no_day_of_an_offset_is_named():
    index = pd.date_range("2024-01-01", periods=6, freq="BME")
    with pytest.raises(
        DataError, match=r"at 2024-03-14 00:00:00: expected steps of frequency 'BME' from 2024-01-31 00"
    ):
        table_of(index.insert(2, pd.Timestamp("2024-03-14")), frequency="BME")
    with pytest.raises(DataError, match="expected times near 2000 for the offset 'bh', found a time"):
        table_of(["2024-01-01 09:00", "9000-01-01 09:00"], frequency="bh")


@pytest.mark.parametrize("offset", [parse_offset(text) for text in OFFSETS] + [pd.Timedelta("90min")], ids=str)
def test_offsets_themselves_are_frequencies(offset):
    from seqtag.forecasting.config import SeriesDataConfig

    text = SeriesDataConfig(frequency=offset).frequency
    assert parse_offset(text) == offset
    assert SeriesDataConfig(**SeriesDataConfig(frequency=offset).model_dump()).frequency == text


def test_names_of_older_pandas_mean_what_they_meant():
    for old, new in RENAMED.items():
        assert parse_offset(old) == parse_offset(new)
    assert [Frequency.parse(old).name for old in ("M", "5M", "Q-FEB", "A", "30T", "2H", "BM")] == [
        "MS", "5MS", "QS", "YS", "30min", "2h", "BME",
    ]  # fmt: skip


def test_seasons():
    expected = {"bh": 8, "2bh": 4, "C": 5, ARABIC_WEEK: 5, "SME": 24, "BME": 12, "BQE": 4, "BYE": 1, "3BME": 4, "2B": 1}
    assert {text: Frequency.parse(text).season_length for text in expected} == expected


@pytest.mark.parametrize(
    "text", ["fortnight", "B(", "__import__('os')", "BusinessHour(start=open)", "DateOffset(x=1)", "Timestamp('2024')"]
)
def test_what_is_no_offset(text):
    with pytest.raises(ValueError, match=r"invalid frequency: |expected an offset of pandas"):
        Frequency.parse(text)


@pytest.mark.parametrize("text", ["DateOffset(microseconds=1)", "us", "h"])
def test_a_grid_of_steps_as_short_as_one_likes_is_refused(text):
    with pytest.raises(ValueError, match="expected an offset of the calendar"):
        OffsetGrid(text).times(np.zeros(1, np.int64))


def test_times_in_the_first_days_of_the_calendar_are_refused_in_words():
    index = np.array(["0001-01-02", "0001-01-09", "2021-01-31"], "datetime64[us]")
    with pytest.raises(DataError, match="expected times from the first 'SME-15' of the year 1 on, found one before it"):
        table_of(index, frequency="SME")
