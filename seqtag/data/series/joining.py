"""Joins tables of different series."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from seqtag.data.series.covariates import Categories, Column, read_only
from seqtag.data.series.ids import OBJECT, ids_of_dtype
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown


def joined_series(table: SeriesTable, more: SeriesTable) -> SeriesTable:
    """The series of one table and after them those of another, which has the same columns.

    Ids keep the dtype of the first table where those of the other are of it too.

    Raises:
        DataError: another frequency or time zone, or a covariate has numbers in one table and categories in the other.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> parts = [pd.DataFrame({"unique_id": name, "ds": range(3), "y": 1.0}) for name in "ab"]
        >>> joined_series(*map(read_series, parts)).ids.tolist()
        ['a', 'b']
    """
    if (table.frequency, table.time_zone) != (more.frequency, more.time_zone):
        raise DataError(
            f"series {shown(more.ids[0])}: expected frequency {table.frequency.name!r} in time zone {table.time_zone},"
            f" found {more.frequency.name!r} in {more.time_zone}"
        )

    ids = np.concatenate([table.ids, more.ids])
    return dataclasses.replace(
        table,
        ids=ids,
        offsets=np.r_[table.offsets, table.offsets[-1] + more.offsets[1:]],
        values=np.concatenate([table.values, more.values]),
        ordinals=np.concatenate([table.ordinals, more.ordinals]),
        phases=np.concatenate([table.phases, more.phases]),
        inserted=np.concatenate([table.inserted, more.inserted]),
        past=_both("past", table.past, more.past),
        known=_both("known", table.known, more.known),
        static=_both("static", table.static, more.static),
        id_dtype=_dtype(ids, table),
    )


def _dtype(ids: np.ndarray, table: SeriesTable) -> object:
    try:
        of_dtype = ids_of_dtype(ids, table.id_dtype)
    except (TypeError, ValueError):
        return OBJECT
    # A category that there is not becomes missing.
    return OBJECT if of_dtype.isna().any() else table.id_dtype


def _both(kind: str, first: Mapping[str, Column], second: Mapping[str, Column]) -> Mapping[str, Column]:
    return MappingProxyType({name: _joined(kind, name, first[name], second[name]) for name in first})


def _joined(kind: str, name: str, first: Column, second: Column) -> Column:
    if isinstance(first, Categories) and isinstance(second, Categories):
        symbols = tuple(dict.fromkeys((*first.symbols, *second.symbols)))
        index = {symbol: code for code, symbol in enumerate(symbols)}
        codes = np.array([*(index[symbol] for symbol in second.symbols), -1], np.int32)[second.codes]
        return Categories(read_only(np.concatenate([first.codes, codes])), symbols)
    if isinstance(first, Categories) or isinstance(second, Categories):
        form = "categories" if isinstance(first, Categories) else "numbers"
        raise DataError(f"expected {form} in {kind} covariate {shown(name)} of all series, found others")
    return read_only(np.concatenate([first, second]))
