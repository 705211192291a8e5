"""Frequencies: the step between two observations of a series, and where a timestamp lies on the grid of steps.

Times are int64: microseconds since 1970 in UTC, or plain integers. Steps shorter than a day have equal lengths in
UTC, so that a local day of 23 or 25 hours has 23 or 25 hourly steps. Days, business days, weeks, months, quarters and
years are steps of the local calendar, also where daylight saving time begins or ends.
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
    """The length of a step, in integers, microseconds, calendar days, business days or calendar months.

    A time is `(ordinal, phase)`: the ordinal counts steps, and the phase is the part that all times of a series share,
    such as the minute of the hour, the weekday of weekly data or the day of the month. A series is regular when its
    ordinals rise by one and its phase stays the same. The last day of a month is the same phase in every month.

    Args:
        kind: the unit.
        step: the number of units; microseconds for `"clock"`, 1 for `"business_day"`.

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

        The weekday or the day of the month comes from the data: `MS` and `ME` are the same frequency.

        Raises:
            ValueError: pandas does not know the offset, or it is not supported.
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
        """The pandas offset, or the integer step; `parse` of it gives the same frequency."""
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
        """The usual season length of data of this frequency, in steps; 1 where there is no usual one.

        It is a day for steps shorter than a day, a week for days (5 for business days), and a year for weeks, months
        and quarters.
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
            series: the series of each row, int64 `(rows,)`: 0, 1, 2, ... in ascending order without gaps.
            time_zone: the time zone of the calendar; None for times without a time zone.

        Returns:
            Two int64 arrays `(rows,)`. With business days, the phase of a weekend is -1.
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
        """The times of ordinals and phases: the inverse of `locate`, also for steps beyond the data.

        A local time that does not exist, because clocks are put forward, becomes the moment after the change. Of a
        local time that occurs twice, it is the first.
        """
        if self.kind in ("integer", "clock"):
            return ordinals * self.step + phases
        if self.kind == "day":
            return from_wall_clock(ordinals * self.step * DAY + phases, time_zone)
        if self.kind == "business_day":
            week, weekday = np.divmod(ordinals, 5)
            return from_wall_clock((week * 7 + weekday - MONDAY) * DAY + phases, time_zone)
        anchored, within = np.divmod(phases, DAY)
        rest, anchor = np.divmod(anchored, 32)
        month = ordinals * self.step + rest
        day = np.minimum(_first_day(month) + anchor, _first_day(month + 1)) - 1
        return from_wall_clock(day * DAY + within, time_zone)


def _first_day(month: np.ndarray) -> np.ndarray:
    """The day, counted from 1970, on which a month begins, itself counted from 1970."""
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def to_timestamps(times: np.ndarray, time_zone: str | None) -> pd.DatetimeIndex:
    """Microseconds in UTC as pandas timestamps in a time zone, or without one where `time_zone` is None."""
    index = pd.DatetimeIndex(np.asarray(times, np.int64).astype("datetime64[us]"))
    return index if time_zone is None else index.tz_localize("UTC").tz_convert(time_zone)


def wall_clock(times: np.ndarray, time_zone: str | None) -> np.ndarray:
    """Local time: what the clocks of the time zone show, in microseconds since 1970."""
    return times if time_zone is None else to_timestamps(times, time_zone).tz_localize(None).asi8


def from_wall_clock(wall: np.ndarray, time_zone: str | None) -> np.ndarray:
    """The times in UTC at which the clocks of the time zone show `wall`; see `Frequency.times` for clock changes."""
    if time_zone is None:
        return wall
    first = np.ones(wall.shape, bool)
    local = to_timestamps(wall, None).tz_localize(time_zone, ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC").asi8


def format_time(time: int, time_zone: str | None, integer: bool) -> str:
    """A time as messages write it."""
    return str(int(time)) if integer else str(to_timestamps(np.array([time]), time_zone)[0])
