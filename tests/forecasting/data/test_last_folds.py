"""The windows that `seqtag evaluate` scores, on values that count 0, 1, 2, ..."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.last_folds import last_folds


def test_the_last_folds_are_the_last_horizons():
    parts = [
        pd.DataFrame({"unique_id": name, "ds": np.arange(steps), "y": np.arange(float(steps))})
        for name, steps in (("a", 9), ("b", 4), ("c", 2))
    ]
    table = read_series(pd.concat(parts, ignore_index=True))
    windows = last_folds(table, 4, 3, folds=2)
    assert windows.future(table.values).tolist() == [[3, 4, 5], [6, 7, 8], [1, 2, 3]]
    with pytest.raises(DataError, match="series 'a': expected values in a history and in a horizon of 9 steps"):
        last_folds(table, 4, 9, folds=2)
