"""Hierarchies as people write them, and their faults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.hierarchy import Hierarchy
from seqtag.forecasting.hierarchy.hierarchy import read_sums

GROUPS = {
    "unique_id": ["c", "a", "b"],
    "region": ["south", "north", "north"],
    "kind": [None, "old", "new"],
    "all": "all",
}
NAMES = ("south", "north", "old", "new", "all")
# Of a, b and c, in the order of the table.
MATRIX = [[0, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]]


def table_of(*ids):
    return read_series(pd.DataFrame({"unique_id": ids, "ds": 1, "y": 1.0}), frequency=1)


def check(sums, series=(-1, -1, -1, -1, -1)):
    assert sums.names == NAMES and sums.series.tolist() == list(series)
    np.testing.assert_array_equal(sums.matrix, MATRIX)


def test_groups_are_a_dict_a_frame_or_a_file(tmp_path):
    frame, table = pd.DataFrame(GROUPS), table_of("a", "b", "c")
    frame.to_csv(tmp_path / "groups.csv", index=False)
    for groups in (GROUPS, frame, frame.set_index("unique_id"), str(tmp_path / "groups.csv")):
        sums = read_sums(groups, table, "unique_id")
        check(sums)
        assert sums.parts.tolist() == [0, 1, 2]


def test_a_summing_matrix_says_the_same(tmp_path):
    matrix = pd.DataFrame(MATRIX, NAMES, ["a", "b", "c"])
    matrix[["c", "a", "b"]].to_csv(tmp_path / "matrix.csv")
    for groups in (matrix, matrix[["b", "c", "a"]], str(tmp_path / "matrix.csv")):
        check(read_sums(groups, table_of("a", "b", "c"), "unique_id"))


def test_series_of_totals_are_found_by_name():
    sums = read_sums(GROUPS, table_of("all", "a", "b", "north", "c"), "unique_id")
    check(sums, (-1, 3, -1, -1, 0))
    assert sums.parts.tolist() == [1, 2, 4]


def test_ids_are_compared_as_text():
    sums = read_sums({"shop": ["7", 8], "all": [100, 100]}, table_of(8, 7, 100), "shop")
    assert sums.parts.tolist() == [0, 1] and sums.series.tolist() == [2] and sums.names == ("100",)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"unique_id": ["a", "b", "a"], "all": 1}, "expected series of a hierarchy once, found 'a' twice"),
        (
            {"unique_id": ["a", "b", "d"], "all": 1},
            "expected series that are forecast in the hierarchy, found 'd'",
        ),
        ({"unique_id": ["a", "b"], "all": 1}, "series 'c': expected a place in the hierarchy, found none"),
        ({"unique_id": ["a", "b", None], "all": 1}, "expected a series in column 'unique_id', found none"),
        ({"unique_id": ["a", "b", "c"]}, "expected a hierarchy with totals, found none"),
        ({**GROUPS, "kind": ["north", "x", "y"]}, "expected totals of a hierarchy once, found 'north' twice"),
        ({**GROUPS, "kind": ["a", "x", "y"]}, "expected names of a hierarchy once, found 'a' twice"),
        (
            pd.DataFrame({"a": [1, 1], "b": [1, 1], "c": ["x", 0]}, ["north", "all"]),
            "total 'north': expected a number for series 'c', found 'x'",
        ),
    ],
)
def test_faults_are_one_line(groups, message):
    with pytest.raises(DataError) as found:
        read_sums(groups, table_of("a", "b", "c"), "unique_id")
    assert str(found.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "top_down"}, "expected method to be one of bottom_up, ols, mint, found 'top_down'"),
        ({"dependence": "some"}, "expected dependence to be one of estimated, independent, found 'some'"),
        ({"num_paths": 1}, "expected at least two paths, found 1"),
    ],
)
def test_options_that_are_none_are_told(options, message):
    with pytest.raises(ValueError, match=message):
        Hierarchy(GROUPS, **options)
