"""Series that only the rows of the future name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import Categories
from seqtag.errors import DataError, DataWarning
from seqtag.forecasting.data.sources import next_steps, read_table
from seqtag.tasks import parse_config

DATA = {"past": ["wind"], "known": ["price"], "static": ["region"]}


def section(**data):
    return parse_config({"task": "forecasting", "data": data, "model": {"horizon": 2}}).data


def history():
    rows = {"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=4), "y": 1.0, "wind": 2.0, "region": "north"}
    return pd.DataFrame(rows).assign(price=np.arange(4.0))


def rows_of(name, first, steps=2, **columns):
    frame = pd.DataFrame({"unique_id": name, "ds": pd.date_range(first, periods=steps)})
    return frame.assign(price=50.0 + np.arange(steps), **columns)


def steps_of(future, trained=("a",), data=None, table=None):
    config = section(**(DATA if data is None else data))
    return next_steps(config, read_table(config, history() if table is None else table), 2, None, future, trained)


def test_a_new_series_begins_with_its_first_row_of_the_future(tmp_path):
    future = pd.concat(
        [rows_of("new", "2024-03-05", region="south"), rows_of("a", "2024-01-05"), rows_of("more", "2024-01-09")]
    )
    future.to_csv(tmp_path / "future.csv", index=False)
    for source in (future, tmp_path / "future.csv"):
        table, steps = steps_of(source)
        assert table.ids.tolist() == ["a", "new", "more"] and table.lengths.tolist() == [4, 0, 0]
        assert steps.to_frame(table)["ds"].dt.strftime("%m-%d").tolist() == [
            "01-05", "01-06", "03-05", "03-06", "01-09", "01-10",
        ]  # fmt: skip
        assert steps.known["price"].tolist() == [[50, 51]] * 3
        region = table.static["region"]
        assert isinstance(region, Categories)
        assert [None if code < 0 else region.symbols[code] for code in region.codes] == ["north", "south", None]


def test_one_row_says_when_where_nothing_is_known_of_the_future():
    table, steps = steps_of(rows_of("new", "2024-03-05", 1)[["unique_id", "ds"]], data={})
    assert steps.to_frame(table)["ds"].dt.day.tolist() == [5, 6, 5, 6]
    numbered = history().assign(unique_id=7)
    table, _ = steps_of(rows_of("8", "2024-03-05"), data={}, table=numbered, trained=["7"])
    assert table.ids.tolist() == [7, 8] and table.named(np.arange(2)).dtype == "int64"


def test_a_training_series_that_is_not_continued_is_not_new():
    future = pd.concat([rows_of("a", "2024-01-05"), rows_of("b", "2024-01-05")])
    with pytest.warns(DataWarning, match="some of 1 series that are not forecast, such as 'b'"):
        table, _ = steps_of(future, trained=["a", "b"])
    assert table.ids.tolist() == ["a"]


@pytest.mark.parametrize(
    ("future", "message"),
    [
        (rows_of("new", "2024-03-05", 1), "series 'new' at 2024-03-06 00:00:00: expected a row in the future frame"),
        (
            rows_of("new", "2024-03-05").assign(price=[1, np.nan]),
            "series 'new' at 2024-03-06 00:00:00: expected a value of known covariate 'price', found none",
        ),
        (rows_of("new", "2024-03-05").assign(price="dear"), "expected numbers in known covariate 'price' of all"),
        (
            rows_of("new", "2024-03-05").assign(region=["north", "south"]),
            "series 'new' at 2024-03-06 00:00:00: expected one value of static 'region', north, found south",
        ),
        (
            rows_of("new", "2024-03-05").assign(ds=["2024-03-05", "2024-03-05"]),
            "series 'new' at 2024-03-05: expected one row for each time, found two",
        ),
        (
            rows_of("new", "2024-03-05").assign(ds=pd.date_range("2024-03-05", periods=2, freq="7h")),
            "series 'new' at 2024-03-05 07:00:00: expected steps of frequency 'D'",
        ),
        (
            rows_of("new", "2024-03-05", 1).assign(ds="9999-12-31"),
            "series 'new' at 9999-12-30 00:00:00: expected steps up to the year 9999",
        ),
    ],
)
def test_faults_name_series_and_time(future, message):
    with pytest.raises(DataError, match=message) as error:
        steps_of(pd.concat([rows_of("a", "2024-01-05"), future]))
    assert "\n" not in str(error.value)
