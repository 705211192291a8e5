"""Puts later steps of series behind earlier ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from seqtag.data.series.files import SeriesColumns, long_frame, read_series
from seqtag.data.series.ids import id_texts
from seqtag.data.series.slicing import up_to_last_value
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown


def joined(table: SeriesTable, later: SeriesTable, columns: SeriesColumns) -> SeriesTable:
    """The series of both tables, with the steps of both.

    Raises:
        DataError: a step is there twice; times do not go on with the steps of their series; a static covariate differs.
    """
    frames = [long_frame(part, columns)[~part.inserted] for part in (table, later)]
    whole = pd.concat(frames, ignore_index=True)
    return read_series(whole, columns, frequency=table.frequency.name, time_zone=table.time_zone)


def with_observations(table: SeriesTable, later: SeriesTable, columns: SeriesColumns) -> SeriesTable:
    """The series with new observations, and new series behind them.

    Ids are compared as text and have the dtype that those of the table have, where new series do not need another.
    Rows after a series' last value, which were to be forecast, stay; those that are in `later` too are replaced.

    Args:
        table: the series so far, with rows after their last values.
        later: the observations.
        columns: the names of the columns of both.

    Raises:
        DataError: a step at or before the last observation of its series; or as `joined`.
    """
    known = dict(zip(id_texts(table.ids), table.ids, strict=True))
    ids = np.array([*(known.get(text, name) for text, name in zip(id_texts(later.ids), later.ids, strict=True)), None])
    later = dataclasses.replace(later, ids=ids[:-1], id_dtype=np.dtype(object))
    _check_later(up_to_last_value(table), later)
    found = joined(_without(table, later), later, columns)
    return dataclasses.replace(found, id_dtype=_dtype(found.ids, table.id_dtype))


def _check_later(history: SeriesTable, later: SeriesTable) -> None:
    at = pd.Index(history.ids).get_indexer(pd.Index(later.ids))
    ends = history.times_at(np.arange(len(history)), history.lengths - 1)
    starts = later.times_at(np.arange(len(later)), np.zeros(len(later), np.int64))
    early = (at >= 0) & (starts <= ends[at])
    if early.any():
        series = int(early.argmax())
        last = history.format_time(ends[at[series]])
        raise DataError(
            f"series {shown(later.ids[series])} at {later.format_time(starts[series])}: expected a time after {last},"
            " the last observation of the series, found this"
        )


def _without(table: SeriesTable, later: SeriesTable) -> SeriesTable:
    """The table, the rows of which that are in a later one too are marked as inserted."""
    rows = pd.MultiIndex.from_arrays([table.ids[table.series_of_step], table.times])
    others = pd.MultiIndex.from_arrays([later.ids[later.series_of_step], later.times])[~later.inserted]
    return dataclasses.replace(table, inserted=table.inserted | rows.isin(others))


def _dtype(ids: np.ndarray, dtype: object) -> object:
    """The dtype of a table's ids if it holds all of these; else that of its categories, or none in particular."""
    if isinstance(dtype, pd.CategoricalDtype) and not pd.Index(ids).isin(dtype.categories).all():
        dtype = dtype.categories.dtype
    try:
        return dtype if (pd.Series(ids, dtype=object).astype(dtype).to_numpy(object) == ids).all() else np.dtype(object)
    except (TypeError, ValueError):
        return np.dtype(object)
