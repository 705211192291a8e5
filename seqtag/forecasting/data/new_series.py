"""Series that only rows of the future name: they have no history, and are forecast from the first of these rows on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, Column, CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series, text_columns
from seqtag.data.series.frames import check_columns, read_frame
from seqtag.data.series.ids import id_texts, ids_from_texts
from seqtag.data.series.joining import joined_series
from seqtag.data.series.long_form import lacks_series, with_times
from seqtag.data.series.table import SeriesTable
from seqtag.data.series.text_format import TextFormat
from seqtag.errors import DataError
from seqtag.forecasting.data.future import EVERY, Future


def with_new_series(
    table: SeriesTable, source: Any, columns: SeriesColumns, form: TextFormat, trained: Collection[str]
) -> SeriesTable:
    """The table with the series that only the source has, all of whose values are missing.

    Their static covariates are those of the source, missing where it has no such column.

    Args:
        table: the series.
        source: the rows of the future, as for `read_future`; it is read again there.
        columns: the names of the columns.
        form: how a file is written.
        trained: the ids of the training series, as text: those that the table does not have are not new.

    Raises:
        DataError: rows of a new series are at fault, as in `read_series`.
    """
    if source is None or isinstance(source, Future):
        return table
    frame, path, _ = read_frame(source, text_columns(columns.series, columns.time, form), form)
    frame = with_times(frame, (columns.series, columns.time), columns.time)
    if lacks_series(frame, columns.series) or not len(frame):
        return table
    check_columns(frame, [columns.series, columns.time], path)
    old = {EVERY, *trained, *id_texts(table.ids)}
    named = frame[columns.series]
    new = named.notna().to_numpy() & ~np.isin(np.array(id_texts(named.to_numpy()), object), list(old))
    return joined_series(table, _read(table, frame[new], path, columns, form)) if new.any() else table


def _read(
    table: SeriesTable, frame: pd.DataFrame, path: str | None, columns: SeriesColumns, form: TextFormat
) -> SeriesTable:
    blank = {columns.target: np.full(len(frame), np.nan)}
    kinds: dict[str, Mapping[str, Column]] = {kind: getattr(table, kind) for kind in ("past", "known", "static")}
    for kind, found in kinds.items():
        for name, column in found.items():
            # What is known of the past alone is not read of the future.
            if kind == "past" or name not in frame.columns:
                missing = None if isinstance(column, Categories) else np.nan
                blank[name] = np.full(len(frame), missing, object if missing is None else float)
    every = {name: column for found in kinds.values() for name, column in found.items()}
    categorical = tuple(name for name, column in every.items() if isinstance(column, Categories))
    names = {kind: tuple(found) for kind, found in kinds.items()}
    covariates = CovariateNames(**names, categorical=categorical)
    columns = replace(columns, covariates=covariates)
    try:
        new = read_series(
            frame.assign(**blank), columns, frequency=table.frequency.name, time_zone=table.time_zone, form=form
        )
    except DataError as error:
        raise (error if path is None else error.at(path)) from None
    return replace(new, ids=_of_type(new.ids, table.id_dtype))


def _of_type(ids: np.ndarray, dtype: Any) -> np.ndarray:
    """Ids of the table's dtype where their texts are such: a file's are text, and those of a frame may be numbers."""
    try:
        return np.array([*ids_from_texts(id_texts(ids), dtype), None], object)[:-1]
    except (KeyError, TypeError, ValueError):
        return ids
