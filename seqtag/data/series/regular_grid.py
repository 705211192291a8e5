"""Puts the rows of a frame on a regular grid: all steps of all series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtag.data.series.frames import RowNames
from seqtag.data.series.frequency import Frequency
from seqtag.data.series.frequency_inference import infer_frequency
from seqtag.data.series.timestamps import Times
from seqtag.errors import DataError


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
            raise self.error(int(twice.argmax()), "expected one row for each time, found two")

    def error(self, row: int, message: str) -> DataError:
        """The error for a sorted row."""
        return self._rows.error(int(self.order[row]), message)

    def start_of(self, row: int) -> object:
        """The first time of a row's series, as in the frame."""
        return self._rows.times.iloc[int(self.order[self.starts[self.series[row]]])]


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

    Raises:
        DataError: a time lies between two steps, frequencies differ, or the frequency is inferred and a series misses
            more rows than it has.
        ValueError: `frequency` is not a frequency.
    """
    if frequency is None:
        step = infer_frequency(rows.times, rows.series, rows.ids, rows.time_zone, rows.integer)
    else:
        step = Frequency.parse(frequency)
    if (step.kind == "integer") != rows.integer:
        found = "integers" if rows.integer else "timestamps"
        raise rows.error(0, f"expected times of frequency {step.name!r}, found {found}")
    ordinals, phases = step.locate(rows.times, rows.series, rows.time_zone)
    first, phase = ordinals[rows.starts], phases[rows.starts]
    _check_regular(rows, step, ordinals, phases)
    counts = np.diff(np.r_[rows.starts, len(ordinals)])
    lengths = ordinals[rows.starts + counts - 1] - first + 1
    if frequency is None:
        _check_gaps(rows, step, counts, lengths)
    offsets = np.r_[0, np.cumsum(lengths)]
    positions = np.empty(len(ordinals), np.int64)
    positions[rows.order] = offsets[rows.series] + ordinals - first[rows.series]
    return Grid(step, offsets, first, phase, positions)


def _check_regular(rows: SortedRows, step: Frequency, ordinals: np.ndarray, phases: np.ndarray) -> None:
    phase = phases[rows.starts][rows.series]
    off = (phases != phase) | (phases < 0)
    # A local time that does not exist stands for the moment after the clock change: another time of day, but right.
    at = np.flatnonzero(off)
    off[at] = step.times(ordinals[at], phase[at], rows.time_zone) != rows.times[at]
    off |= rows.follows & (np.diff(ordinals, prepend=ordinals[0] - 1) == 0)
    if off.any():
        row = int(off.argmax())
        start = rows.start_of(row)
        raise rows.error(row, f"expected steps of frequency {step.name!r} from {start}, found a time between them")


def _check_gaps(rows: SortedRows, step: Frequency, counts: np.ndarray, lengths: np.ndarray) -> None:
    sparse = lengths > 2 * counts
    if sparse.any():
        at = int(sparse.argmax())
        raise rows.error(
            int(rows.starts[at]),
            f"expected regular steps, found {counts[at]} rows in {lengths[at]} steps of the inferred frequency"
            f" {step.name!r}; state the frequency if rows are missing",
        )
