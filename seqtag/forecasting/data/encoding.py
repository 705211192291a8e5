"""Encodes a table of series as the arrays that a network reads: numbers, rows of embeddings, calendar features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Categories, CategoryEncoder, Column, stack_numbers
from seqtag.data.series.frequency import Frequency
from seqtag.data.series.ids import OBJECT, dtype_from_dict, dtype_to_dict
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.data.calendar_features import calendar_features
from seqtag.forecasting.data.moments import moments_of

KINDS = ("past", "known", "static")


@dataclass(frozen=True, eq=False)
class EncodedSeries:
    """The arrays of a table, with NaN for a missing number and 0 for a missing category.

    Attributes:
        values: float64 `(steps,)`.
        calendar: float32 `(steps, calendar features)`.
        past, known: float64 `(steps, columns)`, the numeric covariates.
        past_codes, known_codes: int32 `(steps, columns)`, the categorical covariates.
        static: float64 `(series, columns)`, the numeric static covariates.
        static_codes: int32 `(series, columns)`, the categorical static covariates.
        series: int32 `(series,)`, the number of each series among those of the training data, from 1; 0 for others.
        ends: int64 `(series,)`, the flat step after the last step of each series.
    """

    values: np.ndarray
    calendar: np.ndarray
    past: np.ndarray
    known: np.ndarray
    past_codes: np.ndarray
    known_codes: np.ndarray
    static: np.ndarray
    static_codes: np.ndarray
    series: np.ndarray
    ends: np.ndarray

    def steps(self) -> dict[str, np.ndarray]:
        """The arrays with a row for each step, by name, without the values."""
        return {name: getattr(self, name) for name in ("calendar", "past", "known", "past_codes", "known_codes")}


class SeriesEncoder:
    """Turns tables into arrays, by what was learned from the training table.

    Args:
        ids: the ids of the training table's series.
        frequency: the frequency of the training table.
        time_zone: its time zone.
        numeric: for each kind of covariate, the mean and standard deviation of its numeric columns.
        categories: for each kind of covariate, the vocabularies of its categorical columns.
        calendar: whether the arrays have calendar features.
        id_dtype: the dtype of the training table's ids in frames.
    """

    def __init__(
        self,
        ids: list[str],
        frequency: Frequency,
        time_zone: str | None,
        numeric: Mapping[str, Mapping[str, tuple[float, float]]],
        categories: Mapping[str, CategoryEncoder],
        calendar: bool,
        id_dtype: Any = OBJECT,
    ) -> None:
        self.ids = list(ids)
        self.frequency = frequency
        self.time_zone = time_zone
        self.numeric = {kind: dict(numeric[kind]) for kind in KINDS}
        self.categories = dict(categories)
        self.calendar = calendar
        self.id_dtype = id_dtype
        self._rows = pd.Index(self.ids)

    @classmethod
    def fit(cls, table: SeriesTable, calendar: bool = False) -> SeriesEncoder:
        """Fits an encoder on a training table."""
        columns = {kind: getattr(table, kind) for kind in KINDS}
        numeric = {kind: {name: _moments(c) for name, c in _numeric(found).items()} for kind, found in columns.items()}
        categories = {kind: CategoryEncoder.fit(found) for kind, found in columns.items()}
        ids = [str(name) for name in table.ids]
        return cls(ids, table.frequency, table.time_zone, numeric, categories, calendar, table.id_dtype)

    def encode(self, table: SeriesTable) -> EncodedSeries:
        """The arrays of a table.

        Raises:
            DataError: the frequency or time zone is not that of the training table; a covariate is missing, or it has
                numbers in one table and categories in the other.
        """
        self._check(table)
        calendar = calendar_features(self.frequency, table.times, self.time_zone)[1] if self.calendar else None
        steps = len(table.values)
        return EncodedSeries(
            values=table.values,
            calendar=np.zeros((steps, 0), np.float32) if calendar is None else calendar,
            past=self._numbers("past", table.past, steps),
            known=self._numbers("known", table.known, steps),
            past_codes=self._codes("past", table.past, steps),
            known_codes=self._codes("known", table.known, steps),
            static=self._numbers("static", table.static, len(table)),
            static_codes=self._codes("static", table.static, len(table)),
            series=(self._rows.get_indexer(pd.Index([str(name) for name in table.ids])) + 1).astype(np.int32),
            ends=table.offsets[1:],
        )

    def inputs(self) -> dict[str, Any]:
        """What a network must know of its inputs: moments, sizes of vocabularies, numbers of series and features."""
        waves = calendar_features(self.frequency, np.zeros(1, np.int64), self.time_zone)[0] if self.calendar else ()
        return {
            "series": len(self.ids),
            "calendar": len(waves),
            **{kind: [list(moments) for moments in self.numeric[kind].values()] for kind in KINDS},
            **{f"{kind}_codes": [len(v) for v in self.categories[kind].vocabularies.values()] for kind in KINDS},
        }

    def to_dict(self) -> dict[str, Any]:
        """The encoder as a dict that `from_dict` reads."""
        return {
            "ids": self.ids,
            "id_dtype": dtype_to_dict(self.id_dtype),
            "frequency": self.frequency.to_dict(),
            "time_zone": self.time_zone,
            "numeric": {kind: {name: list(m) for name, m in moments.items()} for kind, moments in self.numeric.items()},
            "categories": {kind: encoder.to_dict() for kind, encoder in self.categories.items()},
            "calendar": self.calendar,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SeriesEncoder:
        """The encoder of a dict that `to_dict` gave."""
        numeric = {kind: {name: (m[0], m[1]) for name, m in data["numeric"][kind].items()} for kind in KINDS}
        categories = {kind: CategoryEncoder.from_dict(data["categories"][kind]) for kind in KINDS}
        frequency, id_dtype = Frequency(**data["frequency"]), dtype_from_dict(data.get("id_dtype", {"dtype": "object"}))
        return cls(data["ids"], frequency, data["time_zone"], numeric, categories, data["calendar"], id_dtype)

    def _check(self, table: SeriesTable) -> None:
        if (table.frequency, table.time_zone) != (self.frequency, self.time_zone):
            raise DataError(
                f"expected series of frequency {self.frequency.name!r} in time zone {self.time_zone} as in training,"
                f" found {table.frequency.name!r} in {table.time_zone}"
            )
        for kind in KINDS:
            columns: Mapping[str, Column] = getattr(table, kind)
            for names, form in ((self.numeric[kind], "numbers"), (self.categories[kind].vocabularies, "categories")):
                for name in names:
                    if name not in columns:
                        raise DataError(f"expected {kind} covariate {shown(name)} as in training, found none")
                    if isinstance(columns[name], Categories) != (form == "categories"):
                        raise DataError(
                            f"expected {form} in {kind} covariate {shown(name)} as in training, found others"
                        )

    def _numbers(self, kind: str, columns: Mapping[str, Column], rows: int) -> np.ndarray:
        return stack_numbers({name: columns[name] for name in self.numeric[kind]}, rows)

    def _codes(self, kind: str, columns: Mapping[str, Column], rows: int) -> np.ndarray:
        encoder = self.categories[kind]
        found = [encoder.encode(name, _categories(columns[name])) for name in encoder.vocabularies]
        return np.stack(found, axis=-1) if found else np.zeros((rows, 0), np.int32)


def _numeric(columns: Mapping[str, Column]) -> dict[str, np.ndarray]:
    return {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}


def _categories(column: Column) -> Categories:
    assert isinstance(column, Categories)
    return column


def _moments(column: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; the deviation is 1 for a constant or empty column."""
    mean, deviation = moments_of(column)
    return mean, deviation or 1.0
