"""The frame to fill in: the next steps of each series, with what is known of them already."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.future import read_future
from seqtag.forecasting.data.future_frame import future_frame

COLUMNS = SeriesColumns("shop", "day", "sold", CovariateNames(known=("price", "holiday")))


@pytest.fixture
def frame():
    """Two series that end on different days; one has a row to forecast."""
    rows = [
        (7, "2024-01-30", 1.0, 3.0, "no"),
        (7, "2024-01-31", 2.0, 4.0, "yes"),
        (7, "2024-02-01", None, 5.0, "new year"),
        (9, "2024-02-03", 1.0, 6.0, "no"),
        (9, "2024-02-04", 2.0, 7.0, "no"),
    ]
    return pd.DataFrame(rows, columns=["shop", "day", "sold", "price", "holiday"])


def test_it_has_the_next_steps_of_each_series_and_what_is_known_of_them(frame):
    table = read_series(frame, COLUMNS)
    found = future_frame(table, 2, COLUMNS)
    assert list(found.columns) == ["shop", "day", "price", "holiday"]
    assert found["shop"].dtype == "int64" and found["shop"].tolist() == [7, 7, 9, 9]
    assert found["day"].dt.strftime("%m-%d").tolist() == ["02-01", "02-02", "02-05", "02-06"]
    np.testing.assert_array_equal(found["price"], [5, np.nan, np.nan, np.nan])
    assert found["holiday"][0] == "new year" and found["holiday"][1:].isna().all()


def test_a_series_without_a_value_begins_with_its_first_row(frame):
    new = pd.DataFrame([(8, "2024-03-05", None, 9.0, "no")], columns=frame.columns)
    found = future_frame(read_series(pd.concat([frame, new]), COLUMNS), 2, COLUMNS)
    found = found[found["shop"] == 8]
    assert found["day"].dt.strftime("%m-%d").tolist() == ["03-05", "03-06"]
    np.testing.assert_array_equal(found["price"], [9, np.nan])


def test_filled_in_it_is_what_a_forecast_takes(frame):
    table = read_series(frame.dropna(), COLUMNS)
    filled = future_frame(table, 3, COLUMNS).assign(price=np.arange(6.0), holiday="no")
    future = read_future(table, 3, filled, COLUMNS)
    np.testing.assert_array_equal(future.known["price"], np.arange(6.0).reshape(2, 3))
    assert (table.to_timestamps(future.times.ravel()) == filled["day"]).all()


def test_a_time_zone_and_its_clock_changes_are_kept():
    times = pd.date_range("2024-10-26 22:00", periods=3, freq="h", tz="Europe/Berlin")
    table = read_series(pd.DataFrame({"unique_id": "a", "ds": times, "y": 1.0}))
    found = future_frame(table, 5, SeriesColumns())
    assert (found["ds"] == pd.date_range("2024-10-27 01:00", periods=5, freq="h", tz="Europe/Berlin")).all()


def test_a_horizon_that_cannot_be_is_told(frame):
    table = read_series(frame, COLUMNS)
    with pytest.raises(ValueError, match="expected horizon to be at least 1, found 0"):
        future_frame(table, 0, COLUMNS)
    with pytest.raises(DataError, match="series 7 at 2024-01-31 00:00:00: expected steps up to the year 9999"):
        future_frame(table, 10**9, COLUMNS)
