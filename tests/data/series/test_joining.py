"""Two tables joined are the table that is read from both frames at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, long_frame, read_series
from seqtag.data.series.joining import joined_series
from seqtag.errors import DataError

COLUMNS = SeriesColumns(covariates=CovariateNames(past=("wind",), known=("event",), static=("region",)))


def frame_of(name, steps, first="2024-01-01", **columns):
    frame = pd.DataFrame(
        {"unique_id": name, "ds": pd.date_range(first, periods=steps, freq="D"), "y": np.arange(steps)}
    )
    frame["wind"], frame["event"], frame["region"] = 0.5 * steps, f"event of {name}", f"region {name}"
    return frame.assign(**columns)


def test_joined_tables_are_read_as_one():
    frames = [frame_of("a", 3), frame_of("b", 2, "2024-02-01", event=None), frame_of("c", 4, event="event of a")]
    whole = read_series(pd.concat(frames), COLUMNS)
    joined = joined_series(read_series(frames[0], COLUMNS), read_series(pd.concat(frames[1:]), COLUMNS))
    pd.testing.assert_frame_equal(long_frame(joined, COLUMNS), long_frame(whole, COLUMNS))
    np.testing.assert_array_equal(joined.times, whole.times)


@pytest.mark.parametrize(("first", "second", "dtype"), [(1, 2, "int64"), (1, "x", "object"), ("a", "b", None)])
def test_ids_keep_their_dtype_where_they_can(first, second, dtype):
    tables = [read_series(frame_of(name, 3), COLUMNS) for name in (first, second)]
    joined = joined_series(*tables)
    assert joined.ids.tolist() == [first, second]
    assert joined.named(np.arange(2)).dtype == (dtype or tables[0].id_dtype)


def test_tables_of_another_kind_are_refused():
    table = read_series(frame_of("a", 3), COLUMNS)
    with pytest.raises(DataError, match="expected categories in known covariate 'event' of all series, found others"):
        joined_series(table, read_series(frame_of("b", 3, event=1.0), COLUMNS))
    other = frame_of("b", 3).assign(ds=pd.date_range("2024-01-01", periods=3, freq="h"))
    with pytest.raises(DataError, match="series 'b': expected frequency 'D' in time zone None, found 'h' in None"):
        joined_series(table, read_series(other, COLUMNS))
