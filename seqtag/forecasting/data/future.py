"""The steps after the end of each series, and the known covariates that a forecast of them needs."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column, read_columns, read_only
from seqtag.data.series.files import SeriesColumns, long_frame, row_names, text_columns
from seqtag.data.series.frames import RowNames, check_columns, read_frame
from seqtag.data.series.ids import id_texts
from seqtag.data.series.long_form import lacks_series, with_times
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.text_format import PLAIN, TextFormat
from seqtag.data.series.timestamps import read_times
from seqtag.errors import DataError, DataWarning, shown
from seqtag.forecasting.data.calendar_end import check_calendar

# The series of a row that belongs to all of them.
EVERY = "*"


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
        ids = table.named(np.repeat(np.arange(len(table)), self.times.shape[1]))
        return pd.DataFrame({"unique_id": ids, "ds": table.to_timestamps(self.times.ravel())})


def read_future(
    table: SeriesTable,
    horizon: int,
    source: Any = None,
    columns: SeriesColumns | None = None,
    form: TextFormat = PLAIN,
    later: SeriesTable | None = None,
) -> Future:
    """Reads the next `horizon` steps of every series, with the known covariates of the table.

    Other rows of the source, at other times or of other series, are ignored with one warning. Timestamps without a time
    zone are local times of the table's time zone; those of another time zone are converted to it. The rows of a source
    without a column `unique_id` belong to every series.

    Args:
        table: the series.
        horizon: the number of steps, at least 1.
        source: a frame or CSV file of series, time and known covariates; needed if the table has known covariates. A
            `Future` is returned as it is.
        columns: the names of the columns of series and time.
        form: how a file is written.
        later: steps after those of the table, of some of its series; their known covariates serve where the source has
            no row.

    Raises:
        DataError: a needed covariate, row or value is missing; two rows have the same time; timestamps have a time zone
            where those of the table have none; steps after the year 9999.
        ValueError: `horizon` below 1.
    """
    if isinstance(source, Future):
        return source
    if horizon < 1:
        raise ValueError(f"expected horizon to be at least 1, found {horizon}")
    check_calendar(table, horizon)
    series = np.repeat(np.arange(len(table)), horizon)
    steps = table.lengths[series] + np.tile(np.arange(horizon), len(table))
    times = table.times_at(series, steps)
    if not table.known:
        return Future(times.reshape(-1, horizon), {})
    if source is None and later is None:
        names = ", ".join(map(shown, table.known))
        raise DataError(f"expected a future frame with the known covariates {names}, found none")
    columns = columns or SeriesColumns()
    parts = [] if source is None else [_read_rows(table, times, source, columns, form)]
    parts += [] if later is None else [_rows_of(table, later, columns)]
    known = _read_known(table, series, times, parts, columns)
    return Future(times.reshape(-1, horizon), {name: _shaped(column, horizon) for name, column in known.items()})


class _Rows(NamedTuple):
    """Rows of the future.

    Attributes:
        frame: the rows with their covariates.
        series: the series of the table that each row is of.
        times: the time of each row.
        row: the number of each row in its source.
        names: the series of all rows of the source, as it names them; None for the table's own later rows.
        path: the file.
    """

    frame: pd.DataFrame
    series: np.ndarray
    times: np.ndarray
    row: np.ndarray
    names: pd.Series | None
    path: str | None


def _read_rows(table: SeriesTable, times: np.ndarray, source: Any, columns: SeriesColumns, form: TextFormat) -> _Rows:
    """The rows of a frame or file that are of series of the table."""
    frame, path, _ = read_frame(source, text_columns(columns.series, columns.time, form), form)
    frame = with_times(frame, (columns.series, columns.time), columns.time)
    shared = lacks_series(frame, columns.series)
    if shared:
        frame = frame.assign(**{columns.series: EVERY})
    check_columns(frame, [columns.series, columns.time, *table.known], path)
    if not len(frame):
        raise DataError("expected rows of the future, found none", path)
    rows = row_names(frame, columns, path)
    found = read_times(frame[columns.time], rows, table.time_zone, form.date_format)
    if found.integer != table.integer_time or found.time_zone != table.time_zone:
        expected, got = (
            _described(t, z) for t, z in ((table.integer_time, table.time_zone), (found.integer, found.time_zone))
        )
        raise rows.error(0, f"expected {expected} as in the series, found {got}")
    row, series = _of_series(table, frame[columns.series], np.isin(found.values, times) if shared else None)
    twice = pd.MultiIndex.from_arrays([series, found.values[row]]).duplicated()
    if twice.any():
        raise rows.error(int(row[twice.argmax()]), "expected one row for each time, found two")
    return _Rows(frame.iloc[row], series, found.values[row], row, frame[columns.series], path)


def _of_series(table: SeriesTable, names: pd.Series, shared: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a frame that are of series of the table, and their series; ids are compared as text.

    `shared` marks the rows that belong to every series, where the frame has no ids.
    """
    if shared is not None:
        row = np.flatnonzero(shared)
        return np.tile(row, len(table)), np.repeat(np.arange(len(table)), len(row))
    of_row, unique = pd.factorize(names)
    codes = pd.Index(id_texts(table.ids)).get_indexer(pd.Index(id_texts(unique)))[of_row]
    row = np.flatnonzero(codes >= 0)
    return row, codes[row]


def _rows_of(table: SeriesTable, later: SeriesTable, columns: SeriesColumns) -> _Rows:
    """The rows of later steps of a table's series."""
    series = pd.Index(table.ids).get_indexer(pd.Index(later.ids))[later.series_of_step]
    there = ~later.inserted
    frame = long_frame(later, columns)[there]
    return _Rows(frame, series[there], later.times[there], np.arange(len(frame)), None, None)


def _warn_of_others(source: _Rows, used: np.ndarray) -> None:
    """Warns once of the rows of a source that no forecast reads; `used` are positions among its rows of series."""
    unused = 0 if source.names is None else len(source.names) - len(np.unique(source.row[used]))
    if source.names is None or not unused:
        return
    of_others = np.ones(len(source.names), bool)
    of_others[source.row] = False
    others = source.names[of_others & (source.names != EVERY).to_numpy()].unique()
    message = f"ignored {unused} rows of the future that are not of the steps to forecast"
    if len(others):
        message += f", some of {len(others)} series that are not forecast, such as {shown(others[0])}"
    warnings.warn(DataWarning(message, source.path), stacklevel=2)


def _read_known(
    table: SeriesTable, series: np.ndarray, times: np.ndarray, parts: Sequence[_Rows], columns: SeriesColumns
) -> Mapping[str, Column]:
    """The known covariates at these times of these series, `(series x horizon,)` each; earlier parts go first."""
    names = [columns.series, columns.time, *table.known]
    frame = pd.concat([part.frame[names] for part in parts])
    of_row, path, given = np.concatenate([part.series for part in parts]), parts[0].path, len(parts[0].frame)
    keys = pd.MultiIndex.from_arrays([of_row, np.concatenate([part.times for part in parts])])
    first = np.flatnonzero(~keys.duplicated())
    at = keys[first].get_indexer(pd.MultiIndex.from_arrays([series, times]))
    _check_rows(table, of_row, series, times, at, path)
    chosen = first[at]
    _warn_of_others(parts[0], chosen[chosen < given])
    categorical = {name: isinstance(column, Categories) for name, column in table.known.items()}
    rows = RowNames(frame[columns.series], frame[columns.time], path)
    known = read_columns(frame, categorical, rows, lambda values, _: values[chosen])
    for name, column in known.items():
        missing = column.codes < 0 if isinstance(column, Categories) else np.isnan(column)
        if missing.any():
            row = int(chosen[missing.argmax()])
            rows = RowNames(rows.series, rows.times, path if row < given else None)
            raise rows.error(row, f"expected a value of known covariate {shown(name)}, found none")
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
