"""Reads the file of the M3 competition: training series and test values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqtag.data.series.files import read_series
from seqtag.data.series.frames import as_floats, check_columns, read_frame
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown


def read_m3(path: str | os.PathLike[str]) -> dict[str, tuple[SeriesTable, np.ndarray]]:
    """Reads the M3 competition (Makridakis and Hibon 2000) from one CSV file, `id,period,type,h,n,train,test`.

    A row is a series; the numbers in `train` and `test` are separated by spaces. Times are 0, 1, 2, ...

    Returns:
        For each period, in lower case (`yearly`, `quarterly`, `monthly`, `other`), the training series and the
        test values, float64 `(series, horizon)`.

    Raises:
        DataError: a column is missing, a row has not `n` training values and `h` test values, or a value is no finite
            number; test values of a period differ in number, or an id stands twice.
    """
    frame, name, _ = read_frame(path, as_text=["id", "train", "test"])
    check_columns(frame, ["id", "period", "h", "n", "train", "test"], name)
    rows = _Rows(frame, name)
    for column in ("id", "period"):
        rows.refuse(frame[column].isna().to_numpy(), f"expected a value in column {column!r}, found none")
    rows.refuse(frame["id"].duplicated().to_numpy(), "expected each id once, found one a second time")
    codes, periods = pd.factorize(frame["period"].astype(str).str.lower())
    return {period: _of_period(rows, np.flatnonzero(codes == code)) for code, period in enumerate(periods)}


def _of_period(rows: _Rows, chosen: np.ndarray) -> tuple[SeriesTable, np.ndarray]:
    train = list(rows.numbers("train", "n", chosen))
    test = list(rows.numbers("test", "h", chosen))
    for row, values in zip(chosen, test, strict=True):
        if len(values) != len(test[0]):
            raise rows.error(row, f"expected {len(test[0])} test values as in the first of its period")
    times = np.concatenate([np.arange(len(values)) for values in train])
    ids = np.repeat(rows.frame["id"].to_numpy(object)[chosen], [len(values) for values in train])
    long = pd.DataFrame({"unique_id": ids, "ds": times, "y": np.concatenate(train)})
    return read_series(long, frequency=1), np.stack(test)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of the file, and errors that name their lines."""

    frame: pd.DataFrame
    path: str | None

    def error(self, row: int, message: str) -> DataError:
        return DataError(message, self.path, None if self.path is None else int(self.frame.index[row]))

    def refuse(self, wrong: np.ndarray, message: str) -> None:
        """Raises the error of the first row that is wrong."""
        if wrong.any():
            raise self.error(int(wrong.argmax()), message)

    def numbers(self, column: str, count: str, chosen: np.ndarray) -> Iterator[np.ndarray]:
        """The numbers of a column of each chosen row, as many as another column says."""
        for row in chosen:
            text, expected = self.frame[column].iloc[row], self.frame[count].iloc[row]
            parts = [] if pd.isna(text) else str(text).split()
            if not parts or str(expected) not in (str(len(parts)), f"{len(parts)}.0"):
                raise self.error(row, f"expected {expected} values, found {len(parts)}")
            values = as_floats(pd.Series(parts))
            wrong = ~np.isfinite(values)
            if wrong.any():
                found = shown(parts[int(wrong.argmax())])
                raise self.error(row, f"expected finite numbers in column {column!r}, found {found}")
            yield values
