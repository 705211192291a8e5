"""Many time series as one table: flat arrays and offsets, with missing steps as NaN, so that a window is a slice.

`seqtag.data.series.files` reads frames and files as a `SeriesTable`; `seqtag.forecasting.data.windows` cuts windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.covariates import Column, read_only
from seqtag.data.series.frequency import Frequency, format_time, to_timestamps
from seqtag.data.series.ids import OBJECT, ids_of_dtype


def empty_columns() -> Mapping[str, Column]:
    """A read-only empty mapping."""
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """Series of different lengths, one after the other, each with every step from its first row to its last.

    A series whose steps are all still to come has none: `slicing.histories` gives such tables, for forecasts.

    Arrays are read-only. The steps of all series are numbered together: those of series `s` are `offsets[s]` up to
    `offsets[s + 1]`. Such a number is called a flat step.

    Attributes:
        ids: the ids of the series, in the order of their first rows.
        offsets: int64 `(series + 1,)`.
        values: float64 `(steps,)`; NaN where the value or the whole row is missing.
        frequency: the step between two observations.
        time_zone: the time zone, None where timestamps have none.
        ordinals: int64 `(series,)`, the ordinal of each series' first step, see `Frequency.locate`.
        phases: int64 `(series,)`, the phase of each series.
        inserted: bool `(steps,)`, True where the frame had no row.
        past: the covariates that are known up to the present, `(steps,)` each.
        known: the covariates that are known for the future too, `(steps,)` each.
        static: the covariates with one value for each series, `(series,)` each.
        id_dtype: the dtype of the ids in frames: that of the column that they were read from.
    """

    ids: np.ndarray
    offsets: np.ndarray
    values: np.ndarray
    frequency: Frequency
    time_zone: str | None
    ordinals: np.ndarray
    phases: np.ndarray
    inserted: np.ndarray
    past: Mapping[str, Column] = field(default_factory=empty_columns)
    known: Mapping[str, Column] = field(default_factory=empty_columns)
    static: Mapping[str, Column] = field(default_factory=empty_columns)
    id_dtype: Any = OBJECT

    def __post_init__(self) -> None:
        for array in (self.ids, self.offsets, self.values, self.ordinals, self.phases, self.inserted):
            read_only(array)

    def __reduce__(self) -> tuple[type[SeriesTable], tuple]:
        """What `pickle` and `copy` take: read-only mappings cannot be pickled, and cached properties need not be."""
        values = (getattr(self, part.name) for part in fields(self))
        return SeriesTable, tuple(dict(value) if isinstance(value, Mapping) else value for value in values)

    def __len__(self) -> int:
        """The number of series."""
        return len(self.ids)

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each series."""
        return np.diff(self.offsets)

    @cached_property
    def observed(self) -> np.ndarray:
        """Whether each step has a value, bool `(steps,)`."""
        return read_only(~np.isnan(self.values))

    @cached_property
    def series_of_step(self) -> np.ndarray:
        """The series of each step, int64 `(steps,)`."""
        return read_only(np.repeat(np.arange(len(self)), self.lengths))

    @cached_property
    def times(self) -> np.ndarray:
        """The time of each step, int64 `(steps,)`: microseconds since 1970 in UTC, or integers."""
        inside = np.arange(len(self.values)) - self.offsets[self.series_of_step]
        return read_only(self.times_at(self.series_of_step, inside))

    @cached_property
    def steps_since_observed(self) -> np.ndarray:
        """Steps since the last observed value, int64 `(steps,)`: 0 where there is a value, then 1, 2, ...

        Before the first value of a series, the count starts with 1 at its first step.

        Example:
            >>> from seqtag.data.series.files import read_series
            >>> frame = pd.DataFrame({"unique_id": "a", "ds": [0, 1, 4, 5], "y": [1.0, np.nan, 2.0, 3.0]})
            >>> read_series(frame, frequency=1).steps_since_observed.tolist()
            [0, 1, 2, 3, 0, 0]
        """
        step = np.arange(len(self.values))
        last = np.where(self.observed, step, self.offsets[self.series_of_step] - 1)
        return read_only(step - np.maximum.accumulate(last))

    @property
    def integer_time(self) -> bool:
        """Whether times are plain integers."""
        return self.frequency.kind == "integer"

    def times_at(self, series: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The times of steps, counted from the start of their series; they may lie after its end."""
        return self.frequency.times(self.ordinals[series] + steps, self.phases[series], self.time_zone)

    def named(self, series: np.ndarray) -> pd.Series:
        """The ids of these series as frames have them: a column of the dtype that they were read with."""
        return self._ids_of_dtype.take(series).reset_index(drop=True)

    @cached_property
    def _ids_of_dtype(self) -> pd.Series:
        return ids_of_dtype(self.ids, self.id_dtype)

    def rows(self, series: int) -> slice:
        """The flat steps of one series."""
        return slice(int(self.offsets[series]), int(self.offsets[series + 1]))

    def to_timestamps(self, times: np.ndarray) -> pd.Index:
        """Times as frames have them: timestamps in the table's time zone, or integers."""
        return pd.Index(times) if self.integer_time else to_timestamps(times, self.time_zone)

    def format_time(self, time: int) -> str:
        """A time as messages write it."""
        return format_time(time, self.time_zone, self.integer_time)

    def to_frame(self) -> pd.DataFrame:
        """The series as a long frame `unique_id, ds, y` with every step; NaN where the value is missing."""
        ids = self.named(self.series_of_step)
        return pd.DataFrame({"unique_id": ids, "ds": self.to_timestamps(self.times), "y": self.values})
