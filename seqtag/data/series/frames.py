"""Reads frames and CSV files as pandas frames, checks their columns, and names their rows in messages."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqtag.data.series.text_format import PLAIN, TextFormat, Written, detect, numbers_of
from seqtag.data.text.lines import source_name
from seqtag.errors import DataError, nearest, shown
from seqtag.process.streams import standard_input

_MISSING = ("", "NA", "N/A", "NaN", "nan", "None", "NULL", "null")
# Bytes of a file by which its separator and its decimal mark are told.
_SAMPLE = 1 << 16
_ZIP = b"PK\x03\x04"
_COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_FIELDS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


class ReadFrame(NamedTuple):
    """A frame as it was read.

    Attributes:
        frame: a pandas frame; that of a file has the numbers of its lines as its index.
        path: the file's name for messages; None for a frame.
        written: how the file was written, as far as it showed.
    """

    frame: pd.DataFrame
    path: str | None
    written: Written


class Piped(NamedTuple):
    """What came through a pipe, which can be read only once.

    Attributes:
        path: the pipe's name for messages.
        content: its bytes.
    """

    path: str
    content: bytes


def kept_pipe(source: Any) -> Any:
    """A source that can be read several times: a pipe or standard input with its content, any other as it is."""
    if not isinstance(source, str | os.PathLike) or (source != "-" and not stat.S_ISFIFO(_mode(source))):
        return source
    path = source_name(source)
    with _open(path) as data:
        return Piped(path, data.read())


def _mode(path: str | os.PathLike[str]) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:  # told when it is read
        return 0


def read_frame(source: Any, as_text: Sequence[str] = (), form: TextFormat = PLAIN) -> ReadFrame:
    """Reads a frame or a CSV file.

    Frames of other libraries are recognised by their methods, so that no other library is imported. polars frames give
    their columns one by one (`get_column`), since their `to_pandas` needs pyarrow; others give `to_pandas()`.

    Args:
        source: a pandas or polars frame, or the path of a CSV file, which may end in `.gz`, `.bz2` or `.xz`; `-` for
            standard input.
        as_text: the columns of a CSV file that stay text, so that an id `007` keeps its zeros and `NA` stays Namibia.
            In other columns `NA`, `NaN`, `None`, `null` and an empty field are missing values. Blank lines are skipped.
        form: how the file is written; what it does not say is told by the file's first lines.

    Raises:
        DataError: the file is missing, empty or not a table, or is in another encoding.
        TypeError: `source` is neither a frame nor a path.
    """
    if isinstance(source, str | os.PathLike):
        return _read_csv(source_name(source), as_text, form)
    if isinstance(source, Piped):
        return _read_csv(source.path, as_text, form, source.content)
    written = Written(form.separator or ",", form.decimal)
    if isinstance(source, pd.DataFrame):
        frame = source
    elif hasattr(source, "get_column"):
        frame = pd.DataFrame({name: _column(source.get_column(name)) for name in source.columns})
    elif hasattr(source, "to_pandas"):
        frame = source.to_pandas()
    else:
        found = type(source).__name__
        raise TypeError(f"expected a pandas or polars frame, or the path of a CSV file, found {found}")
    return ReadFrame(_plain_numbers(frame, as_text, written.decimal), None, written)


def _read_csv(path: str, as_text: Sequence[str], form: TextFormat, content: bytes | None = None) -> ReadFrame:
    try:
        with _open(path) if content is None else io.BytesIO(content) as data:
            sample = data.read(_SAMPLE)
            if sample.startswith(_ZIP):
                raise DataError("expected a CSV file, found a spreadsheet or an archive", path)
            encoding = "utf-16" if sample[:2] in (b"\xff\xfe", b"\xfe\xff") else form.encoding
            written, names, first_line = detect(sample, encoding, form)
            data.seek(0)
            frame = _parse(data, encoding, written, names, first_line, as_text)
    except FileNotFoundError:
        raise DataError("expected a CSV file, found none", path) from None
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"expected a compressed CSV file, found {error}", path) from None
    except (UnicodeError, LookupError) as error:
        raise DataError(
            f"expected a CSV file in {form.encoding}, found {error}", path, setting="data.encoding"
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise _parser_error(str(error), path) from None
    return ReadFrame(_plain_numbers(frame, as_text, written.decimal), path, written)


def _open(path: str) -> Any:
    """A file of bytes that can be read again from its start: pipes are read into memory, compressed files opened."""
    if path == "<stdin>":
        stream = standard_input()
        return io.BytesIO(stream.buffer.read() if hasattr(stream, "buffer") else stream.read().encode())
    suffix = os.path.splitext(path)[1]
    file: Any = _COMPRESSED.get(suffix, open)(path, "rb")
    if file.seekable():
        return file
    with file:
        return io.BytesIO(file.read())


def _parse(
    data: Any, encoding: str, written: Written, names: Sequence[str], first_line: int, as_text: Sequence[str]
) -> pd.DataFrame:
    """The rows of a CSV file; their index is the number of their line, if no field spans several lines."""
    missing: Mapping[str, Sequence[str]] = {name: [""] if name in as_text else _MISSING for name in names}
    frame = pd.read_csv(
        data,
        sep=written.separator,
        decimal=written.decimal or ".",
        encoding=encoding,
        dtype=dict.fromkeys(as_text, "str"),
        keep_default_na=False,
        na_values=missing,
        low_memory=False,
        header=first_line - 1,
        skip_blank_lines=False,
    )
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes a first column without a name for the index
        raise csv.Error(f"more than {len(names)} fields a line after those of line {first_line}")
    frame.index = pd.RangeIndex(first_line + 1, first_line + 1 + len(frame))
    if not len(frame.columns) or not len(frame):
        return frame
    blank = frame.iloc[:, 0].isna().to_numpy(copy=True)
    if blank.any():
        blank[blank] = frame[blank].isna().all(axis=1).to_numpy()
    return frame[~blank] if blank.any() else frame


def _parser_error(message: str, path: str) -> DataError:
    """The error of a file that is no table, with the line that pandas names."""
    words = " ".join(message.split())
    found = _FIELDS.search(words)
    if found:
        expected, line, saw = found.groups()
        return DataError(f"expected {expected} fields as in the lines before, found {saw}", path, int(line))
    return DataError(f"expected a CSV file, found {words[:1].lower()}{words[1:]}", path)


def _plain_numbers(frame: pd.DataFrame, as_text: Sequence[str], decimal: str | None) -> pd.DataFrame:
    """The frame with text such as `1.234,5` as numbers, where the decimal mark is known."""
    if decimal is None or not frame.columns.is_unique:
        return frame
    text = [name for name in frame.columns if name not in as_text and _is_text(frame[name])]
    return frame.assign(**{name: numbers_of(frame[name], decimal) for name in text}) if text else frame


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.infer_dtype(column, skipna=True) == "string"


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
        series: the series of each row, as in the frame; of a file, their index is the number of the line.
        times: the time of each row, as in the frame.
        path: the CSV file.
        nameless: whether the frame is one series because it has no column of ids.
    """

    series: pd.Series
    times: pd.Series
    path: str | None = None
    nameless: bool = False

    def error(self, row: int, message: str, setting: str | None = None) -> DataError:
        """The error for a row; `row` counts from 0. `setting` is that of `DataError`."""
        series, time = self.series.iloc[row], self.times.iloc[row]
        series = series.item() if isinstance(series, np.generic) else series
        line = None if self.path is None else int(self.series.index[row])
        return DataError(f"series {shown(series)} at {time}: {message}", self.path, line, setting)


def as_floats(column: pd.Series) -> np.ndarray:
    """A column as float64, NaN where a value is missing or no number, infinite where it is too large."""
    try:
        numbers = pd.to_numeric(column, errors="coerce")
    except OverflowError:  # integers of hundreds of digits
        numbers = pd.to_numeric(column.where(column.astype(str).str.len() < 300, "inf"), errors="coerce")
    return numbers.to_numpy(np.float64, na_value=np.nan)


def read_numbers(column: pd.Series, rows: RowNames) -> np.ndarray:
    """Reads a column as float64, NaN where missing.

    Raises:
        DataError: a value is not a number, is infinite, or is too large for float32, the type of networks.
    """
    if column.dtype.kind in "mMc":
        raise rows.error(0, f"expected numbers in column {shown(column.name)}, found {column.dtype}")
    numbers = as_floats(column)
    wrong = (np.isnan(numbers) & column.notna().to_numpy()) | (np.abs(numbers) > np.finfo(np.float32).max)
    if wrong.any():
        row = int(wrong.argmax())
        found = column.iloc[row]
        found = found.item() if isinstance(found, np.generic) else found
        marks = isinstance(found, str) and re.fullmatch(r"[+-]?[\d.,' ]*\d", found)
        setting = "data.decimal" if marks else None
        raise rows.error(row, f"expected a finite number in column {shown(column.name)}, found {shown(found)}", setting)
    return numbers
