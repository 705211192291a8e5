"""Totals that are not the sums of their parts, and parts that end on other days, are named by series and time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.future import read_future
from seqtag.forecasting.hierarchy.checks import check_sums, common_steps
from seqtag.forecasting.hierarchy.hierarchy import read_sums

GROUPS = {"unique_id": ["a", "b", "c"], "region": ["north", "north", None], "all": "all"}


def frames(scale=1.0):
    """Parts that begin on different days, and totals of them that begin on others."""
    days = pd.date_range("2024-01-01", periods=8)
    wide = pd.DataFrame(np.random.default_rng(1).normal(size=(8, 3)) * scale, days, ["a", "b", "c"])
    wide.loc[days[:3], "b"] = np.nan
    wide.loc[days[5], "a"] = np.nan
    wide["north"] = wide["a"] + wide["b"]
    wide["all"] = wide[["a", "b", "c"]].sum(axis=1)
    # Where a part is missing, a total cannot be compared.
    wide.loc[days[[4, 5]], "north"] = [np.nan, 1e9]
    return wide.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y").dropna()


def sums_of(frame):
    table = read_series(frame, frequency="D")
    return table, read_sums(GROUPS, table, "unique_id")


@pytest.mark.parametrize("scale", [1.0, 1e12, 0.0])
def test_totals_that_add_up_pass(scale):
    check_sums(*sums_of(frames(scale)))


@pytest.mark.parametrize(("name", "day"), [("all", "2024-01-08"), ("north", "2024-01-07")])
def test_the_first_total_that_does_not_is_named(name, day):
    frame = frames()
    at = (frame["unique_id"] == name) & (frame["ds"] == day)
    frame.loc[at, "y"] += 1e-3
    with pytest.raises(DataError, match=f"series '{name}' at {day} 00:00:00: expected the sum of its parts, .*, found"):
        check_sums(*sums_of(frame))


def test_forecasts_meet_where_the_last_of_them_begins():
    frame = frames()
    table, sums = sums_of(frame)
    assert (common_steps(table, read_future(table, 3).times, sums) == [0, 1, 2]).all()
    table, sums = sums_of(frame[(frame["unique_id"] != "b") | (frame["ds"] < "2024-01-07")])
    found = common_steps(table, read_future(table, 3).times, sums)
    starts = dict(zip(table.ids, found.tolist(), strict=True))
    assert starts == {name: [2] if name == "b" else [0] for name in table.ids}
    message = "series 'b' at 2024-01-07 00:00:00: expected a forecast of 2024-01-09 00:00:00, where that of series 'a'"
    with pytest.raises(DataError, match=message):
        common_steps(table, read_future(table, 2).times, sums)
