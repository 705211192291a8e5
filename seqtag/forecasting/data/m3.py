"""Reads the file of the M3 competition: training series and test values."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from seqtag.data.series.files import read_series
from seqtag.data.series.frames import check_columns, read_frame
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError


def read_m3(path: str | os.PathLike[str]) -> dict[str, tuple[SeriesTable, np.ndarray]]:
    """Reads the M3 competition (Makridakis and Hibon 2000) from one CSV file, `id,period,type,h,n,train,test`.

    A row is a series; the numbers in `train` and `test` are separated by spaces. Times are 0, 1, 2, ...

    Returns:
        For each period, in lower case (`yearly`, `quarterly`, `monthly`, `other`), the training series and the
        test values, float64 `(series, horizon)`.

    Raises:
        DataError: a column is missing, or a row has not `n` training values and `h` test values.
    """
    frame, name = read_frame(path)
    check_columns(frame, ["id", "period", "h", "n", "train", "test"], name)
    found = {}
    for period, group in frame.groupby("period", sort=False):
        train = [
            _numbers(text, n, row, name) for row, text, n in zip(group.index, group["train"], group["n"], strict=True)
        ]
        test = [
            _numbers(text, h, row, name) for row, text, h in zip(group.index, group["test"], group["h"], strict=True)
        ]
        ids = np.repeat(group["id"].to_numpy(), [len(values) for values in train])
        times = np.concatenate([np.arange(len(values)) for values in train])
        long = pd.DataFrame({"unique_id": ids, "ds": times, "y": np.concatenate(train)})
        found[str(period).lower()] = (read_series(long, frequency=1), np.stack(test))
    return found


def _numbers(text: str, count: int, row: int, path: str | None) -> np.ndarray:
    values = np.array(str(text).split(), np.float64)
    if len(values) != count:
        raise DataError(f"expected {count} values, found {len(values)}", path, row + 2)
    return values
