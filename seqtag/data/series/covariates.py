"""Covariates: columns of numbers or categories that go with the values of series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from seqtag.data.series.frames import RowNames, read_numbers
from seqtag.data.text.vocabulary import PADDING, Vocabulary
from seqtag.errors import shown

# Puts values of a frame's rows at the steps of a table; the second argument is the value of steps without a row.
Placement = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class CovariateNames:
    """Which columns of a frame are covariates, and of which kind.

    Columns of numbers hold numbers, unless they are named in `categorical`; all others hold categories.

    Attributes:
        past: covariates that are known up to the present only.
        known: covariates that are known for the future too.
        static: covariates with one value for each series.
        categorical: those of them whose numbers stand for categories, such as a store's number.
    """

    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.all
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"expected each covariate once, found {shown(twice[0])} twice")
        unknown = [name for name in self.categorical if name not in names]
        if unknown:
            raise ValueError(f"expected categorical covariates among past, known and static, found {shown(unknown[0])}")

    @property
    def all(self) -> tuple[str, ...]:
        """All names: past, known, static."""
        return (*self.past, *self.known, *self.static)


@dataclass(frozen=True, eq=False)
class Categories:
    """A column of categories.

    Attributes:
        codes: int32, indices into `symbols`, -1 where missing.
        symbols: the categories, as text.
    """

    codes: np.ndarray
    symbols: tuple[str, ...]

    def occurrences(self) -> list[str]:
        """The categories of all steps that have one."""
        return [self.symbols[code] for code in self.codes[self.codes >= 0].tolist()]


Column = np.ndarray | Categories


def are_categorical(frame: pd.DataFrame, names: Sequence[str], covariates: CovariateNames) -> dict[str, bool]:
    """Whether each column holds categories: text, or numbers that `covariates` calls categorical."""
    numeric = pd.api.types.is_numeric_dtype
    return {name: name in covariates.categorical or not numeric(frame[name].dtype) for name in names}


def read_columns(
    frame: pd.DataFrame, categorical: Mapping[str, bool], rows: RowNames, place: Placement
) -> Mapping[str, Column]:
    """Reads covariates at the steps of a table: float64 numbers, NaN where missing, or `Categories`.

    Args:
        frame: the frame.
        categorical: the columns to read, and whether they hold categories.
        rows: the names of the frame's rows, for messages.
        place: puts values of the frame's rows at their steps.

    Raises:
        DataError: a value is infinite or is not a number.
    """
    return MappingProxyType({name: _read(frame[name], kind, rows, place) for name, kind in categorical.items()})


def read_static(
    frame: pd.DataFrame, covariates: CovariateNames, rows: RowNames, series: np.ndarray
) -> Mapping[str, Column]:
    """Reads static covariates, one value for each series; `series` holds the series of each row of the frame.

    Raises:
        DataError: a covariate has two values in a series, or as `read_columns`.
    """
    first = np.unique(series, return_index=True)[1]
    for name in covariates.static:
        codes = pd.factorize(frame[name])[0]
        varies = codes != codes[first][series]
        if varies.any():
            row = int(varies.argmax())
            expected = frame[name].iloc[int(first[series[row]])]
            found = frame[name].iloc[row]
            raise rows.error(row, f"expected one value of static {shown(name)}, {expected}, found {found}")

    def at_first_rows(values: np.ndarray, _: float) -> np.ndarray:
        return values[first]

    return read_columns(frame, are_categorical(frame, covariates.static, covariates), rows, at_first_rows)


def _read(column: pd.Series, categorical: bool, rows: RowNames, place: Placement) -> Column:
    if not categorical:
        return read_only(place(read_numbers(column, rows), np.nan))
    codes, symbols = pd.factorize(column)
    return Categories(read_only(place(codes.astype(np.int32), -1)), tuple(_symbol(value) for value in symbols))


def _symbol(value: object) -> str:
    """A category as text; 7.0 becomes 7, since pandas turns integers into floats where one is missing."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read_only(array: np.ndarray) -> np.ndarray:
    """Makes an array read-only and returns it: tables share their arrays."""
    array.setflags(write=False)
    return array


class CategoryEncoder:
    """Turns categories into rows of an embedding, by vocabularies of the training data alone.

    Args:
        vocabularies: the vocabulary of each categorical covariate.

    Example:
        >>> colours = Categories(np.array([0, 1, 0, -1]), ("red", "blue"))
        >>> encoder = CategoryEncoder.fit({"colour": colours, "price": np.zeros(4)})
        >>> encoder.encode("colour", Categories(np.array([0, 1, -1]), ("blue", "green"))).tolist()
        [3, 1, 0]
    """

    def __init__(self, vocabularies: Mapping[str, Vocabulary]) -> None:
        self.vocabularies = dict(vocabularies)

    @classmethod
    def fit(cls, columns: Mapping[str, Column]) -> CategoryEncoder:
        """Counts the categories of columns; numeric columns are ignored."""
        named = {name: column for name, column in columns.items() if isinstance(column, Categories)}
        return cls({name: Vocabulary.count(column.occurrences()) for name, column in named.items()})

    def encode(self, name: str, column: Categories) -> np.ndarray:
        """The rows, int32: 0 for a missing category, 1 for one that training data did not have, others from 2 on."""
        rows = self.vocabularies[name].indices(column.symbols)
        return np.array([*rows, PADDING], np.int32)[column.codes]

    def to_dict(self) -> dict[str, object]:
        """The encoder as a dict that `from_dict` reads."""
        return {name: vocabulary.to_dict() for name, vocabulary in self.vocabularies.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, dict]) -> CategoryEncoder:
        """The encoder of a dict that `to_dict` gave."""
        return cls({name: Vocabulary.from_dict(vocabulary) for name, vocabulary in data.items()})


def stack_numbers(columns: Mapping[str, Column], steps: int) -> np.ndarray:
    """The numeric columns side by side, float64 `(steps, columns)`."""
    found = [column for column in columns.values() if isinstance(column, np.ndarray)]
    return np.stack(found, axis=-1) if found else np.zeros((steps, 0))
