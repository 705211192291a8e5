from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.units import SeriesUnits


@pytest.fixture
def table():
    y = np.random.default_rng(0).normal([[5], [-3e4]], [[2], [700]], (2, 50))
    rows = [pd.DataFrame({"unique_id": n, "ds": range(50), "y": v}) for n, v in zip("ab", y, strict=True)]
    return read_series(pd.concat(rows))


def test_moments_are_those_of_the_first_steps_alone(table):
    found = SeriesUnits.fit(table, np.array([30, 40])).standardised(table)
    for series, steps in enumerate((30, 40)):
        values = table.values[table.rows(series)][:, None]
        expected = StandardScaler().fit(values[:steps]).transform(values)[:, 0]
        np.testing.assert_allclose(found.values[found.rows(series)], expected)


def test_missing_and_constant_values():
    frame = pd.DataFrame({"unique_id": list("aaabbb"), "ds": [0, 1, 2] * 2, "y": [np.nan, np.nan, 4.0, 2.0, 2.0, 7.0]})
    units = SeriesUnits.fit(read_series(frame), np.array([2, 2]))
    assert units.moments.tolist() == [[4.0, 1.0], [2.0, 1.0]], "of all where the first hold none; no division by zero"
    np.testing.assert_array_equal(units.standardised(read_series(frame)).values, [np.nan, np.nan, 0, 0, 0, 5])


def test_series_may_come_in_another_order_and_none_that_is_unknown(table):
    units = SeriesUnits.fit(table, table.lengths)
    assert units.of(["b", "a"]).tolist() == units.moments[::-1].tolist()
    with pytest.raises(DataError, match="series 'c': expected a series of the training data, whose moments"):
        units.of(["a", "c"])
