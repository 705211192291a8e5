"""Long frames become regular series: sorted, with missing rows marked; errors name series and time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import Categories, CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series, read_wide
from seqtag.errors import DataError
from seqtag.forecasting.data.m3 import read_m3


def long(ds, y=None, series="a"):
    return pd.DataFrame({"unique_id": series, "ds": ds, "y": np.arange(len(ds), dtype=float) if y is None else y})


def days(count, start="2024-01-01", freq="D"):
    return pd.date_range(start, periods=count, freq=freq)


def test_missing_rows_are_marked_and_never_filled():
    table = read_series(long(days(6)[[0, 1, 3, 5]], [1.0, np.nan, 2.0, 3.0]))
    np.testing.assert_array_equal(table.values, [1, np.nan, np.nan, 2, np.nan, 3])
    assert table.observed.tolist() == [True, False, False, True, False, True]
    assert table.inserted.tolist() == [False, False, True, False, True, False]
    assert table.steps_since_observed.tolist() == [0, 1, 2, 0, 1, 0]
    assert table.to_timestamps(table.times).equals(days(6).as_unit("us"))


def test_steps_since_seen_begin_anew_with_each_series():
    frame = pd.concat([long([0, 1, 2], [1.0, 2.0, np.nan], "a"), long([5, 6, 7], [np.nan, np.nan, 1.0], "b")])
    assert read_series(frame).steps_since_observed.tolist() == [0, 0, 1, 1, 2, 0]


def test_series_of_unequal_length_lie_one_after_the_other_in_order_of_appearance():
    frame = pd.concat(
        [long(days(3), [1, 2, 3], "z"), long(days(1, "2025-05-05"), [4], "b"), long(days(2), [5, 6], "a")]
    )
    table = read_series(frame)
    assert table.ids.tolist() == ["z", "b", "a"]
    assert table.offsets.tolist() == [0, 3, 4, 6]
    assert table.lengths.tolist() == [3, 1, 2]
    assert table.values.tolist() == [1, 2, 3, 4, 5, 6]
    assert table.values.dtype == np.float64
    assert table.values[table.rows(2)].base is not None
    assert table.to_frame()["unique_id"].tolist() == ["z"] * 3 + ["b"] + ["a"] * 2


def test_the_order_of_rows_means_nothing():
    frame = pd.concat([long(days(20), series="a"), long(days(7), series="b")], ignore_index=True)
    shuffled = pd.concat([frame.iloc[[0]], frame.iloc[1:].sample(frac=1, random_state=1)])
    whole, found = read_series(frame), read_series(shuffled)
    np.testing.assert_array_equal(found.values, whole.values)
    np.testing.assert_array_equal(found.times, whole.times)


def test_tables_are_read_only():
    table = read_series(long(days(3)))
    for array in (table.values, table.offsets, table.times, table.observed, table.steps_since_observed, table.inserted):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        table.values = None


def test_columns_have_names_by_option_and_files_keep_ids_as_text(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("shop,day,sold\n007,2024-01-01,3\n007,2024-01-02,\n007,2024-01-03,5\n")
    table = read_series(path, SeriesColumns("shop", "day", "sold"))
    assert table.ids.tolist() == ["007"]
    np.testing.assert_array_equal(table.values, [3, np.nan, 5])


def test_ids_in_files_are_text_even_where_pandas_sees_missing_values(tmp_path):
    path = tmp_path / "countries.csv"
    path.write_text("unique_id,ds,y\nNA,1,3\nNA,2,4\n1.0,1,NA\n1.0,2,6\n")
    table = read_series(path)
    assert table.ids.tolist() == ["NA", "1.0"]
    np.testing.assert_array_equal(table.values, [3, 4, np.nan, 6])
    path.write_text("unique_id,ds,y\na,1,3\n,2,4\n")
    with pytest.raises(DataError, match=r"countries\.csv:3: .* expected a series in column 'unique_id', found none"):
        read_series(path)


def test_integers_are_times():
    table = read_series(long([10, 15, 25], [1, 2, 3]))
    assert table.frequency.name == "5"
    assert table.times.tolist() == [10, 15, 20, 25]
    assert table.to_timestamps(table.times).tolist() == [10, 15, 20, 25]


def test_nullable_numbers_are_read():
    table = read_series(long([0, 1, 2], pd.array([1, None, 3], dtype="Int64")))
    np.testing.assert_array_equal(table.values, [1, np.nan, 3])


def test_covariates_are_numbers_or_categories_at_the_same_steps():
    frame = long(days(5)[[0, 1, 2, 4]])
    frame["price"], frame["promo"] = [1, 2, 3, 4], [True, False, True, False]
    frame["event"], frame["shop"], frame["size"] = ["none", "fair", None, "none"], 7, 2.5
    names = CovariateNames(past=("price",), known=("promo", "event"), static=("shop", "size"), categorical=("shop",))
    table = read_series(frame, SeriesColumns(covariates=names))
    np.testing.assert_array_equal(table.past["price"], [1, 2, 3, np.nan, 4])
    np.testing.assert_array_equal(table.known["promo"], [1, 0, 1, np.nan, 0])
    event, shop = table.known["event"], table.static["shop"]
    assert isinstance(event, Categories) and isinstance(shop, Categories)
    assert event.codes.tolist() == [0, 1, -1, -1, 0]
    assert event.symbols == ("none", "fair")
    assert shop.symbols == ("7",) and shop.codes.tolist() == [0]
    assert table.static["size"].tolist() == [2.5]


def test_a_series_may_have_no_value():
    table = read_series(pd.concat([long(days(3)), long(days(2), [np.nan] * 2, series="new")]))
    assert table.ids.tolist() == ["a", "new"] and table.observed.tolist() == [True] * 3 + [False] * 2


MONTHS = pd.date_range("2024-01-01", periods=4, freq="MS")
HOURS = pd.date_range("2024-01-01", periods=30, freq="h")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (long(days(3)[[0, 1, 1]]), r"series 'a' at 2024-01-02 00:00:00: expected one row for each time, found two"),
        (
            long(days(3), [1, np.inf, 2]),
            r"series 'a' at 2024-01-02 00:00:00: expected a finite number in column 'y', found inf",
        ),
        (long(["2024-01-01", "2024-01-02"], ["1", "x"]), r"series 'a' at 2024-01-02: expected a finite .* found 'x'"),
        (long(days(2), [1e39, 1]), r"series 'a' at 2024-01-01 00:00:00: expected a finite number .*, found 1e\+39"),
        (
            long(days(2), days(2)),
            r"series 'a' at 2024-01-01 00:00:00: expected numbers in column 'y', found datetime64",
        ),
        (long(["2024-01-01", "soon"]), r"series 'a' at soon: expected a timestamp such as .*, found 'soon'"),
        (
            long(["1/2/2024", "2/2/2024"]),
            r"series 'a' at 1/2/2024: expected a timestamp such as 2024-01-31 or .* found",
        ),
        (long(days(3, freq="1500ns")), r"series 'a' at .*00\.000001500: expected a time of whole microseconds"),
        (long(["2024-01-01", None]), r"series 'a' at (nan|None): expected a time, found none"),
        (long([0.5, 1.5]), r"series 'a' at 0.5: expected timestamps or integers, found float64"),
        (long(days(1)), r"expected a frequency to be given, found no series of two rows to infer it from"),
        (
            pd.concat([long(HOURS, series="h"), long(days(5), series="d")]),
            r"series 'd': expected frequency 'h' as in series 'h', found 'D' from 2024-01-01 00:00:00; set data.freq",
        ),
        (
            long(HOURS.append(days(20, "2024-01-03"))),
            r"series 'a' at 2024-01-01 00:00:00: expected regular steps, found 50 rows in 505 steps of .* 'h'",
        ),
        (
            long(HOURS[:5].append(pd.DatetimeIndex(["2024-01-01 05:30"]))),
            r"series 'a' at 2024-01-01 05:30:00: expected steps of frequency 'h' from 2024-01-01 00:00:00, found a",
        ),
        (
            long(MONTHS.append(pd.DatetimeIndex(["2024-05-02"]))),
            r"series 'a' at 2024-05-02 00:00:00: expected steps of frequency 'MS' from 2024-01-01 00:00:00, found a",
        ),
        (pd.DataFrame({"unique_id": [], "ds": [], "y": []}), "expected series, found no rows"),
        (long(days(2)).assign(unique_id=["a", None]), r"expected a series in column 'unique_id', found none"),
        (long(days(2)).rename(columns={"y": "Y"}), r"expected a column 'y', found columns unique_id, ds, Y"),
        (long(days(2)).rename(columns={"unique_id": "uniqe_id"}), r"'unique_id', found .* \(nearest: 'uniqe_id'\)"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named_by_series_and_time(frame, message):
    with pytest.raises(DataError, match=message) as error:
        read_series(frame)
    assert "\n" not in str(error.value)


def test_files_are_named_with_their_line(tmp_path):
    path = tmp_path / "y.csv"
    path.write_text("unique_id,ds,y\na,2024-01-01,1\na,2024-01-02,two\n")
    with pytest.raises(DataError, match=r"y\.csv:3: series 'a' at 2024-01-02: expected a finite number .* 'two'"):
        read_series(path)
    with pytest.raises(DataError, match=r"none\.csv: expected a CSV file, found none"):
        read_series(tmp_path / "none.csv")


def test_a_series_of_one_row_is_accepted_where_the_frequency_is_known():
    table = read_series(long(days(1)), frequency="D")
    assert table.lengths.tolist() == [1]


def test_sparse_series_are_read_at_a_stated_frequency():
    table = read_series(long(days(100)[[0, 40, 99]]), frequency="D")
    assert table.lengths.tolist() == [100]
    assert np.flatnonzero(table.observed).tolist() == [0, 40, 99]


def test_a_stated_frequency_has_to_fit():
    with pytest.raises(DataError, match=r"series 'a' at 2024-01-02 00:00:00: expected steps of frequency '2D' from"):
        read_series(long(days(4)), frequency="2D")
    with pytest.raises(DataError, match=r"expected times of frequency '3', found timestamps"):
        read_series(long(days(4)), frequency=3)
    with pytest.raises(ValueError, match="fortnight"):
        read_series(long(days(4)), frequency="fortnight")


def test_static_covariates_are_constant():
    frame = long(days(3)).assign(shop=["x", "x", "y"])
    with pytest.raises(
        DataError, match=r"series 'a' at 2024-01-03 00:00:00: expected one value of static 'shop', x, fo"
    ):
        read_series(frame, SeriesColumns(covariates=CovariateNames(static=("shop",))))


def test_covariates_are_named_once():
    with pytest.raises(ValueError, match="expected each covariate once, found 'x' twice"):
        CovariateNames(past=("x",), known=("x",))
    with pytest.raises(ValueError, match=r"expected categorical covariates among past, known and static, found 'z'"):
        CovariateNames(past=("x",), categorical=("z",))


class FakePolarsColumn:
    """A stand-in for polars' Series: values without a time zone, which is in the type."""

    class Type:
        def __init__(self, time_zone):
            self.time_zone = time_zone

    def __init__(self, values, time_zone=None):
        self.values, self.dtype = values, self.Type(time_zone)

    def to_numpy(self):
        return self.values


class FakePolars:
    columns = ("unique_id", "ds", "y")

    def __init__(self, times):
        self.times = times

    def get_column(self, name):
        if name == "ds":
            return FakePolarsColumn(self.times.tz_convert("UTC").tz_localize(None).to_numpy(), "Europe/Berlin")
        return FakePolarsColumn(np.array(["a"] * 4, object) if name == "unique_id" else np.arange(4))


class FakeArrow:
    """A stand-in for a frame with `to_pandas`."""

    def __init__(self, times):
        self.times = times

    def to_pandas(self):
        return pd.DataFrame({"unique_id": "a", "ds": self.times, "y": range(4)})


@pytest.mark.parametrize("kind", [FakePolars, FakeArrow])
def test_frames_of_other_libraries_are_told_by_what_they_can_do(kind):
    times = days(4, "2024-03-30").tz_localize("Europe/Berlin")
    table = read_series(kind(times))
    assert table.time_zone == "Europe/Berlin"
    assert table.to_timestamps(table.times).tolist() == times.tolist()


def test_polars_frames_are_read():
    polars = pytest.importorskip("polars")
    frame = long(pd.date_range("2024-03-30", periods=48, freq="h", tz="Europe/Berlin"))
    expected = read_series(frame)
    found = read_series(polars.DataFrame({name: frame[name].tolist() for name in frame}))
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.times, expected.times)


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="expected a pandas or polars frame, or the path of a CSV file, found list"):
        read_series([1, 2])


def test_wide_frames_are_the_same_as_long_ones():
    wide = pd.DataFrame({"date": days(6)[[0, 1, 2, 4, 5]], "b": range(5), "y": [1.0, 2, np.nan, 4, 5], "hot": range(5)})
    table = read_wide(wide, covariates=CovariateNames(known=("hot",)))
    columns = SeriesColumns(time="date", covariates=CovariateNames(known=("hot",)))
    pieces = [wide[["date", "hot"]].assign(unique_id=name, y=wide[name]) for name in ("b", "y")]
    expected = read_series(pd.concat(pieces), columns)
    assert table.ids.tolist() == ["b", "y"]
    for found, wanted in ((table.values, expected.values), (table.known["hot"], expected.known["hot"])):
        np.testing.assert_array_equal(found, wanted)
    assert read_wide(wide, targets=["y"]).ids.tolist() == ["y"]


def test_wide_frames_name_their_faults(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("date,a,b\n2024-01-01,1,2\n2024-01-02,3,x\n")
    with pytest.raises(DataError, match=r"wide\.csv:3: series 'b' at 2024-01-02: expected a finite .* found 'x'"):
        read_wide(path)
    with pytest.raises(
        DataError, match=r"wide\.csv: expected a column 'dat', found columns date, a, b \(nearest: 'date'"
    ):
        read_wide(path, time="dat")
    with pytest.raises(DataError, match="expected columns beside 'date', found none"):
        read_wide(pd.DataFrame({"date": days(2)}))
    with pytest.raises(ValueError, match="expected no static covariate and none called ds, unique_id, y"):
        read_wide(path, covariates=CovariateNames(static=("a",)))


def test_m3_rows_have_as_many_values_as_they_say(tmp_path):
    path = tmp_path / "m3.csv"
    path.write_text("id,period,type,h,n,train,test\nN1,YEARLY,MICRO,2,3,1 2 3,4 5\nN2,OTHER,X,1,2,1 2 3,4\n")
    with pytest.raises(DataError, match=r"m3\.csv:3: expected 2 values, found 3"):
        read_m3(path)
    path.write_text("id,period,type,h,n,train,test\nN1,YEARLY,MICRO,2,3,1 2 3,4 5\nN2,YEARLY,X,2,1,9,8 7\n")
    train, test = read_m3(path)["yearly"]
    assert train.ids.tolist() == ["N1", "N2"]
    assert train.values.tolist() == [1, 2, 3, 9]
    assert test.tolist() == [[4, 5], [8, 7]]
