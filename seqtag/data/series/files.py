"""Reads frames and CSV files of many series as a `SeriesTable`, and turns a table into such a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column, CovariateNames, are_categorical, read_columns, read_static
from seqtag.data.series.frames import RowNames, check_columns, read_frame, read_numbers
from seqtag.data.series.ids import check_distinct
from seqtag.data.series.long_form import SERIES, as_frame, lacks_series, with_times
from seqtag.data.series.regular_grid import SortedRows, build_grid
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.text_format import PLAIN, TextFormat
from seqtag.data.series.timestamps import check_no_dates, read_times
from seqtag.errors import DataError, shown


@dataclass(frozen=True)
class SeriesColumns:
    """The names of the columns of a long frame.

    Attributes:
        series: the column with the id of the series. A frame without a column `unique_id` is one series, of the name
            of its target.
        time: the column with the timestamp or integer time.
        target: the column with the observed value, NaN where missing.
        covariates: the columns with covariates.
    """

    series: str = SERIES
    time: str = "ds"
    target: str = "y"
    covariates: CovariateNames = field(default_factory=CovariateNames)


def read_series(
    source: Any,
    columns: SeriesColumns | None = None,
    *,
    frequency: str | int | None = None,
    time_zone: str | None = None,
    form: TextFormat = PLAIN,
) -> SeriesTable:
    """Reads a long frame or CSV file of many series.

    The order of the rows does not matter: they are sorted by time within each series. Missing rows are inserted as
    NaN and marked; no value is imputed. A series may have a single row, and it may have no value. Where the frequency
    is inferred, a series may not miss more rows than it has. Times may be in the index of a frame, and one series may
    be a pandas Series.

    Args:
        source: a pandas or polars frame, a pandas Series, or a CSV file's path.
        columns: the names of its columns.
        frequency: a pandas offset or an integer step; inferred from the data unless given.
        time_zone: the time zone of the local clocks; see `read_times`.
        form: how a file is written, and the form of dates in text.

    Raises:
        ValueError: an unknown frequency or time zone.
        DataError: a column is missing; a target is infinite or is not a number; two rows of a series have the same
            time; times are irregular or frequencies differ, or all steps are too many; two ids have the same text; or
            what `read_times` and `read_columns` raise. The message names series and time.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": ["2024-01-31", "2024-02-29", "2024-04-30"], "y": [1, 2, 3]})
        >>> table = read_series(frame)
        >>> table.frequency.name, table.values.tolist()
        ('MS', [1.0, 2.0, nan, 3.0])
        >>> str(table.to_timestamps(table.times)[2])
        '2024-03-31 00:00:00'
    """
    columns = columns or SeriesColumns()
    source = as_frame(source, columns.series, columns.target)
    frame, path, _ = read_frame(source, text_columns(columns.series, columns.time, form), form)
    return _read_long(frame, path, columns, frequency, time_zone, form)


def text_columns(series: str | None, time: str, form: TextFormat) -> list[str]:
    """The columns of a CSV file that are not read as numbers: ids, and times in a form that digits alone may have."""
    return [*([] if series is None else [series]), *([time] if form.date_format else [])]


def _read_long(
    frame: pd.DataFrame,
    path: str | None,
    columns: SeriesColumns,
    frequency: str | int | None,
    time_zone: str | None,
    form: TextFormat,
) -> SeriesTable:
    names = columns.covariates
    frame = with_times(frame, (columns.series, columns.time), columns.time)
    nameless = lacks_series(frame, columns.series)
    if nameless:
        frame = frame.assign(**{columns.series: columns.target})
    check_columns(frame, [columns.series, columns.time, columns.target, *names.all], path)
    if not len(frame):
        raise DataError("expected series, found no rows", path)
    rows = row_names(frame, columns, path, nameless)
    times = read_times(frame[columns.time], rows, time_zone, form.date_format)
    frequency = times.frequency if frequency is None else frequency
    if frequency is None:
        check_no_dates(times, rows)
    target = read_numbers(frame[columns.target], rows)
    codes, ids = pd.factorize(frame[columns.series])
    ids = np.asarray(ids, object)
    check_distinct(ids, path)
    grid = build_grid(SortedRows(times, codes, ids, rows), frequency)
    return SeriesTable(
        ids=ids,
        offsets=grid.offsets,
        values=grid.place(target, np.nan),
        frequency=grid.frequency,
        time_zone=times.time_zone,
        ordinals=grid.ordinals,
        phases=grid.phases,
        inserted=grid.place(np.zeros(len(frame), bool), True),
        past=read_columns(frame, are_categorical(frame, names.past, names), rows, grid.place),
        known=read_columns(frame, are_categorical(frame, names.known, names), rows, grid.place),
        static=read_static(frame, names, rows, codes),
        id_dtype=frame[columns.series].dtype,
    )


def read_wide(
    source: Any,
    time: str = "date",
    targets: Sequence[str] | None = None,
    covariates: CovariateNames | None = None,
    *,
    frequency: str | int | None = None,
    time_zone: str | None = None,
    form: TextFormat = PLAIN,
) -> SeriesTable:
    """Reads a frame or CSV file with a column for each series, such as the ETT files (Zhou et al. 2021).

    Args:
        source: as in `read_series`.
        time: the column of the times.
        targets: the columns that are series; all but the times and the covariates unless given.
        covariates: the columns that are covariates of every series; static covariates need a long frame.
        frequency: as in `read_series`.
        time_zone: as in `read_series`.
        form: as in `read_series`.

    Raises:
        ValueError: a static covariate, or one called `unique_id`, `ds` or `y`.
        DataError: as `read_series`; messages name a series by its column.

    Example:
        >>> table = read_wide(pd.DataFrame({"date": [1, 2], "load": [5.0, 6.0], "oil": [30.0, 31.0]}))
        >>> table.ids.tolist(), table.values.tolist()
        (['load', 'oil'], [5.0, 6.0, 30.0, 31.0])
    """
    covariates = covariates or CovariateNames()
    columns = SeriesColumns(covariates=covariates)
    taken = {columns.series, columns.time, columns.target}
    if covariates.static or taken & set(covariates.all):
        raise ValueError(f"expected no static covariate and none called {', '.join(sorted(taken))}, found {covariates}")
    frame, path, _ = read_frame(source, text_columns(None, time, form), form)
    frame = with_times(frame, (time,), time)
    check_columns(frame, [time, *covariates.all, *(targets or ())], path)
    if targets is None:
        targets = [name for name in frame.columns if name not in (time, *covariates.all)]
    if not targets:
        raise DataError(f"expected columns beside {shown(time)}, found none", path)
    rows = np.tile(np.arange(len(frame)), len(targets))
    # The index stays: messages name the line of a file by it.
    long = frame[[*covariates.all]].iloc[rows]
    target = pd.concat([frame[name] for name in targets])
    return _read_long(
        long.assign(
            **{
                columns.series: np.repeat(np.asarray(targets, object), len(frame)),
                columns.time: frame[time].iloc[rows].array,
                columns.target: target.array,
            }
        ),
        path,
        columns,
        frequency,
        time_zone,
        form,
    )


def long_frame(table: SeriesTable, columns: SeriesColumns) -> pd.DataFrame:
    """A table as a long frame with covariates, which `read_series` with these columns reads as the same table."""
    frame = table.to_frame()
    frame.columns = pd.Index([columns.series, columns.time, columns.target])
    for name, column in (*table.past.items(), *table.known.items()):
        frame[name] = _values(column)
    for name, column in table.static.items():
        frame[name] = _values(column)[table.series_of_step]
    return frame


def _values(column: Column) -> np.ndarray:
    """The values of a column, categories as text, None where missing."""
    if not isinstance(column, Categories):
        return column
    return np.array([*column.symbols, None], object)[column.codes]


def row_names(frame: pd.DataFrame, columns: SeriesColumns, path: str | None, nameless: bool = False) -> RowNames:
    """The names of a frame's rows; raises a `DataError` where a row has no series.

    Args:
        frame: the frame.
        columns: the names of its columns.
        path: the file, for messages.
        nameless: whether the frame is taken for one series because it has no column of ids.
    """
    rows = RowNames(frame[columns.series], frame[columns.time], path, nameless)
    missing = frame[columns.series].isna().to_numpy()
    if missing.any():
        raise rows.error(int(missing.argmax()), f"expected a series in column {shown(columns.series)}, found none")
    return rows
