"""Where a search scores, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.search.origins import search_origins


def table_of(**series):
    """Series whose values are the numbers of their steps, up to a length; others as they are."""
    parts = []
    for name, y in series.items():
        y = np.arange(float(y)) if isinstance(y, int) else y
        parts.append(pd.DataFrame({"unique_id": name, "ds": np.arange(len(y)), "y": y}))
    return read_series(pd.concat(parts), frequency=1)


def origins_of(table, held_out, lookback=4):
    config = ForecastingConfig(task="forecasting", model={"horizon": 3}, training={"validation_steps": held_out})
    series, origins = search_origins(table, config, lookback)
    return series, [fold.windows.future(series.values).tolist() for fold in origins.split(series)]


def test_origins_lie_before_the_held_out_steps():
    """Six steps are held out of 50, so that 44 are left, and two horizons fill their end."""
    series, futures = origins_of(table_of(a=50, b=46), 6)
    assert series.lengths.tolist() == [44, 40]
    assert futures == [[[38, 39, 40], [34, 35, 36]], [[41, 42, 43], [37, 38, 39]]]


def test_there_are_three_origins_at_most():
    assert len(origins_of(table_of(a=100), 15)[1]) == 3


def test_short_series_are_scored_on_the_held_out_steps():
    """A quarter of 47 steps is less than both take."""
    series, futures = origins_of(table_of(a=47, b=47), 6)
    assert series.lengths.tolist() == [47, 47]
    assert futures[-1] == [[44, 45, 46], [44, 45, 46]]


def test_series_that_a_network_cannot_forecast_are_left_out():
    gap = np.arange(50.0)
    gap[30:39] = np.nan
    series, _ = origins_of(table_of(a=50, gap=gap, short=12, c=50), 6)
    assert series.ids.tolist() == ["a", "c"]


def test_a_search_on_series_that_are_too_short_is_refused():
    message = "series 'a': expected values in more than 3 steps for a search, found 3 steps in the longest series"
    with pytest.raises(DataError, match=message):
        origins_of(table_of(a=3, b=2), 3)
