"""Rolling origins: the folds of a backtest, each with the steps before its cutoff and the steps after it.

Tashman (2000), Out-of-sample tests of forecasting accuracy: an analysis and review, sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqtag.data.series.slicing import hide_after, slice_steps
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.data.windows import Windows


@dataclass(frozen=True, eq=False)
class Fold:
    """A fold: its cutoffs, and windows over the whole table whose histories end at the cutoffs.

    Attributes:
        number: the number of the fold; the oldest is 1.
        table: all series with all their steps.
        cutoffs: int64 `(series,)`, the number of known steps of each series.
        starts: int64 `(series,)`, the first step of each series' training part.
        windows: a window for each series of the fold. Their `lookback` is the length of the longest training part, so
            that `windows.history(values)` holds the whole training part of each.
        left_out: int64, the series that are too short for the fold.
    """

    number: int
    table: SeriesTable
    cutoffs: np.ndarray
    starts: np.ndarray
    windows: Windows
    left_out: np.ndarray

    def train(self) -> SeriesTable:
        """The training part as a table, without later steps."""
        ends = self.cutoffs.copy()
        ends[self.left_out] = self.starts[self.left_out]
        return slice_steps(self.table, self.starts, ends)

    def known(self) -> SeriesTable:
        """The table with everything after the cutoffs hidden, see `seqtag.data.series.slicing.hide_after`."""
        return hide_after(self.table, self.cutoffs)


@dataclass(frozen=True)
class RollingOrigins:
    """Folds whose cutoffs move towards the end of the data; the future of the last fold ends with the data.

    With F folds, fold f of 1, ..., F has its cutoff `horizon + (F - f) step` steps before the end of each series, so
    that series that end at different times have different cutoffs. A fold's training part is everything before the
    cutoff, or its last `train_steps` steps. A series is left out of a fold where this part has fewer than
    `min_train_steps` steps or no observed value.

    Args:
        folds: the number of folds.
        horizon: steps to forecast from each cutoff.
        step: steps from one cutoff to the next; `horizon` unless given, so that no step is forecast twice.
        train_steps: steps of the training part, a sliding window; all steps before the cutoff unless given.
        min_train_steps: the smallest number of steps of a training part.

    Raises:
        ValueError: a number below 1, or `min_train_steps` above `train_steps`.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(7), "y": range(7)}))
        >>> for fold in RollingOrigins(folds=2, horizon=2).split(table):
        ...     print(fold.train().values.tolist(), fold.windows.future(table.values).tolist())
        [0.0, 1.0, 2.0] [[3.0, 4.0]]
        [0.0, 1.0, 2.0, 3.0, 4.0] [[5.0, 6.0]]
    """

    folds: int
    horizon: int
    step: int | None = None
    train_steps: int | None = None
    min_train_steps: int = 1

    def __post_init__(self) -> None:
        for name in ("folds", "horizon", "step", "train_steps", "min_train_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"expected {name} to be at least 1, found {value}")
        if self.train_steps is not None and self.min_train_steps > self.train_steps:
            raise ValueError(
                f"expected min_train_steps of at most train_steps, {self.train_steps}, found {self.min_train_steps}"
            )

    def split(self, table: SeriesTable) -> Iterator[Fold]:
        """The folds of a table, oldest first; the data are copied only by `Fold.train` and `Fold.known`.

        Raises:
            DataError: all series are too short for a fold.
        """
        observed_before = np.r_[0, np.cumsum(table.observed)]
        for number in range(1, self.folds + 1):
            yield self._fold(table, number, observed_before)

    def _fold(self, table: SeriesTable, number: int, observed_before: np.ndarray) -> Fold:
        """`observed_before[i]` counts the observed values before flat step i."""
        back = self.horizon + (self.folds - number) * (self.step or self.horizon)
        cutoffs = np.maximum(table.lengths - back, 0)
        starts = np.zeros_like(cutoffs) if self.train_steps is None else np.maximum(cutoffs - self.train_steps, 0)
        first = table.offsets[:-1]
        has_value = observed_before[first + cutoffs] > observed_before[first + starts]
        enough = (cutoffs - starts >= self.min_train_steps) & has_value
        if not enough.any():
            longest = table.ids[table.lengths.argmax()]
            raise DataError(
                f"series {shown(longest)}: expected {self.min_train_steps} steps with a value and {back} more for fold"
                f" {number} of {self.folds}, found {table.lengths.max()} in the longest series"
            )
        series = np.flatnonzero(enough)
        lookback = int((cutoffs - starts)[series].max())
        windows = Windows(series, (first + cutoffs)[series], first[series], lookback, self.horizon)
        return Fold(number, table, cutoffs, starts, windows, np.flatnonzero(~enough))
