"""Calendar features: where a step lies in the day, the week, the month and the year, as the frequency needs."""

from __future__ import annotations

from typing import Literal

import numpy as np

from seqtag.data.series.frequency import DAY, MONDAY, Frequency, wall_clock

# The cycles of an offset's times, by the shortest cycle that has several of them.
_OF_OFFSETS: dict[str, tuple[str, ...]] = {
    "day": ("time_of_day", "day_of_week", "day_of_year"),
    "week": ("day_of_week", "day_of_month", "day_of_year"),
    "month": ("day_of_month", "day_of_year"),
    "year": ("month_of_year",),
}


def calendar_cycles(frequency: Frequency) -> tuple[str, ...]:
    """The calendar cycles that matter for a frequency: those longer than its step, from the day to the year.

    Example:
        >>> calendar_cycles(Frequency.parse("h")), calendar_cycles(Frequency.parse("QS"))
        (('time_of_day', 'day_of_week', 'day_of_year'), ('month_of_year',))
        >>> calendar_cycles(Frequency.parse("SME"))
        ('day_of_month', 'day_of_year')
    """
    if frequency.kind == "offset":
        return _OF_OFFSETS[frequency.grid.cycle]
    if frequency.kind == "clock" and frequency.step < DAY:
        return "time_of_day", "day_of_week", "day_of_year"
    if frequency.kind == "month":
        return ("month_of_year",) if frequency.step % 12 else ()
    if frequency.kind == "integer":
        return ()
    weekly = frequency.kind == "day" and frequency.step % 7 == 0
    return ("day_of_year",) if weekly else ("day_of_week", "day_of_month", "day_of_year")


def calendar_features(
    frequency: Frequency, times: np.ndarray, time_zone: str | None
) -> tuple[tuple[str, ...], np.ndarray]:
    """Features of times, in local time.

    With p in [0, 1) the place in a cycle (0 is midnight, Monday, the first of the month or of January), they are
    `sin 2 pi p` and `cos 2 pi p`, which do not jump from December to January.

    Args:
        frequency: decides the cycles, see `calendar_cycles`.
        times: int64 `(...)`, as in `SeriesTable.times`.
        time_zone: the time zone.

    Returns:
        The names of the features, and the features, float32 `(..., names)`.

    Example:
        >>> names, features = calendar_features(Frequency.parse("MS"), np.array([0]), None)
        >>> names, features.tolist()
        (('month_of_year_sin', 'month_of_year_cos'), [[0.0, 1.0]])
    """
    cycles = calendar_cycles(frequency)
    flat = np.asarray(times, np.int64).ravel()
    wall = wall_clock(flat, time_zone) if cycles else flat
    places = np.array([_PLACES[cycle](wall) for cycle in cycles], np.float64).reshape(len(cycles), flat.size)
    names = tuple(f"{cycle}_{wave}" for cycle in cycles for wave in ("sin", "cos"))
    features = np.stack([np.sin(2 * np.pi * places), np.cos(2 * np.pi * places)], axis=1)
    return names, features.reshape(len(names), flat.size).T.reshape(*np.shape(times), len(names)).astype(np.float32)


def _time_of_day(wall: np.ndarray) -> np.ndarray:
    return wall % DAY / DAY


def _day_of_week(wall: np.ndarray) -> np.ndarray:
    return (wall // DAY + MONDAY) % 7 / 7


def _day_of_month(wall: np.ndarray) -> np.ndarray:
    return _day_within(wall, "M")


def _day_of_year(wall: np.ndarray) -> np.ndarray:
    return _day_within(wall, "Y")


def _month_of_year(wall: np.ndarray) -> np.ndarray:
    return wall.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12 / 12


def _day_within(wall: np.ndarray, unit: Literal["M", "Y"]) -> np.ndarray:
    """The part of the month or year that lies before the day."""
    period = wall.astype("datetime64[us]").astype(f"datetime64[{unit}]")
    first, end = (moment.astype("datetime64[D]").astype(np.int64) for moment in (period, period + 1))
    return (wall // DAY - first) / (end - first)


_PLACES = {
    "time_of_day": _time_of_day,
    "day_of_week": _day_of_week,
    "day_of_month": _day_of_month,
    "day_of_year": _day_of_year,
    "month_of_year": _month_of_year,
}
