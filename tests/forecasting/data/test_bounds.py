"""Values beyond a bound are named by series and time."""

from __future__ import annotations

import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.bounds import check_within


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [
        (0.5, None, "series 'b' at 2024-01-02 00:00:00: expected a value of at least the lower bound of 0.5, found 0"),
        (None, 4, "series 'a' at 2024-01-03 00:00:00: expected a value of at most the upper bound of 4, found 5"),
    ],
)
def test_the_first_value_beyond_a_bound_is_named(lower, upper, message):
    times = pd.date_range("2024-01-01", periods=3)
    frame = pd.DataFrame({"unique_id": list("aaabbb"), "ds": [*times] * 2, "y": [1, None, 5, 1, 0, -1]})
    table = read_series(frame)
    with pytest.raises(DataError) as found:
        check_within(table, lower, upper)
    assert str(found.value) == message
    check_within(table, None, None)
    check_within(table, -1, 5)
