"""Puts the rows of a frame on a regular grid: all steps of all series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtag.data.series.frames import RowNames
from seqtag.data.series.frequency import DAY, MONDAY, Frequency
from seqtag.data.series.frequency_inference import infer_frequency, offsets_that_may_fit
from seqtag.data.series.timestamps import Times
from seqtag.errors import DataError, shown

# The most rows that may be missing, and how many for each row that there is.
MAX_MISSING, MISSING_PER_ROW = 10_000_000, 20


class SortedRows:
    """The rows of a frame, sorted by series and time.

    Args:
        times: the times of the frame's rows.
        codes: the series of each row, 0, 1, 2, ...
        ids: the ids of the series.
        rows: the names of the rows, for messages.

    Raises:
        DataError: a series has two rows with the same time.
    """

    def __init__(self, times: Times, codes: np.ndarray, ids: np.ndarray, rows: RowNames) -> None:
        self.order = np.lexsort((times.values, codes))
        self.times = times.values[self.order]
        self.series = codes[self.order]
        self.time_zone, self.integer = times.time_zone, times.integer
        self.ids = ids
        self.follows = np.r_[False, self.series[1:] == self.series[:-1]]
        self.starts = np.flatnonzero(~self.follows)
        self._rows = rows
        twice = self.follows & (np.diff(self.times, prepend=self.times[0] - 1) == 0)
        if twice.any():
            row = int(twice.argmax())
            hint, setting = self._why_twice(row)
            raise self.error(row, f"expected one row for each time, found two{hint}", setting)

    def _why_twice(self, row: int) -> tuple[str, str | None]:
        """Why a series may have a time twice, and the setting that tells the rows apart."""
        if self._rows.nameless:
            return " and no column of series", "data.series"
        day, within = divmod(int(self.times[row]), DAY)
        sunday = (day + MONDAY) % 7 == 6
        if not self.integer and self.time_zone is None and sunday and 0 <= within < DAY // 6:
            return ", perhaps of an hour in which local clocks are put back", "data.time_zone"
        return "", None

    def error(self, row: int, message: str, setting: str | None = None) -> DataError:
        """The error for a sorted row; `setting` is that of `DataError`."""
        return self._rows.error(int(self.order[row]), message, setting)

    def time_of(self, row: int) -> object:
        """The time of a sorted row, as in the frame."""
        return self._rows.times.iloc[int(self.order[row])]

    def start_of(self, row: int) -> object:
        """The first time of a row's series, as in the frame."""
        return self.time_of(int(self.starts[self.series[row]]))


@dataclass(frozen=True, eq=False)
class Grid:
    """All steps of all series, one series after the other, and the places of the frame's rows among them.

    Attributes:
        frequency: the frequency.
        offsets: int64 `(series + 1,)`, the first step of each series.
        ordinals: int64 `(series,)`, the ordinal of that step, see `Frequency.locate`.
        phases: int64 `(series,)`, the phase of each series.
        positions: int64 `(rows,)`, the step of each row of the frame.
    """

    frequency: Frequency
    offsets: np.ndarray
    ordinals: np.ndarray
    phases: np.ndarray
    positions: np.ndarray

    def place(self, values: np.ndarray, missing: float) -> np.ndarray:
        """Values of the frame's rows at their steps; `missing` where the frame has no row."""
        placed = np.full(int(self.offsets[-1]), missing, values.dtype)
        placed[self.positions] = values
        return placed


def build_grid(rows: SortedRows, frequency: str | int | None) -> Grid:
    """The grid of a frame's rows; missing rows are steps too.

    Where the frequency is inferred and no step of a fixed length or of the calendar fits, offsets of pandas are tried.

    Raises:
        DataError: a time lies between two steps, frequencies differ, the frequency is inferred and a series misses
            more rows than it has, or so many rows are missing that they would fill the memory.
        ValueError: `frequency` is not a frequency.
    """
    if frequency is not None:
        return _grid_of(rows, Frequency.parse(frequency), stated=True)
    try:
        inferred = infer_frequency(rows.times, rows.series, rows.ids, rows.time_zone, rows.integer)
        return _grid_of(rows, inferred, stated=False)
    except DataError:
        for other in offsets_that_may_fit(rows.times, rows.series, rows.time_zone, rows.integer):
            try:
                return _grid_of(rows, other, stated=False)
            except DataError:
                continue
        raise


def _grid_of(rows: SortedRows, step: Frequency, stated: bool) -> Grid:
    if (step.kind == "integer") != rows.integer:
        found = "integers" if rows.integer else "timestamps"
        raise rows.error(0, f"expected times of frequency {shown(step.name)}, found {found}")
    try:
        ordinals, phases = step.locate(rows.times, rows.series, rows.time_zone)
    except ValueError as error:  # times that are too far away for the grid of an offset
        raise rows.error(0, str(error)) from None
    first, phase = ordinals[rows.starts], phases[rows.starts]
    _check_regular(rows, step, ordinals, phases, None if stated else "data.frequency")
    counts = np.diff(np.r_[rows.starts, len(ordinals)])
    lengths = ordinals[rows.starts + counts - 1] - first + 1
    if not stated:
        _check_gaps(rows, step, counts, lengths)
    _check_size(rows, step, ordinals)
    offsets = np.r_[0, np.cumsum(lengths)]
    positions = np.empty(len(ordinals), np.int64)
    positions[rows.order] = offsets[rows.series] + ordinals - first[rows.series]
    return Grid(step, offsets, first, phase, positions)


def _check_size(rows: SortedRows, step: Frequency, ordinals: np.ndarray) -> None:
    """Raises a `DataError` that names the widest gap where more rows are missing than memory should be spent on."""
    # As floats, since the sum of many gaps may be above int64.
    missing = np.where(rows.follows, np.diff(ordinals, prepend=ordinals[0]).astype(float) - 1, 0.0)
    most = max(MAX_MISSING, MISSING_PER_ROW * len(ordinals))
    if missing.sum() > most:
        row = int(missing.argmax())
        raise rows.error(
            row,
            f"expected at most {most} missing rows in all, found {missing[row]:.0f} of frequency {shown(step.name)}"
            f" since {rows.time_of(row - 1)}",
        )


def _check_regular(
    rows: SortedRows, step: Frequency, ordinals: np.ndarray, phases: np.ndarray, setting: str | None
) -> None:
    phase = phases[rows.starts][rows.series]
    off = (phases != phase) | (phases < 0)
    # A local time that does not exist stands for the moment after the clock change: another time of day, but right.
    at = np.flatnonzero(off)
    off[at] = step.times(ordinals[at], phase[at], rows.time_zone) != rows.times[at]
    off |= rows.follows & (np.diff(ordinals, prepend=ordinals[0] - 1) == 0)
    if off.any():
        row = int(off.argmax())
        start = rows.start_of(row)
        message = f"expected steps of frequency {shown(step.name)} from {start}, found a time between them"
        raise rows.error(row, message, setting)


def _check_gaps(rows: SortedRows, step: Frequency, counts: np.ndarray, lengths: np.ndarray) -> None:
    sparse = lengths > 2 * counts
    if sparse.any():
        at = int(sparse.argmax())
        raise rows.error(
            int(rows.starts[at]),
            f"expected regular steps, found {counts[at]} rows in {lengths[at]} steps of the inferred frequency"
            f" {shown(step.name)}",
            "data.frequency",
        )
