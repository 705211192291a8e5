"""The steps after the end of each series, and the known covariates that a forecast of them needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column, read_columns, read_only
from seqtag.data.series.files import SeriesColumns, row_names
from seqtag.data.series.frames import check_columns, read_frame
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.timestamps import read_times
from seqtag.errors import DataError, shown


@dataclass(frozen=True, eq=False)
class Future:
    """The next steps of every series of a table.

    Attributes:
        times: int64 `(series, horizon)`, as in `SeriesTable.times`.
        known: the known covariates, `(series, horizon)` each.
    """

    times: np.ndarray
    known: Mapping[str, Column]

    def to_frame(self, table: SeriesTable) -> pd.DataFrame:
        """A frame of the rows to forecast, `unique_id, ds`."""
        ids = np.repeat(table.ids, self.times.shape[1])
        return pd.DataFrame({"unique_id": ids, "ds": table.to_timestamps(self.times.ravel())})


def read_future(table: SeriesTable, horizon: int, source: Any = None, columns: SeriesColumns | None = None) -> Future:
    """Reads the next `horizon` steps of every series, with the known covariates of the table.

    Rows of the source at other times are ignored, so that it may be a calendar of many years. Timestamps without a time
    zone are local times of the table's time zone; those of another time zone are converted to it.

    Args:
        table: the series.
        horizon: the number of steps, at least 1.
        source: a frame or CSV file of series, time and known covariates; needed if the table has known covariates.
        columns: the names of the columns of series and time.

    Raises:
        DataError: a needed covariate, series, row or value is missing; two rows have the same time; a series is not in
            the table; timestamps have a time zone where those of the table have none.
        ValueError: `horizon` below 1.
    """
    if horizon < 1:
        raise ValueError(f"expected horizon to be at least 1, found {horizon}")
    columns = columns or SeriesColumns()
    series = np.repeat(np.arange(len(table)), horizon)
    steps = table.lengths[series] + np.tile(np.arange(horizon), len(table))
    times = table.times_at(series, steps)
    if not table.known:
        return Future(times.reshape(-1, horizon), {})
    if source is None:
        names = ", ".join(map(repr, table.known))
        raise DataError(f"expected a future frame with the known covariates {names}, found none")
    known = _read_known(table, series, times, source, columns)
    return Future(times.reshape(-1, horizon), {name: _shaped(column, horizon) for name, column in known.items()})


def _read_known(
    table: SeriesTable, series: np.ndarray, times: np.ndarray, source: Any, columns: SeriesColumns
) -> Mapping[str, Column]:
    """The known covariates at these times of these series, `(series x horizon,)` each."""
    frame, path = read_frame(source, as_text=[columns.series])
    check_columns(frame, [columns.series, columns.time, *table.known], path)
    if not len(frame):
        raise DataError("expected rows of the future, found none", path)
    rows = row_names(frame, columns, path)
    found = read_times(frame[columns.time], rows, table.time_zone)
    if found.integer != table.integer_time or found.time_zone != table.time_zone:
        expected, got = (
            _described(t, z) for t, z in ((table.integer_time, table.time_zone), (found.integer, found.time_zone))
        )
        raise rows.error(0, f"expected {expected} as in the series, found {got}")
    codes = pd.Index(table.ids).get_indexer(pd.Index(frame[columns.series].to_numpy(object)))
    if (codes < 0).any():
        raise rows.error(int((codes < 0).argmax()), "expected a series of the training data, found another")
    keys = pd.MultiIndex.from_arrays([codes, found.values])
    twice = keys.duplicated()
    if twice.any():
        raise rows.error(int(twice.argmax()), "expected one row for each time, found two")
    at = keys.get_indexer(pd.MultiIndex.from_arrays([series, times]))
    _check_rows(table, codes, series, times, at, path)

    def chosen(values: np.ndarray, _: float) -> np.ndarray:
        return values[at]

    categorical = {name: isinstance(column, Categories) for name, column in table.known.items()}
    known = read_columns(frame, categorical, rows, chosen)
    for name, column in known.items():
        missing = column.codes < 0 if isinstance(column, Categories) else np.isnan(column)
        if missing.any():
            raise rows.error(
                int(at[missing.argmax()]), f"expected a value of known covariate {shown(name)}, found none"
            )
    return known


def _check_rows(
    table: SeriesTable, codes: np.ndarray, series: np.ndarray, times: np.ndarray, at: np.ndarray, path: str | None
) -> None:
    absent = np.bincount(codes, minlength=len(table)) == 0
    if absent.any():
        name = table.ids[int(absent.argmax())]
        raise DataError(f"series {shown(name)}: expected rows in the future frame, found none", path)
    if (at < 0).any():
        first = int((at < 0).argmax())
        time = table.format_time(times[first])
        raise DataError(
            f"series {shown(table.ids[series[first]])} at {time}: expected a row in the future frame, found none", path
        )


def _described(integer: bool, time_zone: str | None) -> str:
    if integer:
        return "integers"
    return "timestamps without a time zone" if time_zone is None else f"timestamps in {time_zone}"


def _shaped(column: Column, horizon: int) -> Column:
    if isinstance(column, Categories):
        return Categories(column.codes.reshape(-1, horizon), column.symbols)
    return column.reshape(-1, horizon)


def unknown_future(table: SeriesTable, horizon: int) -> Future:
    """The next steps of every series with missing covariates, for windows that reach past the end."""
    series = np.repeat(np.arange(len(table)), horizon)
    steps = table.lengths[series] + np.tile(np.arange(horizon), len(table))
    shape = (len(table), horizon)

    def blank(column: Column) -> Column:
        if isinstance(column, Categories):
            return Categories(np.full(shape, -1, np.int32), column.symbols)
        return np.full(shape, np.nan)

    times = table.times_at(series, steps).reshape(shape)
    return Future(times, {name: blank(column) for name, column in table.known.items()})


def append_future(table: SeriesTable, future: Future) -> SeriesTable:
    """The table with the steps of its future after each series; their values and past covariates are missing.

    A window whose history ends with the series then has its future in the table, like every other window.
    """
    horizon = future.times.shape[1]
    ends = np.repeat(table.offsets[1:], horizon)

    def appended(column: Column, added: Column | None) -> Column:
        if isinstance(column, Categories):
            if added is None:
                return Categories(read_only(np.insert(column.codes, ends, -1)), column.symbols)
            symbols = tuple(dict.fromkeys((*column.symbols, *_symbols(added))))
            index = {symbol: code for code, symbol in enumerate(symbols)}
            codes = np.array([*(index[symbol] for symbol in _symbols(added)), -1], np.int32)[_codes(added).ravel()]
            return Categories(read_only(np.insert(column.codes, ends, codes)), symbols)
        return read_only(np.insert(column, ends, np.nan if added is None else np.ravel(np.asarray(added))))

    return dataclasses.replace(
        table,
        offsets=table.offsets + horizon * np.arange(len(table.offsets)),
        values=np.insert(table.values, ends, np.nan),
        inserted=np.insert(table.inserted, ends, True),
        past=MappingProxyType({name: appended(column, None) for name, column in table.past.items()}),
        known=MappingProxyType({name: appended(column, future.known[name]) for name, column in table.known.items()}),
    )


def _symbols(column: Column) -> tuple[str, ...]:
    assert isinstance(column, Categories)
    return column.symbols


def _codes(column: Column) -> np.ndarray:
    assert isinstance(column, Categories)
    return column.codes
