"""The step between two observations of a series, and the numbers of the steps: where a timestamp lies on the grid.

Times are int64: microseconds since 1970 in UTC, or integers as they are. Steps shorter than a day are equal in
UTC, so that a local day of 23 or 25 hours has as many hourly steps. Days, business days, weeks, months, quarters
and years are steps of the local calendar, whatever the clocks do in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

DAY = 86_400_000_000
MONDAY = 3  # 1970-01-01 was a Thursday

Kind = Literal["integer", "clock", "day", "business_day", "month"]


@dataclass(frozen=True)
class Frequency:
    """One step: so many integers, microseconds, calendar days, business days or calendar months.

    A time is `(ordinal, phase)`: the ordinal counts steps, the phase is what all times of one series share (the
    minute of the hour, the weekday of weekly data, the day of the month), so that a series is regular when its
    ordinals rise by one and its phase stays. A month's last day is the same phase in every month.

    Args:
        kind: what is counted.
        step: how many of them; microseconds for `"clock"`, 1 for `"business_day"`.

    Example:
        >>> Frequency.parse("15min"), Frequency.parse("QS").name, Frequency.parse("D").season_length
        (Frequency(kind='clock', step=900000000), 'QS', 7)
    """

    kind: Kind
    step: int = 1

    def __post_init__(self) -> None:
        if self.step < 1 or (self.kind == "business_day" and self.step != 1):
            raise ValueError(f"expected a step of at least 1 (business days: of 1), found {self.step} ({self.kind})")

    @classmethod
    def parse(cls, text: str | int) -> Frequency:
        """A pandas offset such as `h`, `15min`, `D`, `W`, `B`, `MS`, `QE`, `YS`, or an integer step.

        Which weekday, or which day of the month, is read from the data: `MS` and `ME` are the same frequency.

        Raises:
            ValueError: it is no offset that pandas knows, or one that is not supported.
        """
        if isinstance(text, int) or text.isdigit():
            return cls("integer", int(text))
        offset = pd.tseries.frequencies.to_offset(text)
        months = {"Month": 1, "Quarter": 3, "Year": 12}
        name = type(offset).__name__
        for prefix, length in months.items():
            if name in (f"{prefix}Begin", f"{prefix}End"):
                return cls("month", length * offset.n)
        if name in ("Day", "Week"):
            return cls("day", offset.n * (7 if name == "Week" else 1))
        if name == "BusinessDay":
            return cls("business_day", offset.n)
        if not isinstance(offset, pd.offsets.Tick):
            raise ValueError(f"expected a frequency such as 'h', 'D', 'B', 'W', 'MS', 'QS' or 'YS', found {text!r}")
        return cls("clock", offset.nanos // 1000)

    @property
    def name(self) -> str:
        """The pandas offset, or the integer step; `parse` reads it back."""
        if self.kind == "integer":
            return str(self.step)
        if self.kind == "clock":
            return pd.tseries.frequencies.to_offset(pd.Timedelta(self.step, "us")).freqstr
        if self.kind == "business_day":
            return "B"
        named = {1: "D", 7: "W"} if self.kind == "day" else {1: "MS", 3: "QS", 12: "YS"}
        return named.get(self.step) or f"{self.step}{named[1]}"

    @property
    def season_length(self) -> int:
        """The season that data of this frequency usually have, in steps; 1 where none is usual.

        A day for steps within a day, a week for days (5 business days), a year for weeks, months and quarters.
        """
        if self.kind == "integer":
            return 1
        if self.kind == "business_day":
            return 5
        if self.kind == "day":
            return {1: 7, 7: 52}.get(self.step, 1)
        whole = DAY if self.kind == "clock" else 12
        return max(1, whole // self.step) if whole % self.step == 0 else 1

    def locate(self, times: np.ndarray, series: np.ndarray, time_zone: str | None) -> tuple[np.ndarray, np.ndarray]:
        """The ordinals and phases of sorted times.

        Args:
            times: int64 `(rows,)`.
            series: the series of each row, int64 `(rows,)`, 0, 1, 2, ... in rising order, none left out.
            time_zone: the time zone that the calendar is read in; None for times without one.

        Returns:
            Two int64 arrays `(rows,)`. A weekend's phase is -1 where business days are counted.
        """
        if self.kind in ("integer", "clock"):
            return np.divmod(times, self.step)
        wall = wall_clock(times, time_zone)
        if self.kind == "day":
            return np.divmod(wall, self.step * DAY)
        day, within = np.divmod(wall, DAY)
        if self.kind == "business_day":
            week, weekday = np.divmod(day + MONDAY, 7)
            return week * 5 + np.minimum(weekday, 4), np.where(weekday < 5, within, -1)
        return self._locate_months(day, within, series)

    def _locate_months(self, day: np.ndarray, within: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        of_month = day - _first_day(month) + 1
        length = _first_day(month + 1) - _first_day(month)
        starts = np.flatnonzero(np.diff(series, prepend=-1))
        always_last = np.logical_and.reduceat(of_month == length, starts)
        anchor = np.where(always_last, 31, np.maximum.reduceat(of_month, starts))[series]
        anchored = np.where(of_month == np.minimum(anchor, length), anchor, of_month)
        ordinal, rest = np.divmod(month, self.step)
        return ordinal, (rest * 32 + anchored) * DAY + within

    def times(self, ordinals: np.ndarray, phases: np.ndarray, time_zone: str | None) -> np.ndarray:
        """The times that `locate` gave these ordinals and phases for; beyond them, the grid continued.

        A local time that the clocks skip becomes the moment after the skip; one that they show twice, the first.
        """
        if self.kind in ("integer", "clock"):
            return ordinals * self.step + phases
        if self.kind == "day":
            return moments(ordinals * self.step * DAY + phases, time_zone)
        if self.kind == "business_day":
            week, weekday = np.divmod(ordinals, 5)
            return moments((week * 7 + weekday - MONDAY) * DAY + phases, time_zone)
        anchored, within = np.divmod(phases, DAY)
        rest, anchor = np.divmod(anchored, 32)
        month = ordinals * self.step + rest
        day = np.minimum(_first_day(month) + anchor, _first_day(month + 1)) - 1
        return moments(day * DAY + within, time_zone)


def _first_day(month: np.ndarray) -> np.ndarray:
    """Days from 1970 to the first of a month, itself counted from 1970."""
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def to_timestamps(times: np.ndarray, time_zone: str | None) -> pd.DatetimeIndex:
    """Microseconds in UTC as pandas timestamps in their zone (without one where `time_zone` is None)."""
    index = pd.DatetimeIndex(np.asarray(times, np.int64).astype("datetime64[us]"))
    return index if time_zone is None else index.tz_localize("UTC").tz_convert(time_zone)


def wall_clock(times: np.ndarray, time_zone: str | None) -> np.ndarray:
    """What the clocks of the zone show, in microseconds since 1970 without a zone."""
    return times if time_zone is None else to_timestamps(times, time_zone).tz_localize(None).asi8


def moments(wall: np.ndarray, time_zone: str | None) -> np.ndarray:
    """The moments in UTC at which the clocks of the zone show `wall`; see `Frequency.times` for clock changes."""
    if time_zone is None:
        return wall
    first = np.ones(wall.shape, bool)
    local = to_timestamps(wall, None).tz_localize(time_zone, ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC").asi8


def format_time(time: int, time_zone: str | None, integer: bool) -> str:
    """One time as messages write it."""
    return str(int(time)) if integer else str(to_timestamps(np.array([time]), time_zone)[0])
