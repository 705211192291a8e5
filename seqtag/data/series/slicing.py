"""Slices tables: some steps or series, or what was known at an earlier time, as new tables with copied arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from seqtag.data.series.covariates import Categories, Column, read_only
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown


def first_steps(table: SeriesTable, lengths: np.ndarray) -> SeriesTable:
    """The first steps of each series.

    Args:
        table: the series.
        lengths: the number of steps of each series to keep, `(series,)`; a series with length 0 is left out.

    Raises:
        ValueError: not one length for each series, a length below 0 or above its series' own, or no series is left.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": list("aaabb"), "ds": [1, 2, 3, 1, 2], "y": range(5)}))
        >>> first_steps(table, table.lengths - 1).values.tolist()
        [0.0, 1.0, 3.0]
    """
    lengths = _checked_lengths(table, lengths)
    return slice_steps(table, np.zeros(len(table), np.int64), lengths)


def slice_steps(table: SeriesTable, starts: np.ndarray, ends: np.ndarray) -> SeriesTable:
    """The steps from `starts` up to `ends` of each series, both counted from its first step; times stay the same.

    Args:
        table: the series.
        starts: the first step of each series to keep, `(series,)`.
        ends: the first step of each series after those; a series without steps to keep is left out.

    Raises:
        ValueError: not one start and end for each series, steps that a series does not have, or no series is left.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": list("aaabb"), "ds": [1, 2, 3, 1, 2], "y": range(5)}))
        >>> part = slice_steps(table, np.array([1, 0]), np.array([3, 1]))
        >>> part.values.tolist(), part.times.tolist()
        ([1.0, 2.0, 3.0], [2, 3, 1])
    """
    starts, ends = np.asarray(starts), np.asarray(ends)
    if not starts.shape == ends.shape == (len(table),) or (starts < 0).any() or (starts > ends).any():
        raise ValueError(f"expected a start and an end for each of {len(table)} series, found {starts} and {ends}")
    if (ends > table.lengths).any():
        raise ValueError(f"expected ends of at most the series' lengths {table.lengths}, found {ends}")
    return _sliced(table, np.arange(len(table)), starts, ends)


def last_steps(table: SeriesTable, steps: int) -> SeriesTable:
    """The last steps of each series up to its last value, and all steps after that.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> frame = pd.DataFrame({"unique_id": list("aaabbb"), "ds": [1, 2, 3] * 2, "y": [1, 2, 3, 4, None, None]})
        >>> last_steps(read_series(frame), 2).values.tolist()
        [2.0, 3.0, 4.0, nan, nan]
    """
    return slice_steps(table, np.maximum(_observed_lengths(table) - steps, 0), table.lengths)


def up_to_last_value(table: SeriesTable) -> SeriesTable:
    """The table without the steps after each series' last value: rows without a value there are to be forecast.

    A series without a value is left out.

    Raises:
        DataError: no series has a value.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> frame = pd.DataFrame({"unique_id": list("aaabbb"), "ds": [1, 2, 3] * 2, "y": [None, 2, 3, 4, None, None]})
        >>> up_to_last_value(read_series(frame)).values.tolist()
        [nan, 2.0, 3.0, 4.0]

    A series without a value is left out.

    Raises:
        DataError: no series has a value.
    """
    lengths = _observed_lengths(table)
    if not lengths.any():
        raise DataError(f"series {shown(table.ids[0])}: expected a series with a value, found none in {len(table)}")
    return table if (lengths == table.lengths).all() else first_steps(table, lengths)


def histories(table: SeriesTable) -> SeriesTable:
    """As `up_to_last_value`, but a series without a value stays, with no steps: its next step is its first row.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> frame = pd.DataFrame({"unique_id": list("aabb"), "ds": [1, 2] * 2, "y": [5, None, None, None]})
        >>> known = histories(read_series(frame))
        >>> known.ids.tolist(), known.lengths.tolist(), int(known.times_at(1, 0))
        (['a', 'b'], [1, 0], 1)
    """
    lengths = _observed_lengths(table)
    if (lengths == table.lengths).all():
        return table
    return _sliced(table, np.arange(len(table)), np.zeros(len(table), np.int64), lengths, keeps_empty=True)


def _observed_lengths(table: SeriesTable) -> np.ndarray:
    """The number of steps of each series up to its last value."""
    after = np.where(table.observed, np.arange(1, len(table.values) + 1), table.offsets[:-1][table.series_of_step])
    return np.maximum.reduceat(after, table.offsets[:-1]) - table.offsets[:-1]


def hide_after(table: SeriesTable, lengths: np.ndarray) -> SeriesTable:
    """The same table with everything hidden that was not known after the first `lengths` steps of each series.

    Later values and past covariates are missing, and their rows are marked as inserted; known covariates stay. The
    steps are the same, so that windows over the table are windows over the result.

    Args:
        table: the series.
        lengths: the number of steps of each series that are known, `(series,)`.

    Raises:
        ValueError: not one length for each series, or a length below 0 or above its series' own.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": list("aaabb"), "ds": [1, 2, 3, 1, 2], "y": range(5)}))
        >>> hide_after(table, np.array([2, 1])).values.tolist()
        [0.0, 1.0, nan, 3.0, nan]
    """
    lengths = _checked_lengths(table, lengths)
    later = [slice(*ends) for ends in zip(table.offsets[:-1] + lengths, table.offsets[1:], strict=True)]

    def hidden(values: np.ndarray, missing: float) -> np.ndarray:
        known = values.copy()
        for steps in later:
            known[steps] = missing
        return read_only(known)

    def hidden_column(column: Column) -> Column:
        if isinstance(column, Categories):
            return Categories(hidden(column.codes, -1), column.symbols)
        return hidden(column, np.nan)

    past = MappingProxyType({name: hidden_column(column) for name, column in table.past.items()})
    values, inserted = hidden(table.values, np.nan), hidden(table.inserted, True)
    return dataclasses.replace(table, values=values, inserted=inserted, past=past)


def select_series(table: SeriesTable, series: np.ndarray) -> SeriesTable:
    """The series of these indices, in this order, or those of a mask.

    Raises:
        ValueError: no series is selected.
        IndexError: there is no such series.
    """
    chosen = np.arange(len(table))[series]
    return _sliced(table, chosen, np.zeros(len(chosen), np.int64), table.lengths[chosen])


def _checked_lengths(table: SeriesTable, lengths: np.ndarray) -> np.ndarray:
    lengths = np.asarray(lengths)
    if lengths.shape != (len(table),) or (lengths < 0).any() or (lengths > table.lengths).any():
        raise ValueError(f"expected a length for each of {len(table)} series, at most its own, found {lengths}")
    return lengths


def _sliced(
    table: SeriesTable, series: np.ndarray, starts: np.ndarray, ends: np.ndarray, keeps_empty: bool = False
) -> SeriesTable:
    kept = (ends > starts) | keeps_empty
    series, starts, lengths = series[kept], starts[kept], (ends - starts)[kept]
    if not len(series):
        raise ValueError("expected at least one series to be left, found none")
    offsets = np.r_[0, np.cumsum(lengths)]
    steps = np.arange(offsets[-1]) + np.repeat(table.offsets[series] + starts - offsets[:-1], lengths)
    return dataclasses.replace(
        table,
        ids=table.ids[series],
        offsets=offsets,
        values=table.values[steps],
        ordinals=table.ordinals[series] + starts,
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
        return Categories(read_only(column.codes[at]), column.symbols)
    return read_only(column[at])
