"""What messages call a row of a table: its series, its time, and its line where the table is a CSV file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqtag.errors import DataError


@dataclass(frozen=True, eq=False)
class RowNames:
    """The names of a frame's rows.

    Attributes:
        series: the series of each row, as given.
        times: the time of each row, as given.
        path: the CSV file; its first row is line 2, as no field of it spans lines.
    """

    series: pd.Series
    times: pd.Series
    path: str | None = None

    def error(self, row: int, message: str) -> DataError:
        """The error that a row is at fault; `row` counts from 0."""
        series, time = self.series.iloc[row], self.times.iloc[row]
        series = series.item() if isinstance(series, np.generic) else series
        line = None if self.path is None else row + 2
        return DataError(f"series {series!r} at {time}: {message}", self.path, line)


def read_numbers(column: pd.Series, rows: RowNames) -> np.ndarray:
    """A column as float64, NaN where missing.

    Raises:
        DataError: a value is no number, infinite, or too large for float32, in which networks count.
    """
    if column.dtype.kind in "mMc":
        raise rows.error(0, f"expected numbers in column {column.name!r}, found {column.dtype}")
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = (np.isnan(numbers) & column.notna().to_numpy()) | (np.abs(numbers) > np.finfo(np.float32).max)
    if wrong.any():
        row = int(wrong.argmax())
        found = column.iloc[row]
        found = found.item() if isinstance(found, np.generic) else found
        raise rows.error(row, f"expected a finite number in column {column.name!r}, found {found!r}")
    return numbers
