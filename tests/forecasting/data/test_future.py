"""The steps to forecast follow the end of each series; no known covariate of them may be missing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import Categories, CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.errors import DataError, DataWarning
from seqtag.forecasting.data.future import append_future, read_future, unknown_future

NAMES = SeriesColumns(covariates=CovariateNames(past=("cost",), known=("price", "event")))


def frame_of(start, lengths, time_zone=None):
    frames = []
    for name, length in lengths.items():
        ds = pd.date_range(start, periods=length, freq="D", tz=time_zone)
        frames.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": 1.0, "cost": 2.0}))
    frame = pd.concat(frames, ignore_index=True)
    frame["price"] = frame["ds"].dt.day.astype(float)
    frame["event"] = np.where(frame["ds"].dt.day % 2, "odd", "even")
    return frame


@pytest.fixture
def table():
    return read_series(frame_of("2024-03-01", {"a": 5, "b": 3}), NAMES)


@pytest.fixture
def future():
    return frame_of("2024-03-01", {"b": 12, "a": 12}).drop(columns=["y", "cost"])


def test_each_series_goes_on_from_its_own_end(table, future):
    found = read_future(table, 3, future.sample(frac=1, random_state=0))
    assert found.known["price"].tolist() == [[6, 7, 8], [4, 5, 6]]
    event = found.known["event"]
    assert isinstance(event, Categories)
    assert [[event.symbols[code] for code in row] for row in event.codes] == [["even", "odd", "even"]] * 2
    rows = found.to_frame(table)
    assert rows["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert rows["ds"].dt.day.tolist() == [6, 7, 8, 4, 5, 6]


def test_series_without_known_covariates_need_no_frame():
    table = read_series(frame_of("2024-03-30", {"a": 2}, "Europe/Berlin"))
    rows = read_future(table, 2).to_frame(table)
    assert rows["ds"].astype(str).tolist() == ["2024-04-01 00:00:00+02:00", "2024-04-02 00:00:00+02:00"]


def test_files_and_integers(tmp_path):
    frame = pd.DataFrame({"unique_id": "07", "ds": [1, 2, 3], "y": 1.0, "week": [1, 2, 3]})
    columns = SeriesColumns(covariates=CovariateNames(known=("week",), categorical=("week",)))
    path = tmp_path / "future.csv"
    path.write_text("unique_id,ds,week\n07,4,2\n07,5,\n")
    table = read_series(frame, columns)
    found = read_future(table, 1, path).known["week"]
    assert isinstance(found, Categories) and found.symbols == ("2",)
    with pytest.raises(
        DataError, match=r"future\.csv:3: series '07' at 5: expected a value of known covariate 'week', f"
    ):
        read_future(table, 2, path)
    with pytest.raises(DataError, match=r"series '07' at 6: expected a row in the future frame, found none"):
        read_future(table, 3, path)


@pytest.mark.parametrize("time_zone", [None, "Europe/Berlin"])
def test_local_clocks_and_zones(time_zone):
    table = read_series(frame_of("2024-03-29", {"a": 2}, "Europe/Berlin"), NAMES)
    future = frame_of("2024-03-29", {"a": 9}, time_zone)
    assert read_future(table, 3, future).known["price"].tolist() == [[31, 1, 2]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda f: f, "ignored 18 rows of the future that are not of the steps to forecast$"),
        (
            lambda f: pd.concat([f, f.assign(unique_id="z")]),
            "ignored 42 rows .* to forecast, some of 1 series that are not forecast, such as 'z'",
        ),
        (lambda f: pd.concat([f, f.assign(unique_id="z", price=np.nan)]), "ignored 42 rows"),
    ],
)
def test_other_rows_and_series_are_ignored_with_one_warning(table, future, given, message):
    with pytest.warns(DataWarning, match=message) as warned:
        found = read_future(table, 3, given(future))
    assert len(warned) == 1
    assert found.known["price"].tolist() == [[6, 7, 8], [4, 5, 6]]


def test_nothing_is_said_where_all_rows_are_used(table, future):
    exact = future[future["ds"].between("2024-03-04", "2024-03-08")]
    exact = exact[
        (exact["unique_id"] == "a") & (exact["ds"] > "2024-03-05") | (exact["price"] < 7) & (exact["unique_id"] == "b")
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_future(table, 3, exact).known["price"].tolist() == [[6, 7, 8], [4, 5, 6]]


def test_rows_without_a_series_belong_to_every_series(table, future):
    calendar = future[future["unique_id"] == "a"].drop(columns="unique_id")
    assert read_future(table, 3, calendar).known["price"].tolist() == [[6, 7, 8], [4, 5, 6]]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "category", "str"])
def test_ids_of_the_future_are_compared_as_text(dtype, tmp_path):
    """A frame's integers and a file's text are the same series."""
    frame = pd.DataFrame({"unique_id": pd.Series([7, 7, 8, 8]).astype(dtype), "ds": [1, 2, 1, 2], "y": 1.0, "p": 1.0})
    table = read_series(frame, SeriesColumns(covariates=CovariateNames(known=("p",))))
    path = tmp_path / "future.csv"
    path.write_text("unique_id,ds,p\n8,3,80\n7,3,70\n")
    found = read_future(table, 1, path)
    assert found.known["p"].tolist() == [[70], [80]]
    assert found.to_frame(table)["unique_id"].dtype == frame["unique_id"].dtype
    assert found.to_frame(table)["unique_id"].astype(str).tolist() == ["7", "8"]


@pytest.mark.parametrize("time_zone", [None, "Europe/Berlin"])
def test_no_step_is_after_the_year_9999(time_zone):
    frame = pd.DataFrame({"unique_id": "a", "ds": ["9999-12-30", "9999-12-31"], "y": 1.0})
    table = read_series(frame, time_zone=time_zone)
    with pytest.raises(DataError, match=r"series 'a' at 9999-12-31 .*: expected steps up to the year 9999"):
        read_future(table, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: None, "expected a future frame with the known covariates 'price', 'event', found none"),
        (lambda f: f.rename(columns={"price": "prise"}), r"expected a column 'price', found .* \(nearest: 'prise'\)"),
        (lambda f: f[f["unique_id"] == "a"], "series 'b': expected rows in the future frame, found none"),
        (
            lambda f: f[f["ds"] != pd.Timestamp("2024-03-07")],
            "series 'a' at 2024-03-07 00:00:00: expected a row in the future frame, found none",
        ),
        (
            lambda f: f.assign(price=f["price"].where(f["price"] != 5)),
            "series 'b' at 2024-03-05 00:00:00: expected a value of known covariate 'price', found none",
        ),
        (
            lambda f: f.assign(event=f["event"].where(f["price"] != 5)),
            "series 'b' at 2024-03-05 00:00:00: expected a value of known covariate 'event', found none",
        ),
        (
            lambda f: pd.concat([f, f[:1]]),
            "series 'b' at 2024-03-01 00:00:00: expected one row for each time, found two",
        ),
        (
            lambda f: f.assign(unique_id=f["unique_id"].replace("b", "c")),
            "series 'b': expected rows in the future frame, found none",
        ),
        (
            lambda f: f.assign(ds=f["ds"].dt.tz_localize("Asia/Tokyo")),
            "series 'b' at .*: expected timestamps without a time zone .* found timestamps in Asia/Tokyo",
        ),
        (
            lambda f: f.assign(ds=range(len(f))),
            "series 'b' at 0: expected timestamps .* as in the series, found integers",
        ),
        (
            lambda f: f.assign(price="dear"),
            "series 'b' at .*: expected a finite number in column 'price', found 'dear'",
        ),
        (lambda f: f[:0], "expected rows of the future, found none"),
    ],
)
def test_what_is_missing_is_named(table, future, change, message):
    with pytest.raises(DataError, match=message) as error:
        read_future(table, 3, change(future))
    assert "\n" not in str(error.value)


def test_the_horizon_is_at_least_one(table):
    with pytest.raises(ValueError, match="expected horizon to be at least 1, found 0"):
        read_future(table, 0)


# ---------------------------------------------------------------- tables with their future


def test_an_extended_table_is_the_longer_table_without_its_values(table, future):
    whole = read_series(frame_of("2024-03-01", {"a": 8, "b": 6}), NAMES)
    longer = append_future(table, read_future(table, 3, future))
    np.testing.assert_array_equal(longer.times, whole.times)
    np.testing.assert_array_equal(longer.offsets, whole.offsets)
    np.testing.assert_array_equal(longer.known["price"], whole.known["price"])
    event, expected = longer.known["event"], whole.known["event"]
    assert [event.symbols[code] for code in event.codes] == [expected.symbols[code] for code in expected.codes]
    coming = np.r_[[False] * 5, [True] * 3, [False] * 3, [True] * 3]
    for array in (longer.values, longer.past["cost"]):
        np.testing.assert_array_equal(np.isnan(array), coming)
    np.testing.assert_array_equal(longer.inserted, coming)
    assert longer.ids.tolist() == ["a", "b"] and not longer.values.flags.writeable


def test_categories_first_seen_in_the_future_keep_their_names(table, future):
    future = future.assign(event=np.where(future["price"] == 7, "feast", future["event"]))
    event = append_future(table, read_future(table, 3, future)).known["event"]
    assert [event.symbols[code] for code in event.codes[5:8]] == ["even", "feast", "even"]
    assert [event.symbols[code] for code in event.codes[:5]] == ["odd", "even"] * 2 + ["odd"]


def test_extending_twice_is_extending_once(table, future):
    first = append_future(table, read_future(table, 2, future))
    twice = append_future(first, read_future(first, 2, future))
    once = append_future(table, read_future(table, 4, future))
    for name in ("times", "offsets", "values"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(once, name))
    np.testing.assert_array_equal(twice.known["price"], once.known["price"])


def test_an_unknown_future_has_times_and_nothing_else(table):
    found = unknown_future(table, 3)
    longer = append_future(table, found)
    np.testing.assert_array_equal(longer.times, read_series(frame_of("2024-03-01", {"a": 8, "b": 6})).times)
    assert np.isnan(longer.known["price"][5:8]).all() and (longer.known["event"].codes[5:8] == -1).all()
