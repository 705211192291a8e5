"""Histories: the values that are known of each row before its first forecast step.

A history is a row of values, oldest first and NaN where a value is missing. The histories of a backtest are beginnings
of a few series, thousands of rows for each. They are given as `Prefixes`, and functions that read histories by `groups`
read each series once instead of once for each row.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqtag.errors import DataError


@dataclass(frozen=True, eq=False)
class Prefixes(Sequence):
    """Histories that are the first values of series, as a sequence of views.

    Attributes:
        values: the values of each series, one-dimensional.
        series: int `(rows,)`, the series of each row.
        lengths: int `(rows,)`, the number of values of each row.

    Raises:
        ValueError: arrays that do not fit, an unknown series, or a length below 0 or above that of the series.

    Example:
        >>> [row.tolist() for row in Prefixes([np.arange(4.0)], np.array([0, 0]), np.array([1, 3]))]
        [[0.0], [0.0, 1.0, 2.0]]
    """

    values: Sequence[np.ndarray]
    series: np.ndarray
    lengths: np.ndarray

    def __post_init__(self) -> None:
        if np.ndim(self.series) != 1 or np.shape(self.series) != np.shape(self.lengths):
            found = f"{np.shape(self.series)} and {np.shape(self.lengths)}"
            raise ValueError(f"expected one series and one length for each row, found shapes {found}")
        sizes = np.array([len(values) for values in self.values])
        if ((self.series < 0) | (self.series >= len(sizes))).any():
            raise ValueError(f"expected series from 0 to {len(sizes) - 1}, found {self.series}")
        if ((self.lengths < 0) | (self.lengths > sizes[self.series])).any():
            raise ValueError(f"expected lengths of at most those of the series, found {self.lengths}")

    def __len__(self) -> int:
        return len(self.series)

    def __getitem__(self, row: int) -> np.ndarray:  # type: ignore[override]
        """The history of a row; `take` gives several."""
        return self.values[self.series[row]][: self.lengths[row]]

    def take(self, rows: np.ndarray) -> Prefixes:
        """The rows of these indices, or of a mask."""
        return Prefixes(self.values, self.series[rows], self.lengths[rows])


Histories = Sequence[Sequence[float] | np.ndarray]


class Group(NamedTuple):
    """Rows whose histories are beginnings of the same series, with the same season length.

    Attributes:
        rows: int `(rows,)`, the numbers of the rows.
        values: float64, the values of the series.
        lengths: int `(rows,)`, the number of values in the history of each row.
        season_length: the season length in steps.
    """

    rows: np.ndarray
    values: np.ndarray
    lengths: np.ndarray
    season_length: int


def groups(histories: Histories, season_lengths: int | Sequence[int] = 1) -> Iterator[Group]:
    """All rows, in groups: those of one series and season length for `Prefixes`, else each row alone.

    Raises:
        ValueError: as for `season_lengths_of`, or a history that is not one-dimensional.
    """
    per_row = season_lengths_of(season_lengths, len(histories))
    if not isinstance(histories, Prefixes):
        for row, history in enumerate(histories):
            values = _one_dimensional(history, row)
            yield Group(np.array([row]), values, np.array([len(values)]), per_row[row])
        return
    rows_of: dict[tuple[int, int], list[int]] = {}
    for row, key in enumerate(zip(histories.series.tolist(), per_row, strict=True)):
        rows_of.setdefault(key, []).append(row)
    for (series, season_length), rows in rows_of.items():
        yield Group(
            np.array(rows), _one_dimensional(histories.values[series], rows[0]), histories.lengths[rows], season_length
        )


def checked_groups(histories: Histories, season_lengths: int | Sequence[int] = 1) -> Iterator[Group]:
    """The `groups`, after a check that every history has an observed value and no infinite one.

    Raises:
        DataError: a history has no observed value, or an infinite one.
        ValueError: as for `groups`.
    """
    for group in groups(histories, season_lengths):
        _check_finite(group)
        empty = np.r_[0, np.cumsum(~np.isnan(group.values))][group.lengths] == 0
        if empty.any():
            row, length = group.rows[empty.argmax()], group.lengths[empty.argmax()]
            raise DataError(f"expected an observed value in history {row}, found none of {length}")
        yield group


def season_lengths_of(season_lengths: int | Sequence[int], rows: int) -> list[int]:
    """The season length of each row, from one for all or one for each.

    >>> season_lengths_of(12, rows=2)
    [12, 12]

    Raises:
        ValueError: a season length below 1, or not one for each row.
        TypeError: a season length that is not an integer.
    """
    per_row = [season_lengths] * rows if isinstance(season_lengths, int | np.integer) else list(season_lengths)
    if len(per_row) != rows:
        raise ValueError(f"expected one season length or one for each of {rows} series, found {len(per_row)}")
    for season_length in per_row:
        if operator.index(season_length) < 1:
            raise ValueError(f"expected season lengths of at least 1, found {season_length}")
    return [operator.index(season_length) for season_length in per_row]


def seasonal_differences(history: Sequence[float] | np.ndarray, season_length: int) -> np.ndarray:
    """``y[t] - y[t - season_length]`` of the pairs in which both values are observed; empty where there is none.

    >>> seasonal_differences([1.0, 2.0, float("nan"), 5.0, 4.0], season_length=2)
    array([3.])
    """
    values = np.asarray(history, dtype=float)
    differences = values[season_length:] - _before(values, season_length)
    return differences[~np.isnan(differences)]


def seasonal_error(group: Group, power: int) -> np.ndarray:
    """The mean of ``|y[t] - y[t - season_length]|^power`` in each history, `(rows,)`; NaN without an observed pair.

    >>> two = Group(np.arange(2), np.array([1.0, 3.0, 6.0]), np.array([2, 3]), season_length=1)
    >>> seasonal_error(two, power=2)
    array([4. , 6.5])
    """
    pairs = ~np.isnan(group.values[group.season_length :] - _before(group.values, group.season_length))
    count = np.r_[0, np.cumsum(pairs)][np.maximum(group.lengths - group.season_length, 0)]
    sizes = np.abs(seasonal_differences(group.values, group.season_length)) ** power
    return np.where(count, np.r_[0.0, np.cumsum(sizes)][count], np.nan) / np.maximum(count, 1)


def _before(values: np.ndarray, season_length: int) -> np.ndarray:
    """The values one season before those from the second season on."""
    return values[: max(len(values) - season_length, 0)]


def _one_dimensional(history: Sequence[float] | np.ndarray, row: int) -> np.ndarray:
    values = np.asarray(history, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"expected histories of one dimension, found {values.ndim} in history {row}")
    return values


def _check_finite(group: Group) -> None:
    infinite = np.flatnonzero(np.isinf(group.values))
    reached = group.lengths > infinite[0] if len(infinite) else np.zeros(0, bool)
    if reached.any():
        row, value = group.rows[reached.argmax()], group.values[infinite[0]]
        raise DataError(f"expected finite or missing values in history {row}, found {value}")
