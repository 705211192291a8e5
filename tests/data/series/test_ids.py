"""Ids come back with the type that they came with, also after they were text in a file."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.data.series.ids import dtype_from_dict, dtype_to_dict, id_texts, ids_from_texts
from seqtag.errors import DataError

COLUMNS = {
    "int64": pd.Series([7, 7, -1, -1]),
    "uint8": pd.Series([7, 7, 1, 1], dtype="uint8"),
    "Int64": pd.Series([7, 7, 1, 1], dtype="Int64"),
    "str": pd.Series(["007", "007", "b", "b"], dtype="str"),
    "string": pd.Series(["007", "007", "b", "b"], dtype="string"),
    "object": pd.Series(["007", "007", "b", "b"], dtype=object),
    "bool": pd.Series([True, True, False, False]),
    "float64": pd.Series([1.5, 1.5, 2.0, 2.0]),
    "category": pd.Series(pd.Categorical(["b", "b", "a", "a"], ["z", "b", "a"], ordered=True)),
    "numbers": pd.Series(pd.Categorical([3, 3, 1, 1])),
    "dates": pd.Series(pd.to_datetime(["2024-01-01"] * 2 + ["2024-01-02"] * 2)),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_frame_gives_back_its_ids(name):
    ids = COLUMNS[name].rename("unique_id")
    table = read_series(pd.DataFrame({"unique_id": ids, "ds": [1, 2, 1, 2], "y": 1.0}))
    pd.testing.assert_series_equal(table.to_frame()["unique_id"], ids)
    again = dtype_from_dict(json.loads(json.dumps(dtype_to_dict(table.id_dtype))))
    restored = ids_from_texts(id_texts(table.ids), again).rename("unique_id")
    pd.testing.assert_series_equal(restored, ids[::2].reset_index(drop=True))


def test_a_text_that_is_no_id_of_its_type():
    for dtype in (np.dtype(int), pd.CategoricalDtype(["a"]), np.dtype(bool)):
        with pytest.raises((ValueError, KeyError)):
            ids_from_texts(["x"], dtype)


def test_ids_of_the_same_text_are_refused():
    frame = pd.DataFrame({"unique_id": pd.Series([1, "1"], dtype=object), "ds": [1, 2], "y": 1.0})
    with pytest.raises(DataError, match="expected ids of series that differ as text, found '1' for two"):
        read_series(frame, frequency=1)
