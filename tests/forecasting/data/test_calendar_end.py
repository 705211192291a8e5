"""Steps that a calendar does not have are refused before any time is computed that cannot be."""

from __future__ import annotations

import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.calendar_end import check_calendar


def table_of(times, frequency):
    """Two series of two steps each; the first ends before the second."""
    return read_series(pd.DataFrame({"unique_id": list("aabb"), "ds": times, "y": 1.0}), frequency=frequency)


DAYS = ["2024-01-01", "2024-01-02", "9999-12-29", "9999-12-30"]


@pytest.mark.parametrize(
    ("times", "frequency", "most", "found"),
    [
        (DAYS, "D", 1, "series 'b' at 9999-12-30 00:00:00: expected steps up to the year 9999, found a horizon of 2"),
        (DAYS, "12h", 3, "series 'b' at 9999-12-30 00:00:00: expected steps up to the year 9999"),
        ([*DAYS[:2], "9999-12-01", "9999-12-02"], "B", 21, "series 'b' at 9999-12-02 00:00:00: expected steps"),
        (["2024-01-31", "2024-02-29", "9999-10-31", "9999-11-30"], "ME", 1, "series 'b' at 9999-11-30 00:00:00"),
        ([1, 2, 1, 3], 1, 2**62, f"series 'a' at 2: expected steps up to {2**62}, found a horizon of {2**62 + 1}"),
        ([0, 2**60, 2**61 - 2**60, 2**61], 2**60, 4, "series 'a' at 1152921504606846976: expected steps up to 4611"),
    ],
)
def test_the_series_whose_calendar_ends_is_named(times, frequency, most, found):
    table = table_of(times, frequency)
    check_calendar(table, most)
    with pytest.raises(DataError) as caught:
        check_calendar(table, most + 1)
    assert str(caught.value).startswith(found)
    for horizon in (10**9 * most, 10**30):
        with pytest.raises(DataError, match=r"series 'a' at .*: expected steps up to"):
            check_calendar(table, horizon)


def test_in_a_time_zone_the_last_days_end_earlier():
    frame = pd.DataFrame({"unique_id": "a", "ds": ["9999-12-28", "9999-12-29"], "y": 1.0})
    table = read_series(frame, frequency="D", time_zone="Asia/Tokyo")
    check_calendar(table, 1)
    with pytest.raises(DataError, match=r"series 'a' at 9999-12-29 00:00:00\+09:00: expected steps"):
        check_calendar(table, 3)


def test_the_grid_of_an_offset_ends_somewhere():
    table = table_of(["2024-01-15", "2024-01-31", "2024-01-15", "2024-02-29"], "SME")
    check_calendar(table, 24)
    for horizon in (10**7, 2**61):
        with pytest.raises(DataError, match="series 'a' at 2024-01-31 00:00:00: expected steps up to the year 9999"):
            check_calendar(table, horizon)
