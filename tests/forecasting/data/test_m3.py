"""Rows of M3's file that are not what they say are named with their line."""

from __future__ import annotations

import pytest

from seqtag.errors import DataError
from seqtag.forecasting.data.m3 import read_m3

HEAD = "id,period,type,h,n,train,test\nN1,YEARLY,X,2,3,1 2 3,4 5\n"


@pytest.fixture
def read(tmp_path):
    def call(row: str):
        (tmp_path / "m3.csv").write_text(f"{HEAD}{row}\n")
        return read_m3(tmp_path / "m3.csv")

    return call


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("N2,YEARLY,X,2,3,1 2x 3,4 5", "expected finite numbers in column 'train', found '2x'"),
        (f"N2,YEARLY,X,2,3,1 {'9' * 400} 3,4 5", "expected finite numbers in column 'train', found '99999"),
        ("N2,YEARLY,X,2,3,1 2 3,4 inf", "expected finite numbers in column 'test', found 'inf'"),
        ("N2,YEARLY,X,2,3,1 nan 3,4 5", "expected finite numbers in column 'train', found 'nan'"),
        ("N2,YEARLY,X,2,x,1 2 3,4 5", "expected x values, found 3"),
        ("N2,YEARLY,X,2,3,,4 5", "expected 3 values, found 0"),
        ("N2,YEARLY,X,1,3,1 2 3,4", "expected 2 test values as in the first of its period"),
        ("N2,,X,2,3,1 2 3,4 5", "expected a value in column 'period', found none"),
        ("N1,YEARLY,X,2,3,1 2 3,4 5", "expected each id once, found one a second time"),
    ],
)
def test_what_is_wrong_is_named(read, row, message):
    with pytest.raises(DataError, match=rf"m3\.csv:3: {message}"):
        read(row)


def test_periods_are_apart(read):
    found = read("N2,MONTHLY,X,1,2,7 8,9")
    assert {period: (table.ids.tolist(), test.tolist()) for period, (table, test) in found.items()} == {
        "yearly": (["N1"], [[4, 5]]),
        "monthly": (["N2"], [[9]]),
    }
