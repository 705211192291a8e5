"""Parts of a table: what was known at an earlier time, and some of the series. Tables of their own, arrays copied."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from seqtag.data.time_series.covariates import Categories, Column
from seqtag.data.time_series.table import SeriesTable


def first_steps(table: SeriesTable, lengths: np.ndarray) -> SeriesTable:
    """The first steps of each series: what a forecast made there may know, for the folds of a backtest.

    Args:
        table: the series.
        lengths: how many steps of each series to keep, `(series,)`; a series of which none is kept is left out.

    Raises:
        ValueError: not one length for each series, a length below 0 or beyond its series, or nothing left.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.time_series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": list("aaabb"), "ds": [1, 2, 3, 1, 2], "y": range(5)}))
        >>> first_steps(table, table.lengths - 1).values.tolist()
        [0.0, 1.0, 3.0]
    """
    lengths = np.asarray(lengths)
    if lengths.shape != (len(table),) or (lengths < 0).any() or (lengths > table.lengths).any():
        raise ValueError(f"expected for each of {len(table)} series a length of at most its own, found {lengths}")
    return _part(table, np.arange(len(table)), lengths)


def some_series(table: SeriesTable, series: np.ndarray) -> SeriesTable:
    """Some of the series, by index and in that order, or by mask.

    Raises:
        ValueError: none is chosen.
        IndexError: there is no such series.
    """
    chosen = np.arange(len(table))[series]
    return _part(table, chosen, table.lengths[chosen])


def _part(table: SeriesTable, series: np.ndarray, lengths: np.ndarray) -> SeriesTable:
    series, lengths = series[lengths > 0], lengths[lengths > 0]
    if not len(series):
        raise ValueError("expected at least one series to be left, found none")
    offsets = np.r_[0, np.cumsum(lengths)]
    steps = np.arange(offsets[-1]) + np.repeat(table.offsets[series] - offsets[:-1], lengths)
    return dataclasses.replace(
        table,
        ids=table.ids[series],
        offsets=offsets,
        values=table.values[steps],
        ordinals=table.ordinals[series],
        phases=table.phases[series],
        inserted=table.inserted[steps],
        past=_taken(table.past, steps),
        known=_taken(table.known, steps),
        static=_taken(table.static, series),
    )


def _taken(columns: Mapping[str, Column], at: np.ndarray) -> Mapping[str, Column]:
    return MappingProxyType({name: _take(column, at) for name, column in columns.items()})


def _take(column: Column, at: np.ndarray) -> Column:
    if isinstance(column, Categories):
        return Categories(_read_only(column.codes[at]), column.symbols)
    return _read_only(column[at])


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
