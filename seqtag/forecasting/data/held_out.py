"""Holds the last steps of each series out of fitting, to choose the epoch and to correct the quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtag.data.series.slicing import first_steps
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.data.windows import Windows, all_windows, subsample, training_windows, with_values

MAX_WINDOWS = 4096


@dataclass(frozen=True, eq=False)
class Split:
    """The windows that a forecaster is fitted on, and those that it is validated on.

    Attributes:
        fitted: the series without their held-out steps.
        training_windows: the windows of `fitted`.
        held_out_windows: windows of the whole table whose futures are held-out steps.
    """

    fitted: SeriesTable
    training_windows: Windows
    held_out_windows: Windows


def split(table: SeriesTable, lookback: int, horizon: int, steps: int | None = None, min_history: int = 1) -> Split:
    """Holds out the last steps of each series that is long enough; its held-out windows start at every step of them.

    Where there are more than 4096 held-out windows, 4096 at even distances are kept.

    Args:
        table: the series.
        lookback: steps of a window's history.
        horizon: steps of its future.
        steps: the number of steps to hold out, at least `horizon`; `horizon` unless given.
        min_history: the smallest number of steps of history in a window. A series with fewer steps than `steps` and
            these is fitted on as a whole.

    Raises:
        ValueError: `steps` below `horizon`.
        DataError: there are no training windows or no held-out windows with a value in their history and future.
    """
    steps = horizon if steps is None else steps
    if steps < horizon:
        raise ValueError(f"expected validation_steps of at least the horizon of {horizon}, found {steps}")
    long = table.lengths >= steps + min_history
    fitted = first_steps(table, np.where(long, table.lengths - steps, table.lengths))
    windows = training_windows(fitted, lookback, horizon, min_history)
    candidates = with_values(table, all_windows(table, lookback, horizon, min_history=min_history))
    inside = candidates.ends >= table.offsets[1:][candidates.series] - steps
    held_out = candidates.take(np.flatnonzero(inside & long[candidates.series]))
    for found, needed, what in (
        (held_out, steps + min_history, f"{steps} held out after {min_history}"),
        (windows, min_history + 1, f"{min_history} of history and one of future before what is held out"),
    ):
        if not len(found):
            longest = int(table.lengths.argmax())
            raise DataError(
                f"expected a series with values in at least {needed} steps, {what}, found at most"
                f" {table.lengths[longest]} steps, in {shown(table.ids[longest])}"
            )
    return Split(fitted, windows, subsample(held_out, MAX_WINDOWS))
