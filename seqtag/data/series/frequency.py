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

from seqtag.errors import DataError

DAY = 86_400_000_000
_MONDAY = 3  # 1970-01-01 was a Thursday

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
        >>> Frequency.parse("15min"), Frequency.parse("QS").name, Frequency.parse("D").season
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
    def season(self) -> int:
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
            week, weekday = np.divmod(day + _MONDAY, 7)
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
            return moments((week * 7 + weekday - _MONDAY) * DAY + phases, time_zone)
        anchored, within = np.divmod(phases, DAY)
        rest, anchor = np.divmod(anchored, 32)
        month = ordinals * self.step + rest
        day = np.minimum(_first_day(month) + anchor, _first_day(month + 1)) - 1
        return moments(day * DAY + within, time_zone)


def _first_day(month: np.ndarray) -> np.ndarray:
    """Days from 1970 to the first of a month, itself counted from 1970."""
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def stamps(times: np.ndarray, time_zone: str | None) -> pd.DatetimeIndex:
    """Microseconds in UTC as pandas timestamps in their zone (without one where `time_zone` is None)."""
    index = pd.DatetimeIndex(np.asarray(times, np.int64).astype("datetime64[us]"))
    return index if time_zone is None else index.tz_localize("UTC").tz_convert(time_zone)


def wall_clock(times: np.ndarray, time_zone: str | None) -> np.ndarray:
    """What the clocks of the zone show, in microseconds since 1970 without a zone."""
    return times if time_zone is None else stamps(times, time_zone).tz_localize(None).asi8


def moments(wall: np.ndarray, time_zone: str | None) -> np.ndarray:
    """The moments in UTC at which the clocks of the zone show `wall`; see `Frequency.times` for clock changes."""
    if time_zone is None:
        return wall
    first = np.ones(wall.shape, bool)
    local = stamps(wall, None).tz_localize(time_zone, ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC").asi8


def infer_frequency(
    times: np.ndarray, series: np.ndarray, ids: np.ndarray, time_zone: str | None, integer: bool
) -> Frequency:
    """The frequency that the series share.

    Each series of three rows or more has its own: the smallest step between its rows, if all others are multiples
    of it, else the most common. Where no series has three rows, those of two decide. Days are business days when
    a series has no weekend and steps over one. Where too many rows are missing for this, state the frequency.

    Args:
        times: int64 `(rows,)`, rising within each series.
        series: the series of each row, as in `Frequency.locate`.
        ids: the names of the series, for messages.
        time_zone: the zone of the calendar.
        integer: whether times are plain integers.

    Raises:
        DataError: no series has two rows, or two series have different steps.
    """
    inside = series[1:] == series[:-1]
    owner = series[1:][inside]
    if not len(owner):
        raise DataError("expected a frequency to be given, found no series of two rows to infer it from")
    enough = np.bincount(owner, minlength=len(ids))[owner] > 1
    chosen = enough if enough.any() else np.ones_like(enough)
    named = _steps(times, series, inside, time_zone, integer, chosen)
    first_series, first = next(iter(named.items()))
    for other, frequency in named.items():
        if frequency != first:
            raise DataError(
                f"series {ids[other]!r}: expected frequency {first.name!r} as in series {ids[first_series]!r},"
                f" found {frequency.name!r} from {shown(times[series == other][0], time_zone, integer)};"
                " state the frequency if rows are missing"
            )
    return first


def shown(time: int, time_zone: str | None, integer: bool) -> str:
    """One time as messages write it."""
    return str(int(time)) if integer else str(stamps(np.array([time]), time_zone)[0])


def _steps(
    times: np.ndarray, series: np.ndarray, inside: np.ndarray, time_zone: str | None, integer: bool, chosen: np.ndarray
) -> dict[int, Frequency]:
    """The frequency of each series that has enough steps; `chosen` says which of the steps count."""
    owner = series[1:][inside][chosen]
    step = np.diff(times)[inside][chosen]
    if integer:
        return {key: Frequency("integer", value) for key, value in _typical(owner, step).items()}
    wall = wall_clock(times, time_zone)
    walls = _typical(owner, np.diff(wall)[inside][chosen])
    clocks = _typical(owner, step)
    months = wall.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    by_month = _typical(owner, np.diff(months)[inside][chosen])
    monthly = _same_day_of_month(wall, series)
    weekends = _keeps_weekends(wall, series)
    found = {}
    for key, wall_step in walls.items():
        if wall_step < DAY:
            found[key] = Frequency("clock", clocks[key])
        elif wall_step >= 28 * DAY and by_month[key] and monthly[key]:
            found[key] = Frequency("month", by_month[key])
        elif wall_step == DAY:
            found[key] = Frequency("day") if weekends[key] >= 0 else Frequency("business_day")
        else:
            found[key] = Frequency("day", max(1, round(wall_step / DAY)))
    return _settled(found, weekends)


def _settled(found: dict[int, Frequency], weekends: np.ndarray) -> dict[int, Frequency]:
    """Series within one working week say nothing about weekends: they follow the others."""
    if Frequency("business_day") in found.values():
        undecided = [key for key, value in found.items() if value == Frequency("day") and weekends[key] == 0]
        found.update(dict.fromkeys(undecided, Frequency("business_day")))
    return found


def _keeps_weekends(wall: np.ndarray, series: np.ndarray) -> np.ndarray:
    """For each series 1 where it has a Saturday or Sunday, -1 where it steps over them, else 0."""
    day = wall // DAY + _MONDAY
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    has = np.logical_or.reduceat(day % 7 > 4, starts)
    spans = np.maximum.reduceat(day // 7, starts) > np.minimum.reduceat(day // 7, starts)
    return np.where(has, 1, np.where(spans, -1, 0))


def _same_day_of_month(wall: np.ndarray, series: np.ndarray) -> np.ndarray:
    """For each series, whether most of its times are on one day of the month, or on the last that month has."""
    phase = Frequency("month").locate(wall, series, None)[1]
    usual = np.array(list(_most_common(series, phase).values()))
    return 2 * np.bincount(series, phase == usual[series]) > np.bincount(series)


def _typical(owner: np.ndarray, steps: np.ndarray) -> dict[int, int]:
    """The smallest step of each owner, where all its others are multiples of it, else its most common."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    index = np.cumsum(np.diff(owner, prepend=-1) != 0) - 1
    smallest = np.minimum.reduceat(steps, starts)
    whole = np.logical_and.reduceat(steps % np.maximum(smallest, 1)[index] == 0, starts) & (smallest > 0)
    common = _most_common(owner, steps)
    keys = owner[starts].tolist()
    return {key: int(smallest[at]) if whole[at] else common[key] for at, key in enumerate(keys)}


def _most_common(owner: np.ndarray, values: np.ndarray) -> dict[int, int]:
    """The most common value of each owner, the smallest of several."""
    order = np.lexsort((values, owner))
    owner, values = owner[order], values[order]
    new = np.flatnonzero(np.r_[True, (np.diff(owner) != 0) | (np.diff(values) != 0)])
    counts = np.diff(np.r_[new, len(owner)])
    best = np.lexsort((values[new], -counts, owner[new]))
    first = best[np.r_[True, np.diff(owner[new][best]) != 0]]
    return dict(zip(owner[new][first].tolist(), values[new][first].tolist(), strict=True))
