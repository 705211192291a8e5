"""Offsets of pandas that no fixed step gives, such as `BME`, `SME`, `bh`: as text, and as a grid of times.

The times of such an offset are found by pandas, once for some decades around 2000, and numbered from there.
"""

from __future__ import annotations

import ast
import re
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

# Names that pandas had before version 2.2, and those that it has now.
RENAMED = {
    "M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "BM": "BME", "BQ": "BQE", "BY": "BYE", "BA": "BYE", "CBM": "CBME",
    "SM": "SME", "AS": "YS", "BAS": "BYS", "H": "h", "BH": "bh", "CBH": "cbh", "T": "min", "S": "s", "L": "ms",
    "U": "us", "N": "ns", "d": "D", "b": "B", "w": "W",
}  # fmt: skip
# Years before and after 2000 that a grid has at first, and the most times that one may have.
YEARS, MAX_TIMES = 32, 300_000
_ZERO = np.datetime64("2000-01-01", "us").astype(np.int64)
_ALIAS = re.compile(r"(-?\d*)([A-Za-z]+)(-.+)?")


def parse_offset(text: str) -> pd.offsets.BaseOffset:
    """The offset that a text names: an alias of pandas, or a class with its arguments.

    Aliases of older versions of pandas (`M`, `H`, `T`, `Q`, `A`, `BM`) mean what they meant.

    Raises:
        ValueError: pandas has no such offset.

    Example:
        >>> parse_offset("M"), parse_offset("30T"), parse_offset("A-JUN")
        (<MonthEnd>, <30 * Minutes>, <YearEnd: month=6>)
        >>> parse_offset("CustomBusinessDay(weekmask='Sun Mon Tue Wed Thu')").weekmask
        'Sun Mon Tue Wed Thu'
    """
    if text.endswith(")"):
        return _called(text)
    alias = _ALIAS.fullmatch(text.strip())
    if alias:
        count, name, anchor = alias.groups(default="")
        text = count + RENAMED.get(name, name) + anchor
    try:
        return to_offset(text)
    except ValueError:
        known = "an offset of pandas such as 'h', 'D', 'W', 'MS', 'QE' or 'BME'"
        raise ValueError(f"invalid frequency: {text[:60]}, expected {known}") from None


def _called(text: str) -> pd.offsets.BaseOffset:
    """The offset of `CLASS(KEY=VALUE, ...)`, whose values are literals."""
    wrong = ValueError(f"expected an offset of pandas such as BusinessHour(start='10:00'), found {text!r}")
    try:
        call = ast.parse(text, mode="eval").body
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)) or call.args:
            raise wrong
        kind = getattr(pd.offsets, call.func.id, None)
        if not (isinstance(kind, type) and issubclass(kind, pd.offsets.BaseOffset)):
            raise wrong
        return kind(**{str(word.arg): ast.literal_eval(word.value) for word in call.keywords})
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
        raise wrong from None


def as_offset_text(value: Any) -> Any:
    """A frequency that is an offset of pandas or a length of time as its text; others as they are.

    Raises:
        ValueError: see `offset_text`.
    """
    if isinstance(value, pd.offsets.BaseOffset | timedelta):
        return offset_text(to_offset(value))
    return value


def offset_text(offset: pd.offsets.BaseOffset) -> str:
    """The text of an offset, of which `parse_offset` makes an equal one.

    Raises:
        ValueError: the offset has an argument that no text says, such as a shift by a timedelta.

    Example:
        >>> offset_text(pd.offsets.BMonthEnd(2)), offset_text(pd.offsets.BusinessHour(start="10:00"))
        ('2BME', "BusinessHour(start=['10:00'], end=['17:00'])")
    """
    alias = offset.freqstr
    if _ALIAS.fullmatch(alias) and to_offset(alias) == offset:
        return alias
    words = {"n": offset.n} if offset.n != 1 else {}
    words |= {key: _literal(value) for key, value in offset.kwds.items() if key != "calendar" and value}
    text = f"{type(offset).__name__}({', '.join(f'{key}={value!r}' for key, value in words.items())})"
    if parse_offset(text) != offset:
        raise ValueError(f"expected an offset that its name and arguments describe, found {offset!r}")
    return text


def _literal(value: Any) -> Any:
    """An argument of an offset as Python writes it: dates and clock times as text."""
    if isinstance(value, tuple | list):
        return [_literal(part) for part in value]
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, np.datetime64 | date):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value


def depends_on_start(offset: pd.offsets.BaseOffset) -> bool:
    """Whether the times of an offset are counted from a start, as those of every two months and three days are."""
    return type(offset) is pd.DateOffset


class OffsetGrid:
    """The times of an offset on the clocks of a zone, in microseconds since 1970; time 0 is the first from 2000 on.

    Args:
        text: the offset, without a count before it.

    Example:
        >>> grid = OffsetGrid("SME")
        >>> grid.times(np.array([-1, 0, 1])).astype("datetime64[us]").astype("datetime64[D]").astype(str).tolist()
        ['1999-12-31', '2000-01-15', '2000-01-31']
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def unit(self) -> int:
        """What a time may lie after one of the grid's, in microseconds: an hour for business hours, else a day."""
        return (1 if self.cycle == "day" else 24) * 3_600_000_000

    @property
    def per_year(self) -> float:
        """Times a year, the mean of eight years."""
        years = np.array(["2001", "2009"], "datetime64[us]").astype(np.int64)
        return float(np.diff(np.searchsorted(_times(self.text, YEARS), years))[0]) / 8

    @property
    def cycle(self) -> Literal["day", "week", "month", "year"]:
        """The shortest cycle of the calendar that has several of the times.

        Example:
            >>> [OffsetGrid(name).cycle for name in ("bh", "C", "SME", "BME")]
            ['day', 'week', 'month', 'year']
        """
        times = self.per_year
        return "day" if times > 366 else "week" if times > 100 else "month" if times > 18 else "year"

    @property
    def per_cycle(self) -> int:
        """Times of a cycle: of a day that has some, of a week or of a year."""
        if self.cycle == "day":
            days = _times(self.text, YEARS) // 86_400_000_000
            return round(len(days) / len(np.unique(days)))
        return round(self.per_year / (52.18 if self.cycle == "week" else 1))

    def locate(self, wall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of the last time of the grid at or before each time, and how long before, -1 where too long.

        Raises:
            ValueError: the grid would have too many times, or a time lies before its first one.
        """
        low, high = (int(end) // 31_000_000_000_000 - 30 for end in (wall.min(), wall.max()))
        grid = _times(self.text, _enough(max(-low, high) + 3))
        at = np.searchsorted(grid, wall, side="right") - 1
        if at.min() < 0:
            raise ValueError(f"expected times from the first {self.text!r} of the year 1 on, found one before it")
        after = wall - grid[at]
        return at - np.searchsorted(grid, _ZERO), np.where(after < self.unit, after, -1)

    def times(self, numbers: np.ndarray) -> np.ndarray:
        """The times of these numbers.

        Raises:
            ValueError: the grid would have too many times.
        """
        years = YEARS
        while True:
            grid = _times(self.text, years)
            at = numbers + np.searchsorted(grid, _ZERO)
            if not at.size or (at.min() >= 0 and at.max() < len(grid)):
                return grid[at]
            if years > 8000:
                raise ValueError("expected times in the years 1 to 9999, found one outside them")
            years *= 2


def _enough(years: int) -> int:
    """The years of a grid that reaches so far: powers of two, so that few grids are made."""
    return YEARS if years <= YEARS else 1 << (years - 1).bit_length()


@lru_cache(maxsize=8)
def _times(text: str, years: int) -> np.ndarray:
    """All times of an offset, from so many years before 2000 to as many after."""
    if years > YEARS and len(_times(text, YEARS)) * years / YEARS > MAX_TIMES:
        raise ValueError(f"expected times near 2000 for the offset {text!r}, found a time {years // 2} years away")
    offset = parse_offset(text).base
    if isinstance(offset, pd.offsets.Tick) or depends_on_start(offset):
        raise ValueError(f"expected an offset of the calendar, found {text[:60]!r}")
    first, last = f"{max(2000 - years, 1):04d}-01-01", f"{min(2000 + years, 9999)}-12-31"
    hours = isinstance(offset, pd.offsets.BusinessHour | pd.offsets.CustomBusinessHour)
    times = _business_hours(offset, first, last) if hours else pd.date_range(first, last, freq=offset, unit="us").asi8
    if not len(times):
        raise ValueError(f"expected an offset that has times, found {text!r}")
    times.setflags(write=False)
    return times


def _business_hours(offset: Any, first: str, last: str) -> np.ndarray:
    """The times of business hours: pandas makes one at a time, but those of a day are the same on every day."""
    custom = {name: offset.kwds[name] for name in ("weekmask", "holidays") if name in offset.kwds}
    days = pd.date_range(first, last, freq=pd.offsets.CustomBusinessDay(**custom), unit="us")
    opening = min(pd.Timedelta(hours=start.hour, minutes=start.minute) for start in offset.start)
    hours = pd.date_range(days[1] + opening, days[2] + opening, freq=offset, unit="us", inclusive="left")
    return (days.asi8[:, None] + (hours - days[1]).as_unit("us").asi8).ravel()
