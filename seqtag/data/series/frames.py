"""Reads frames and CSV files as pandas frames, checks their columns, and names their rows in messages."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqtag.errors import DataError, nearest, shown
from seqtag.streams import standard_input

_MISSING = ("", "NA", "N/A", "NaN", "nan", "None", "NULL", "null")


def read_frame(source: Any, as_text: Sequence[str] = ()) -> tuple[pd.DataFrame, str | None]:
    """Reads a frame or a CSV file; returns a pandas frame and the file's name for messages.

    Frames of other libraries are recognised by their methods, so that no other library is imported. polars frames give
    their columns one by one (`get_column`), since their `to_pandas` needs pyarrow; others give `to_pandas()`.

    Args:
        source: a pandas or polars frame, or the path of a CSV file, `-` for standard input.
        as_text: the columns of a CSV file that stay text, so that an id `007` keeps its zeros and `NA` stays Namibia.
            In other columns `NA`, `NaN`, `None`, `null` and an empty field are missing values.

    Raises:
        DataError: the file is missing, empty or not a table.
        TypeError: `source` is neither a frame nor a path.
    """
    if isinstance(source, pd.DataFrame):
        return source, None
    if isinstance(source, str | os.PathLike):
        name = "<stdin>" if source == "-" else os.fspath(source)
        return _read_csv(name, as_text, io.StringIO(standard_input().read()) if source == "-" else None), name
    if hasattr(source, "get_column"):
        return pd.DataFrame({name: _column(source.get_column(name)) for name in source.columns}), None
    if hasattr(source, "to_pandas"):
        return source.to_pandas(), None
    raise TypeError(f"expected a pandas or polars frame, or the path of a CSV file, found {type(source).__name__}")


def _read_csv(path: str, as_text: Sequence[str], stream: io.StringIO | None) -> pd.DataFrame:
    try:
        header = pd.read_csv(path if stream is None else stream, nrows=0)
        missing = {name: [""] if name in as_text else _MISSING for name in header.columns}
        types = dict.fromkeys(as_text, "str")
        if stream is not None:
            stream.seek(0)
        return pd.read_csv(
            path if stream is None else stream, dtype=types, keep_default_na=False, na_values=missing, low_memory=False
        )
    except FileNotFoundError:
        raise DataError("expected a CSV file, found none", path) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"expected a CSV file, found {' '.join(str(error).split()).lower()}", path) from None


def _column(column: Any) -> pd.Series:
    """A polars column, read without pyarrow; NumPy loses its time zone, which is restored."""
    time_zone = getattr(column.dtype, "time_zone", None)
    values = pd.Series(column.to_numpy())
    return values if time_zone is None else values.dt.tz_localize("UTC").dt.tz_convert(time_zone)


def csv_text(frame: pd.DataFrame, **options: Any) -> str:
    r"""A frame as CSV; the options are pandas's.

    Text is quoted throughout where some of it holds a carriage return: pandas quotes none for that, and readers would
    end the row there.

    >>> csv_text(pd.DataFrame({"unique_id": ["a\rb"], "y": 1}), index=False)
    '"unique_id","y"\n"a\rb",1\n'
    """
    text = frame.to_csv(**options)
    return text if "\r" not in text else frame.to_csv(**options, quoting=csv.QUOTE_NONNUMERIC)


def check_columns(frame: pd.DataFrame, names: Iterable[str], path: str | None = None) -> None:
    """Raises a `DataError` that names the first missing column, and the nearest there is."""
    present = [str(name) for name in frame.columns]
    for name in names:
        if name not in present:
            close = nearest(name, present)
            hint = f" (nearest: {shown(close)})" if close else ""
            raise DataError(f"expected a column {shown(name)}, found columns {', '.join(present)}{hint}", path)
        if present.count(name) > 1:
            raise DataError(f"expected one column {shown(name)}, found {present.count(name)}", path)


@dataclass(frozen=True, eq=False)
class RowNames:
    """Names the rows of a frame in messages: by series and time, and by line where the frame is a CSV file.

    Attributes:
        series: the series of each row, as in the frame.
        times: the time of each row, as in the frame.
        path: the CSV file. Its first row is line 2: no field spans several lines.
    """

    series: pd.Series
    times: pd.Series
    path: str | None = None

    def error(self, row: int, message: str) -> DataError:
        """The error for a row; `row` counts from 0."""
        series, time = self.series.iloc[row], self.times.iloc[row]
        series = series.item() if isinstance(series, np.generic) else series
        line = None if self.path is None else row + 2
        return DataError(f"series {shown(series)} at {time}: {message}", self.path, line)


def read_numbers(column: pd.Series, rows: RowNames) -> np.ndarray:
    """Reads a column as float64, NaN where missing.

    Raises:
        DataError: a value is not a number, is infinite, or is too large for float32, the type of networks.
    """
    if column.dtype.kind in "mMc":
        raise rows.error(0, f"expected numbers in column {shown(column.name)}, found {column.dtype}")
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = (np.isnan(numbers) & column.notna().to_numpy()) | (np.abs(numbers) > np.finfo(np.float32).max)
    if wrong.any():
        row = int(wrong.argmax())
        found = column.iloc[row]
        found = found.item() if isinstance(found, np.generic) else found
        raise rows.error(row, f"expected a finite number in column {shown(column.name)}, found {shown(found)}")
    return numbers
