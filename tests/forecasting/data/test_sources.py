"""Series of a configuration, counted by hand on values that count 0, 1, 2, ..."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import long_frame, read_series
from seqtag.data.series.slicing import last_steps
from seqtag.errors import ConfigError, DataError, DataWarning
from seqtag.forecasting.data.sources import errors_in, load_series, next_steps, read_table, series_columns
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
    with pytest.raises(DataError, match=r"a\.csv: series 'a': expected steps before the last 4, found 4 in all"):
        load_series(config(train=write("a.csv", counting({"a": 4, "b": 2})), test_steps=4))


def test_series_that_no_fit_can_read_are_left_out_with_one_warning(write):
    frame = counting({"b": 4, "a": 9, "c": 2})
    with pytest.warns(DataWarning, match=r"a\.csv: left out 2 series of no more than the 4 test steps, such as 'b'$"):
        data = load_series(config(train=write("a.csv", frame), test_steps=4))
    assert data.train.ids.tolist() == data.whole.ids.tolist() == ["a"] and data.starts.tolist() == [5]
    empty = counting({"b": 4, "a": 9}).assign(y=lambda rows: rows["y"].where(rows["unique_id"] == "a"))
    with pytest.warns(DataWarning, match="left out 1 series without a value, such as 'b'$"):
        assert load_series(config(train=write("a.csv", empty))).train.ids.tolist() == ["a"]
    with pytest.raises(DataError, match="series 'b': expected a series with a value, found none in 2"):
        load_series(config(train=write("a.csv", empty.assign(y=np.nan))))


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
    history, steps = next_steps(section, data.train, 5, source="sample:daily")
    assert history is data.train and steps.known["promotion"].shape == (8, 5)


def test_known_covariates_of_a_wide_file_go_with_every_series(write):
    path = write("future.csv", pd.DataFrame({"date": [9, 10], "price": [1.0, 2.0]}))
    section = config(layout="wide", time="date", known=["price"]).data
    frame = pd.DataFrame({"date": range(9), "a": range(9), "b": range(9), "price": 0.0})
    _, steps = next_steps(section, read_table(section, frame), 2, source=path)
    assert steps.known["price"].tolist() == [[1.0, 2.0], [1.0, 2.0]]


# ---------------------------------------------------------------- rows to forecast


def with_rows_to_forecast(**counts: int) -> pd.DataFrame:
    """Series that count 0, 1, 2, ... over 6 steps, with so many rows without a value after them, and a known price."""
    frame = counting({name: 6 + more for name, more in counts.items()})
    more = frame["unique_id"].map(counts)
    frame = frame.assign(price=frame["ds"] * 10.0)
    return frame.assign(y=frame["y"].where(frame["ds"] < 6), more=more)[["unique_id", "ds", "y", "price"]]


@pytest.mark.parametrize(
    ("counts", "horizon", "steps"),
    [({"a": 2}, None, 2), ({"a": 2, "b": 4}, None, 4), ({"a": 2, "b": 0}, None, 3), ({"a": 4}, 2, 2)],
)
def test_rows_after_the_last_value_are_to_be_forecast(counts, horizon, steps):
    """Kept or dropped they give the same history; all series that have them say how many steps."""
    frame = with_rows_to_forecast(**counts)
    section = config(frequency=1).data
    history, future = next_steps(section, read_table(section, frame), 3, horizon)
    dropped, _ = next_steps(section, read_table(section, frame.dropna()), 3)
    assert history.values.tolist() == dropped.values.tolist() == [*range(6)] * len(counts)
    assert future.times.tolist() == [list(range(6, 6 + steps))] * len(counts)


def test_known_covariates_of_these_rows_serve_where_no_others_do():
    section = config(known=["price"]).data
    table = read_table(section, with_rows_to_forecast(a=3, b=3))
    assert next_steps(section, table, 3)[1].known["price"].tolist() == [[60, 70, 80]] * 2
    given = pd.DataFrame({"unique_id": ["a", "b", "b"], "ds": [8, 8, 9], "price": [1.0, 2.0, 3.0]})
    table = read_table(section, with_rows_to_forecast(a=2, b=3))
    found = next_steps(section, table, 3, 3, given)[1].known["price"]
    assert found.tolist() == [[60, 70, 1], [60, 70, 2]], "a row of the future goes first"
    with pytest.raises(DataError, match="series 'a' at 8: expected a row in the future frame, found none"):
        next_steps(section, table, 3)


def test_a_series_without_a_value_is_forecast_from_its_first_row_on():
    frame = with_rows_to_forecast(a=2, b=3)
    frame = frame[(frame["unique_id"] == "a") | (frame["ds"] > 6)].assign(
        y=lambda rows: rows["y"].where(rows["ds"] < 6)
    )
    section = config(known=["price"]).data
    history, future = next_steps(section, read_table(section, frame), 3)
    assert history.ids.tolist() == ["a", "b"] and history.lengths.tolist() == [6, 0]
    assert future.times.tolist() == [[6, 7], [7, 8]] and future.known["price"].tolist() == [[60, 70], [70, 80]]
    alone = next_steps(section, read_table(section, frame[frame["unique_id"] == "b"]), 3)[1]
    assert alone.times.tolist() == [[7, 8]]


def test_leading_and_inner_missing_values_stay_gaps():
    frame = with_rows_to_forecast(a=2)
    frame.loc[[0, 3], "y"] = np.nan
    section = config().data
    history, _ = next_steps(section, read_table(section, frame), 3)
    np.testing.assert_array_equal(history.values, [np.nan, 1, 2, np.nan, 4, 5])


def test_a_training_file_may_hold_the_rows_of_the_test_file_without_values(write):
    train = write("train.csv", with_rows_to_forecast(a=3, b=3))
    test = write("test.csv", counting({"b": 3, "a": 3}, start=6))
    data = load_series(config(train=train, test=test))
    assert data.train.lengths.tolist() == [6, 6] and data.whole.lengths.tolist() == [9, 9]
    assert futures(data.test_windows(4, 3), data.whole.values) == [[6, 7, 8]] * 2
    cut = load_series(config(train=train, test_steps=2))
    assert cut.whole.values.tolist() == [*range(6)] * 2, "test steps are the last that have a value"


def test_files_are_read_as_the_configuration_says(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("Tag;Größe\n30.12.2024;1,5\n31.12.2024;2,5\n01.01.2025;3,5\n".encode("cp1252"))
    written = {"date_format": "%d.%m.%Y", "encoding": "cp1252"}
    table = read_table(config(time="Tag", target="Größe", **written).data, str(path))
    assert (table.ids.tolist(), table.values.tolist()) == (["Größe"], [1.5, 2.5, 3.5])
    table = read_table(config(time="Tag", layout="wide", separator=";", decimal=",", **written).data, str(path))
    assert (table.ids.tolist(), table.values.tolist()) == (["Größe"], [1.5, 2.5, 3.5])
    table = read_table(config(separator="tab").data, pd.DataFrame({"ds": [1, 2], "y": [1, 2]}))
    assert table.ids.tolist() == ["y"]


def test_an_offset_is_a_frequency_in_python():
    import yaml

    from seqtag.runs.config_file import dump_config

    section = config(frequency=pd.offsets.CustomBusinessDay(holidays=["2024-01-02"]))
    assert parse_config(yaml.safe_load(dump_config(section))) == section
    days = pd.DataFrame({"ds": ["2024-01-01", "2024-01-03", "2024-01-04"], "y": 1.0})
    assert read_table(section.data, days).lengths.tolist() == [3]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"train": "x", "date_format": "day"}, "data.date_format: expected a form of dates such as '%d.%m.%Y', found"),
        ({"train": "x", "separator": ";;"}, "data.separator: expected a separator of one character such as ';', found"),
        (
            {"train": "x", "encoding": "utf-99"},
            "data.encoding: expected an encoding such as 'utf-8' or 'cp1252', found",
        ),
        ({"train": "x", "decimal": "x"}, r"data.decimal: input should be '.' or ',', found 'x'"),
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
