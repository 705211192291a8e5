"""The units that standardised series are measured in: the mean and the deviation of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.data.moments import moments_of


class SeriesUnits:
    """The mean and the deviation that standardise each series.

    Args:
        ids: the series.
        moments: float `(series, 2)`, mean and standard deviation of each.

    Example:

        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 3.0, 9.0, 9.0]}))
        >>> units = SeriesUnits.fit(table, np.array([2]))
        >>> units.moments.tolist(), units.standardised(table).values.tolist()
        ([[2.0, 1.0]], [-1.0, 1.0, 7.0, 7.0])
    """

    def __init__(self, ids: list[str], moments: np.ndarray) -> None:
        self.ids = list(ids)
        self.moments = np.asarray(moments, dtype=float)
        self._rows = {name: row for row, name in enumerate(self.ids)}

    @classmethod
    def fit(cls, table: SeriesTable, steps: np.ndarray) -> SeriesUnits:
        """The moments of the first steps of each series, as many as `steps` says; of all where those hold no value.

        The deviation is that of the population, as in scikit-learn's `StandardScaler`; 1 where all values are the same.
        """
        return cls([str(name) for name in table.ids], np.array([_moments(table, s, n) for s, n in enumerate(steps)]))

    def standardised(self, table: SeriesTable) -> SeriesTable:
        """The table with every value as `(y - mean) / deviation` of its series.

        Raises:
            DataError: a series that has no units here.
        """
        mean, deviation = self.of([str(name) for name in table.ids])[table.series_of_step].T
        return dataclasses.replace(table, values=(table.values - mean) / deviation)

    def of(self, ids: list[str]) -> np.ndarray:
        """The moments of these series, `(series, 2)`.

        Raises:
            DataError: a series that has no units here.
        """
        unknown = [name for name in ids if name not in self._rows]
        if unknown:
            raise DataError(
                f"series {shown(unknown[0])}: expected a series of the training data, whose moments standardise it,"
                " found another"
            )
        return self.moments[[self._rows[name] for name in ids]]

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"ids": self.ids, "moments": self.moments.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SeriesUnits:
        """The units that `to_dict` described."""
        return cls(data["ids"], np.array(data["moments"]))


def _moments(table: SeriesTable, series: int, steps: int) -> tuple[float, float]:
    values = table.values[table.rows(series)]
    first = values[:steps]
    mean, deviation = moments_of(first if (~np.isnan(first)).any() else values)
    return mean, deviation or 1.0
