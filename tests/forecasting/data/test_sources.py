"""Series of a configuration, counted by hand on values that count 0, 1, 2, ..."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import long_frame, read_series
from seqtag.data.series.slicing import last_steps
from seqtag.errors import ConfigError, DataError
from seqtag.forecasting.data.sources import errors_in, future_frame, load_series, read_table, series_columns
from seqtag.forecasting.data.windows import Windows
from seqtag.tasks import parse_config


def config(horizon=3, **data):
    return parse_config({"task": "forecasting", "data": data, "model": {"horizon": horizon, "lookback": 4}})


def counting(lengths: dict[str, int], start: int = 0) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"unique_id": name, "ds": np.arange(start, start + n), "y": np.arange(start, start + n) * 1.0})
        for name, n in lengths.items()
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def write(tmp_path):
    def call(name: str, frame: pd.DataFrame) -> str:
        frame.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    return call


def futures(windows: Windows, values: np.ndarray) -> list[list[float]]:
    return windows.future(values).tolist()


def test_steps_are_cut_as_for_ett(write):
    """Rows 0 to 5 are for training, 6 to 10 for the test, the rest is unused; histories begin in the training part."""
    wide = pd.DataFrame({"date": range(20), "a": np.arange(20.0), "b": np.arange(20.0) + 100})
    path = write("wide.csv", wide)
    data = load_series(config(train=path, layout="wide", time="date", train_steps=6, test_steps=5))
    assert data.train.values.tolist() == [*range(6), *range(100, 106)]
    windows = data.test_windows(4, 3)
    assert futures(windows, data.whole.values)[:3] == [[6, 7, 8], [7, 8, 9], [8, 9, 10]]
    assert windows.history(data.whole.values)[0].tolist() == [2, 3, 4, 5]
    assert futures(windows, data.whole.values)[3:] == [[106, 107, 108], [107, 108, 109], [108, 109, 110]]
    assert futures(data.test_windows(4, 3, stride=2), data.whole.values)[:2] == [[6, 7, 8], [8, 9, 10]]


def test_without_train_steps_the_last_are_scored(write):
    data = load_series(config(train=write("a.csv", counting({"a": 9, "b": 5})), test_steps=3))
    assert data.train.lengths.tolist() == [6, 2]
    assert futures(data.test_windows(4, 3), data.whole.values) == [[6, 7, 8], [2, 3, 4]]
    everything = load_series(config(train=write("a.csv", counting({"a": 9})), train_steps=4))
    assert (everything.train.lengths.tolist(), len(everything.test_windows(4, 3))) == ([4], 0)


def test_a_test_file_goes_on_where_its_series_ended(write):
    train = write("train.csv", counting({"a": 6, "b": 6, "c": 6}))
    test = write("test.csv", counting({"b": 4, "a": 3}, start=6))
    data = load_series(config(train=train, test=test))
    assert data.whole.lengths.tolist() == [9, 10, 6]
    assert data.starts.tolist() == [6, 6, 6]
    assert futures(data.test_windows(4, 3), data.whole.values) == [[6, 7, 8], [6, 7, 8], [7, 8, 9]]


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (counting({"z": 3}, start=6), "test.csv: series 'z': expected a series of .*train.csv, found another"),
        (counting({"a": 3}, start=5), "test.csv: series 'a' at 5: expected a time after 5, the last of the training"),
    ],
)
def test_a_test_file_of_other_series_or_times(write, test, message):
    paths = {"train": write("train.csv", counting({"a": 6})), "test": write("test.csv", test)}
    with pytest.raises(DataError, match=message):
        load_series(config(**paths))


def test_too_few_test_steps_are_said(write):
    data = load_series(config(train=write("a.csv", counting({"a": 9})), test_steps=2))
    with pytest.raises(DataError, match="series 'a': expected test steps for a horizon of 3, found 2"):
        data.test_windows(4, 3)
    with pytest.raises(DataError, match=r"a\.csv: series 'b': expected steps before the last 4, found 4 in all"):
        load_series(config(train=write("a.csv", counting({"a": 9, "b": 4})), test_steps=4))


def test_m3_brings_its_test_values(write):
    rows = [("N1", "YEARLY", 2, 4, "1 2 3 4", "5 6"), ("N2", "MONTHLY", 2, 3, "7 8 9", "10 11")]
    path = write("m3.csv", pd.DataFrame(rows, columns=["id", "period", "h", "n", "train", "test"]))
    data = load_series(config(horizon=2, train=path, layout="m3", period="monthly"))
    assert (data.train.values.tolist(), data.whole.values.tolist()) == ([7, 8, 9], [7, 8, 9, 10, 11])
    assert futures(data.test_windows(4, 2), data.whole.values) == [[10, 11]]
    section = config(layout="m3", period="yearly").data
    assert read_table(section, path).values.tolist() == [1, 2, 3, 4, 5, 6]
    assert read_table(section, path, part="history").values.tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError, match="expected series of period 'other', found yearly, monthly"):
        load_series(config(train=path, layout="m3", period="other"))


def test_samples_hold_out_the_horizon():
    data = load_series(config(horizon=28, train="sample:daily", known=["promotion"]))
    windows = data.test_windows(56, 28)
    assert len(windows) == len(data.train) == 8
    assert (windows.ends - windows.first == data.train.lengths).all()
    section = config(known=["promotion"]).data
    assert len(future_frame(section, "sample:daily", data.train, 5)) == 8 * 5


def test_known_covariates_of_a_wide_file_go_with_every_series(write):
    path = write("future.csv", pd.DataFrame({"date": [9, 10], "price": [1.0, 2.0]}))
    section = config(layout="wide", time="date", known=["price"]).data
    table = read_series(counting({"a": 3, "b": 3}))
    frame = future_frame(section, path, table, 2)
    assert frame["unique_id"].tolist() == ["a", "a", "b", "b"]
    assert frame["price"].tolist() == [1.0, 2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "data.train: expected a path, found none"),
        ({"train": "x", "frequency": "fortnight"}, "data.frequency: invalid frequency: fortnight"),
        (
            {"train": "x", "time_zone": "Mars"},
            "data.time_zone: expected the name of a time zone such as 'Europe/Berlin'",
        ),
        ({"train": "x", "past": ["p"], "known": ["p"]}, "data: expected each covariate once, found 'p' twice"),
        ({"train": "x", "layout": "wide", "static": ["s"]}, "data: expected no static covariate"),
        ({"train": "x", "layout": "m3"}, "data: expected a period for layout 'm3' alone, found 'm3' and None"),
        ({"train": "x", "period": "other"}, "data: expected a period for layout 'm3' alone, found 'long' and 'other'"),
        (
            {"train": "x", "test": "y", "test_steps": 3},
            "data: expected test, or test_steps and train_steps, found both",
        ),
        ({"train": "sample:daily", "test": "y"}, "data: expected a sample as long series with a test part of its own"),
    ],
)
def test_settings_that_do_not_fit(data, message, tmp_path):
    counting({"a": 5}).to_csv(tmp_path / "x", index=False)
    with pytest.raises(ConfigError, match=message):
        load_series(config(root=str(tmp_path), **data))


def test_errors_without_a_file_get_its_name():
    with pytest.raises(DataError, match=r"^a\.csv: too short$"), errors_in("a.csv"):
        raise DataError("too short")
    with pytest.raises(DataError, match=r"^b\.csv:3: wrong$"), errors_in("a.csv"):
        raise DataError("wrong", "b.csv", 3)


def test_a_table_as_a_frame_of_its_columns_reads_back():
    section = config(
        series="shop", time="day", target="sales", past=["p"], known=["k"], static=["s"], categorical=["s"]
    ).data
    frame = pd.DataFrame(
        {
            "shop": list("aaabb"),
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-01", "2024-01-02"]),
            "sales": [1.0, 2.0, 3.0, 4.0, np.nan],
            "p": [1.5, np.nan, 2.5, 3.5, 4.5],
            "k": ["x", None, "y", "x", "x"],
            "s": [7, 7, 7, 8, 8],
        }
    )
    columns = series_columns(section)
    table = read_series(frame, columns)
    again = read_series(long_frame(table, columns), columns, frequency="D")
    np.testing.assert_array_equal(again.values, table.values)
    np.testing.assert_array_equal(again.past["p"], table.past["p"])
    for kind, name in (("known", "k"), ("static", "s")):
        one, other = (getattr(t, kind)[name] for t in (table, again))
        assert [(*one.symbols, None)[code] for code in one.codes] == [(*other.symbols, None)[c] for c in other.codes]
    tail = last_steps(table, 1)
    np.testing.assert_array_equal(tail.values, [3.0, 4.0, np.nan], "back to the last value")
