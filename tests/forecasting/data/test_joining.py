"""New observations behind those that are there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, long_frame, read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.joining import with_observations

COLUMNS = SeriesColumns(covariates=CovariateNames(past=("heat",), known=("price",), static=("region",)))


def rows(name, first, values, price=1.0):
    """Daily rows of a series; None is a value that is missing."""
    times = pd.date_range(first, periods=len(values), freq="D")
    y = pd.Series(values, dtype=float)
    return pd.DataFrame({"unique_id": name, "ds": times, "y": y, "heat": y * 2, "price": price, "region": f"of {name}"})


def table_of(*frames, columns=COLUMNS):
    return read_series(pd.concat(frames, ignore_index=True), columns, frequency="D")


def same(found, expected):
    pd.testing.assert_frame_equal(long_frame(found, COLUMNS), long_frame(expected, COLUMNS))
    np.testing.assert_array_equal(found.inserted, expected.inserted)


def test_series_go_on_with_gaps_and_new_ones_stand_behind():
    before = table_of(rows("a", "2024-01-01", [1, 2, 3]), rows("b", "2024-01-01", [4, 5]))
    later = table_of(rows("c", "2024-02-01", [1e12]), rows("a", "2024-01-06", [6, 7]))
    whole = table_of(
        rows("a", "2024-01-01", [1, 2, 3]),
        rows("a", "2024-01-06", [6, 7]),
        rows("b", "2024-01-01", [4, 5]),
        rows("c", "2024-02-01", [1e12]),
    )
    same(with_observations(before, later, COLUMNS), whole)


def test_a_value_for_a_row_that_was_to_be_forecast_takes_its_place():
    """With other covariates; later such rows stay."""
    before = table_of(rows("a", "2024-01-01", [1, None, 3, None, None, None], price=5.0))
    later = table_of(rows("a", "2024-01-04", [4, None, 6], price=8.0))
    found = with_observations(before, later, COLUMNS)
    assert found.values.tolist()[3:] == [4, pytest.approx(np.nan, nan_ok=True), 6]
    assert found.known["price"].tolist() == [5, 5, 5, 8, 8, 8]
    one = with_observations(before, table_of(rows("a", "2024-01-04", [0], price=8.0)), COLUMNS)
    assert one.known["price"].tolist() == [5, 5, 5, 8, 5, 5] and not one.inserted.any()


def test_many_updates_are_one():
    frame = pd.concat([rows("a", "2024-01-01", range(9)), rows("b", "2024-01-03", range(7))])
    table = table_of(frame.groupby("unique_id").head(2))
    for _, day in frame[frame.groupby("unique_id").cumcount() > 1].groupby("ds"):
        table = with_observations(table, table_of(day[::-1]), COLUMNS)
    same(table, table_of(frame))


@pytest.mark.parametrize(
    ("first", "found"), [("2024-01-03", "2024-01-03 00:00:00"), ("2023-12-31", "2023-12-31 00:00:00")]
)
def test_an_update_that_is_not_later_is_named(first, found):
    before = table_of(rows("b", "2024-01-01", [1]), rows("a", "2024-01-01", [1, 2, 3, None]))
    later = table_of(rows("b", "2024-01-02", [1]), rows("a", first, [7, 8, 9, 10, 11]))
    with pytest.raises(DataError) as caught:
        with_observations(before, later, COLUMNS)
    assert str(caught.value) == (
        f"series 'a' at {found}: expected a time after 2024-01-03 00:00:00, the last observation of the series,"
        " found this"
    )


def test_times_between_the_steps_and_another_static_covariate_are_named():
    before = table_of(rows("a", "2024-01-01", [1, 2]))
    with pytest.raises(DataError, match="series 'a' at 2024-01-03 06:00:00: expected steps of frequency 'D'"):
        with_observations(before, table_of(rows("a", "2024-01-03 06:00", [1])), COLUMNS)
    moved = rows("a", "2024-01-03", [1]).assign(region="elsewhere")
    with pytest.raises(DataError, match="series 'a' at 2024-01-03 00:00:00: expected one value of static 'region'"):
        with_observations(before, table_of(moved), COLUMNS)


@pytest.mark.parametrize(
    ("dtype", "names", "expected"),
    [("int64", [7, 8], "int64"), ("int64", ["7", "new"], "object"), ("category", [7, 8], "int64"), (str, ["7"], "str")],
)
def test_ids_are_compared_as_text_and_keep_their_type(dtype, names, expected):
    columns = SeriesColumns()
    before = rows("x", "2024-01-01", [1, 2]).assign(unique_id=7).astype({"unique_id": dtype})
    later = pd.concat([rows(name, "2024-01-03", [3.0]) for name in names])
    found = with_observations(table_of(before, columns=columns), table_of(later, columns=columns), columns)
    assert [str(name) for name in found.ids] == [str(name) for name in names]
    assert found.lengths[0] == 3 and str(found.named(np.arange(len(found))).dtype) == expected
