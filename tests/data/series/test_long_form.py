"""Frames as people hold them: times in the index, one series without a name, a pandas Series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import SeriesColumns, read_series, read_wide
from seqtag.errors import DataError

DAYS = pd.date_range("2024-01-01", periods=3)
MONTHS = pd.period_range("2024-01", periods=3, freq="M")
LONG = pd.DataFrame({"unique_id": "a", "ds": DAYS, "y": [1.0, 2.0, 3.0]})
VALUES = LONG["y"].to_numpy()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (LONG[["ds", "y"]], "y"),
        (LONG.set_index("ds")[["y"]], "y"),
        (pd.DataFrame({"y": VALUES}, DAYS), "y"),
        (pd.DataFrame({"y": VALUES}, DAYS.rename("Date")), "y"),
        (pd.Series(VALUES, DAYS), "y"),
        (pd.Series(VALUES, DAYS, name="sales"), "sales"),
        (LONG.set_index("unique_id"), "a"),
        (LONG.set_index(["unique_id", "ds"]), "a"),
    ],
    ids=range(8),
)
def test_one_series(source, name):
    table = read_series(source)
    assert table.ids.tolist() == [name] and table.values.tolist() == [1, 2, 3]
    assert table.to_timestamps(table.times).tolist() == DAYS.tolist()


def test_periods_in_the_index():
    for source in (pd.Series(VALUES, MONTHS), pd.DataFrame({"y": VALUES}, MONTHS)):
        table = read_series(source)
        assert table.frequency.name == "MS" and table.values.tolist() == [1, 2, 3]


def test_a_file_of_one_series_has_the_name_of_its_target(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("day,sold\n2024-01-01,1\n2024-01-02,2\n")
    assert read_series(path, SeriesColumns(time="day", target="sold")).ids.tolist() == ["sold"]
    path.write_text("shop,ds,y\na,2024-01-01,1\nb,2024-01-01,2\n")
    with pytest.raises(DataError, match=r"a\.csv:3: .* found two and no column of series; set data\.series"):
        read_series(path)


@pytest.mark.parametrize("name", ["unique_ID", "uniqe_id", "unique id"])
def test_a_slip_of_the_pen_is_no_single_series(name):
    with pytest.raises(DataError, match="expected a column 'unique_id', found columns"):
        read_series(LONG.rename(columns={"unique_id": name}))


def test_a_column_of_series_that_is_named_has_to_be_there():
    with pytest.raises(DataError, match="expected a column 'shop', found columns ds, y"):
        read_series(LONG[["ds", "y"]], SeriesColumns(series="shop"))


def test_wide_frames_may_have_their_times_in_the_index():
    wide = pd.DataFrame({"a": VALUES, "b": 2 * VALUES}, DAYS)
    expected = read_wide(wide.rename_axis("date").reset_index())
    found = read_wide(wide)
    assert found.ids.tolist() == expected.ids.tolist() == ["a", "b"]
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.times, expected.times)
