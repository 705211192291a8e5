"""The order of series, and what chance each has, are decided by their names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqtag.data.series.files import read_series
from seqtag.forecasting.data.series_order import generator_of, in_order


def test_series_are_sorted_by_name_with_numbers_by_size():
    names = ["b", "a10", "a2", "10", "a2b", "A", "9", "02", "2"]
    frame = pd.DataFrame({"unique_id": names, "ds": 1, "y": range(len(names))})
    table = in_order(read_series(frame, frequency=1))
    assert table.ids.tolist() == ["02", "2", "9", "10", "A", "a2", "a2b", "a10", "b"]
    assert [names[int(value)] for value in table.values] == table.ids.tolist()
    assert in_order(table) is table


def test_a_series_has_the_same_chance_in_every_process():
    drawn = [generator_of(name, seed).integers(0, 1000, 3).tolist() for name, seed in (("a", 0), ("a", 1), ("b", 0))]
    assert drawn == [[580, 107, 24], [362, 910, 164], [808, 762, 269]]
    assert generator_of(7, 0).random() == generator_of(np.int64(7), 0).random() == generator_of("7", 0).random()
