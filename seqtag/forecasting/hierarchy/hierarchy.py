"""`Hierarchy`: which series add up to which totals, and how their forecasts are made to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.frames import as_floats, read_frame
from seqtag.data.series.ids import id_texts
from seqtag.data.series.long_form import with_times
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown

METHODS = ("bottom_up", "ols", "mint")
DEPENDENCES = ("estimated", "independent")


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Which series add up to which totals, and how their forecasts are made to.

    Args:
        groups: a frame, dict or CSV file with a row for each series: its id, and in each other column the name of a
            total that it is a part of, missing where it is of none. A column with the same name in all rows makes a
            total of all. Or a summing matrix: a frame with a row for each total and a column for each series, whose
            numbers are what a total has of a series, 1 for all of it.
        method: `"bottom_up"` adds the forecasts of the series up. Where series of totals were forecast as well,
            `"ols"` and `"mint"` combine them with those of their parts, see
            `seqtag.forecasting.hierarchy.reconciliation`.
        dependence: `"estimated"` draws the paths of series together, as far as their past forecasts went wrong
            together; `"independent"` draws each by itself, so that totals of series that move together are too
            narrow. See `seqtag.forecasting.hierarchy.past`.
        num_paths: the number of sample paths that give the quantiles of totals.

    Raises:
        ValueError: another method or dependence, or fewer than two paths.

    Example:
        >>> shops = {"unique_id": ["a", "b", "c"], "region": ["north", "north", "south"], "all": "all"}
        >>> Hierarchy(shops).method
        'bottom_up'
    """

    groups: Any
    method: str = "bottom_up"
    dependence: str = "estimated"
    num_paths: int = 500

    def __post_init__(self) -> None:
        for name, found, known in (("method", self.method, METHODS), ("dependence", self.dependence, DEPENDENCES)):
            if found not in known:
                raise ValueError(f"expected {name} to be one of {', '.join(known)}, found {found!r}")
        if self.num_paths < 2:
            raise ValueError(f"expected at least two paths, found {self.num_paths}")


@dataclass(frozen=True, eq=False)
class Sums:
    """A hierarchy over the series of a table.

    Attributes:
        parts: int64 `(parts,)`, the series that add up.
        names: the names of the totals.
        matrix: `(totals, parts)`, what each total has of each part.
        series: int64 `(totals,)`, the series of each total; -1 where the table has none.
    """

    parts: np.ndarray
    names: tuple[str, ...]
    matrix: np.ndarray
    series: np.ndarray


def read_sums(groups: Any, table: SeriesTable, id_column: str) -> Sums:
    """Reads the groups of a `Hierarchy`; ids are compared as text.

    Raises:
        DataError: a series is named twice, or is not in the table; one of the table has no place; two totals have the
            same name, or that of a part; there are no totals; a number of a summing matrix is none.
    """
    frame, path, _ = read_frame(pd.DataFrame(groups) if isinstance(groups, Mapping) else groups, [id_column])
    frame = with_times(frame, (id_column,), id_column)
    named = id_column in frame.columns
    ids, names, matrix = _of_groups(frame, id_column, path) if named else _of_matrix(frame, path)
    for kind, texts in (("series", ids), ("totals", names), ("names", [*ids, *names])):
        twice = pd.Index(texts).duplicated()
        if twice.any():
            raise DataError(f"expected {kind} of a hierarchy once, found {shown(texts[twice.argmax()])} twice", path)
    if not names:
        raise DataError("expected a hierarchy with totals, found none", path)
    of_table = pd.Index(id_texts(table.ids))
    parts, series = of_table.get_indexer(pd.Index(ids)), of_table.get_indexer(pd.Index(names))
    if (parts < 0).any():
        name = shown(ids[int((parts < 0).argmax())])
        raise DataError(f"expected series that are forecast in the hierarchy, found {name}", path)
    without = np.setdiff1d(np.arange(len(table)), [*parts, *series])
    if len(without):
        raise DataError(f"series {shown(table.ids[without[0]])}: expected a place in the hierarchy, found none", path)
    order = np.argsort(parts)
    return Sums(parts[order], tuple(names), matrix[:, order], series)


def _of_groups(frame: pd.DataFrame, id_column: str, path: str | None) -> tuple[list[str], list[str], np.ndarray]:
    """Ids, names of totals and summing matrix of a frame with a row for each series."""
    names, rows = [], []
    for column in frame.columns.drop(id_column):
        codes, values = pd.factorize(frame[column])
        names += id_texts(values)
        rows += [codes == code for code in range(len(values))]
    if frame[id_column].isna().any():
        raise DataError(f"expected a series in column {shown(id_column)}, found none", path)
    return id_texts(frame[id_column]), names, np.array(rows, float).reshape(len(rows), len(frame))


def _of_matrix(frame: pd.DataFrame, path: str | None) -> tuple[list[str], list[str], np.ndarray]:
    """The same of a frame with a row for each total; in a file, the first column has their names."""
    frame = frame if path is None else frame.set_index(frame.columns[0])
    matrix = np.array([as_floats(frame[name]) for name in frame.columns]).reshape(len(frame.columns), len(frame)).T
    wrong = np.argwhere(~np.isfinite(matrix))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"total {shown(str(frame.index[row]))}: expected a number for series {shown(str(frame.columns[column]))},"
            f" found {shown(frame.iat[row, column])}",
            path,
        )
    return id_texts(frame.columns), id_texts(frame.index), matrix
