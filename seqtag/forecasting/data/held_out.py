"""The last steps of each series, held out of fitting: what chooses the epoch and corrects the quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtag.data.series.slicing import first_steps
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.data.windows import Windows, all_windows

MAX_WINDOWS = 4096


@dataclass(frozen=True, eq=False)
class Split:
    """What a forecaster is fitted on and what it is judged by.

    Attributes:
        fitted: the series without their held-out steps.
        windows: the windows of `fitted`.
        held_out: windows of the whole table, whose futures are held-out steps alone.
    """

    fitted: SeriesTable
    windows: Windows
    held_out: Windows


def split(table: SeriesTable, lookback: int, horizon: int, steps: int | None = None, min_history: int = 1) -> Split:
    """Holds out the last steps of each series that is long enough; rolling origins walk through them.

    Of more than 4096 held-out windows, so many in even steps are kept.

    Args:
        table: the series.
        lookback: steps of a window's history.
        horizon: steps of its future.
        steps: how many to hold out, at least `horizon`, which is the default.
        min_history: the least history of a window; a shorter series is held out of nothing and fitted on as it is.

    Raises:
        ValueError: `steps` below `horizon`.
        DataError: no series has a window on one of the sides, with a value in its history and in its future.
    """
    steps = horizon if steps is None else steps
    if steps < horizon:
        raise ValueError(f"expected validation_steps of at least the horizon of {horizon}, found {steps}")
    long = table.lengths >= steps + min_history
    fitted = first_steps(table, np.where(long, table.lengths - steps, table.lengths))
    windows = training_windows(fitted, lookback, horizon, min_history)
    every = with_values(table, all_windows(table, lookback, horizon, min_history=min_history))
    beyond = every.ends >= table.offsets[1:][every.series] - steps
    held_out = every.take(np.flatnonzero(beyond & long[every.series]))
    for found, needed, what in (
        (held_out, steps + min_history, f"{steps} held out after {min_history}"),
        (windows, min_history + 1, f"{min_history} of history and one of future before what is held out"),
    ):
        if not len(found):
            longest = int(table.lengths.argmax())
            raise DataError(
                f"expected a series with values in at least {needed} steps, {what}, found at most"
                f" {table.lengths[longest]} steps, in {table.ids[longest]!r}"
            )
    return Split(fitted, windows, subsample(held_out, MAX_WINDOWS))


def training_windows(table: SeriesTable, lookback: int, horizon: int, min_history: int) -> Windows:
    """All windows with a value in history and future; those at a series' end know the beginning of theirs alone.

    Without the latter, a short series would be fitted on without its newest values.
    """
    return with_values(table, all_windows(table, lookback, horizon, min_history=min_history, min_future=1))


def subsample(windows: Windows, most: int) -> Windows:
    """At most so many of the windows, in even steps."""
    if len(windows) <= most:
        return windows
    return windows.take(np.linspace(0, len(windows) - 1, most).round().astype(np.int64))


def with_history(table: SeriesTable, windows: Windows) -> Windows:
    """The windows that have a value in their history."""
    return windows.take(np.flatnonzero(windows.history_has(table.observed)))


def with_values(table: SeriesTable, windows: Windows) -> Windows:
    """The windows that have a value in their history and one in their future."""
    windows = with_history(table, windows)
    seen = np.r_[0, np.cumsum(table.observed)]
    end = np.minimum(windows.ends + windows.horizon, table.offsets[1:][windows.series])
    return windows.take(np.flatnonzero(seen[end] > seen[windows.ends]))
