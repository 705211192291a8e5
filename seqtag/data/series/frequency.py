"""Frequencies: the step between two observations of a series, and where a timestamp lies on the grid of steps.

Times are int64: microseconds since 1970 in UTC, or plain integers. Steps shorter than a day have equal lengths in
UTC, so that a local day of 23 or 25 hours has 23 or 25 hourly steps. Days, business days, weeks, months, quarters and
years are steps of the local calendar, also where daylight saving time begins or ends. So are the times of all other
offsets of pandas, such as business month ends, half months or business hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from seqtag.data.series.offsets import OffsetGrid, depends_on_start, offset_text, parse_offset
from seqtag.errors import shown

DAY = 86_400_000_000
MONDAY = 3  # 1970-01-01 was a Thursday

_LAST_CLOCK = np.datetime64("9999-12-30", "us").astype(np.int64)

Kind = Literal["integer", "clock", "day", "business_day", "month", "offset"]
# Phases of an offset's times are shorter than a day; the steps of its multiples are counted above this.
_MULTIPLE = 1 << 40
# Arguments of `pandas.DateOffset` that are a number of months, or of microseconds.
_MONTHS = {"months": 1, "years": 12}
_LENGTHS = {"weeks": 7 * DAY, "days": DAY, "hours": 3_600_000_000, "minutes": 60_000_000, "seconds": 1_000_000}


# Times are of 64 bits, and their sums must be too.
LONGEST_STEP = 2**61


@dataclass(frozen=True)
class Frequency:
    """The length of a step, in integers, microseconds, calendar days, business days, months, or times of an offset.

    A time is `(ordinal, phase)`: the ordinal counts steps, and the phase is the part that all times of a series share,
    such as the minute of the hour, the weekday of weekly data or the day of the month. A series is regular when its
    ordinals rise by one and its phase stays the same. The last day of a month is the same phase in every month.

    Args:
        kind: the unit.
        step: the number of units; microseconds for `"clock"`, 1 for `"business_day"`.
        offset: the offset whose times are the units of `"offset"`, see `parse_offset`.

    Example:
        >>> Frequency.parse("15min"), Frequency.parse("QS").name, Frequency.parse("D").season_length
        (Frequency(kind='clock', step=900000000, offset=''), 'QS', 7)
    """

    kind: Kind
    step: int = 1
    offset: str = ""

    def __post_init__(self) -> None:
        if self.step < 1 or (self.kind == "business_day" and self.step != 1):
            raise ValueError(f"expected a step of at least 1 (business days: of 1), found {self.step} ({self.kind})")
        if self.step > LONGEST_STEP:
            raise ValueError(f"expected a step of at most {LONGEST_STEP}, found {shown(self.step)} ({self.kind})")

    @classmethod
    def parse(cls, text: str | int) -> Frequency:
        """Any offset of pandas, such as `h`, `15min`, `D`, `W`, `B`, `MS`, `QE`, `BME`, `bh`; or an integer step.

        The weekday or the day of the month comes from the data: `MS` and `ME` are the same frequency. `parse_offset`
        says how offsets are written that have no short name.

        Raises:
            ValueError: pandas does not know the offset; its step is zero, negative, shorter than a microsecond or
                counted from a start, as "two months and three days" is.
        """
        if isinstance(text, int) or text.isdigit():
            return cls("integer", int(text))
        offset = parse_offset(text)
        if isinstance(offset, pd.offsets.Tick):
            return cls("clock", offset.nanos // 1000)
        if depends_on_start(offset):
            return cls._of_words(offset.n, offset.kwds)
        name = type(offset).__name__
        for prefix, length in {"Month": 1, "Quarter": 3, "Year": 12}.items():
            if name in (f"{prefix}Begin", f"{prefix}End"):
                return cls("month", length * offset.n)
        if name in ("Day", "Week"):
            return cls("day", offset.n * (7 if name == "Week" else 1))
        if name == "BusinessDay" and offset.n == 1 and not offset.offset:
            return cls("business_day")
        base = offset_text(offset.base)
        OffsetGrid(base).times(np.zeros(1, np.int64))
        return cls("offset", offset.n, base)

    @classmethod
    def _of_words(cls, count: int, words: dict[str, int]) -> Frequency:
        """The frequency of `pandas.DateOffset(**words)`: of months, of days or of a fixed length."""
        if words and set(words) <= set(_MONTHS):
            return cls("month", count * sum(_MONTHS[name] * number for name, number in words.items()))
        if not words or not set(words) <= set(_LENGTHS):
            raise ValueError(f"expected an offset whose times do not depend on where they start, found {words}")
        length = count * sum(_LENGTHS[name] * number for name, number in words.items())
        return cls("day", length // DAY) if length % DAY == 0 else cls("clock", length)

    @property
    def name(self) -> str:
        """The pandas offset, or the integer step; `parse` of it gives the same frequency."""
        if self.kind == "integer":
            return str(self.step)
        if self.kind == "clock":
            return pd.tseries.frequencies.to_offset(pd.Timedelta(self.step, "us")).freqstr
        if self.kind == "offset":
            return offset_text(parse_offset(self.offset) * self.step)
        if self.kind == "business_day":
            return "B"
        named = {1: "D", 7: "W"} if self.kind == "day" else {1: "MS", 3: "QS", 12: "YS"}
        return named.get(self.step) or f"{self.step}{named[1]}"

    @property
    def short_name(self) -> str:
        """The name as messages write it: without most of a long list of holidays."""
        return self.name if len(self.name) <= 60 else f"{self.name[:57]}..."

    def to_dict(self) -> dict[str, str | int]:
        """The frequency as JSON can hold it: `Frequency(**frequency.to_dict())` is the same."""
        return {"kind": self.kind, "step": self.step} | ({"offset": self.offset} if self.offset else {})

    @property
    def grid(self) -> OffsetGrid:
        """The times of the offset, where the kind is `"offset"`."""
        return OffsetGrid(self.offset)

    @property
    def season_length(self) -> int:
        """The usual season length of data of this frequency, in steps; 1 where there is no usual one.

        It is a day for steps shorter than a day, a week for days (5 for business days), and a year for weeks, months
        and quarters.
        """
        if self.kind == "integer":
            return 1
        if self.kind == "offset":
            whole = self.grid.per_cycle
            return max(1, whole // self.step) if whole % self.step == 0 else 1
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
            Two int64 arrays `(rows,)`. The phase of a weekend, with business days, and of a time that is on none of an
            offset's days or hours is below 0.

        Raises:
            ValueError: the times of an offset are too far from 2000.
        """
        if self.kind in ("integer", "clock"):
            return np.divmod(times, self.step)
        wall = wall_clock(times, time_zone)
        if self.kind == "day":
            return np.divmod(wall, self.step * DAY)
        if self.kind == "offset":
            number, phase = self.grid.locate(wall)
            ordinal, rest = np.divmod(number, self.step)
            return ordinal, np.where(phase < 0, phase, rest * _MULTIPLE + phase)
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
        if self.kind == "offset":
            rest, phase = np.divmod(phases, _MULTIPLE)
            return from_wall_clock(self.grid.times(ordinals * self.step + rest) + phase, time_zone)
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
    # pandas knows no clocks after the year 9999: they go on as at its end.
    known = np.minimum(wall, _LAST_CLOCK)
    local = to_timestamps(known, None).tz_localize(time_zone, ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC").asi8 + (wall - known)


def format_time(time: int, time_zone: str | None, integer: bool) -> str:
    """A time as messages write it."""
    return str(int(time)) if integer else str(to_timestamps(np.array([time]), time_zone)[0])
