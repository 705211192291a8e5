"""Infers the frequency of series from their times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from seqtag.data.series.frequency import DAY, MONDAY, Frequency, format_time, to_timestamps, wall_clock
from seqtag.data.series.offsets import offset_text
from seqtag.errors import DataError, shown

# Offsets that are tried beside the one that pandas infers, which it cannot where rows are missing.
_OF_HOURS, _OF_WEEKS = ("bh",), ("BMS", "BME", "SMS", "SME")


def offsets_that_may_fit(
    times: np.ndarray, series: np.ndarray, time_zone: str | None, integer: bool
) -> Iterator[Frequency]:
    """Offsets that the times may be of: what pandas infers from the longest series, and some common ones."""
    if integer:
        return
    longest = int(np.bincount(series).argmax())
    wall = to_timestamps(wall_clock(times[series == longest], time_zone), None)
    if len(wall) < 3:
        return
    guess = pd.DatetimeIndex(wall, freq="infer").freq
    smallest = int(np.diff(wall.asi8).min())
    names = _OF_HOURS if smallest == DAY // 24 else _OF_WEEKS if smallest > 12 * DAY else ()
    names = names if guess is None else (offset_text(guess), *names)
    yield from (frequency for frequency in map(Frequency.parse, names) if frequency.kind == "offset")


def infer_frequency(
    times: np.ndarray, series: np.ndarray, ids: np.ndarray, time_zone: str | None, integer: bool
) -> Frequency:
    """The frequency that all series share.

    The frequency of a series with three rows or more is the smallest step between its rows, if all other steps are
    multiples of it, else the most common step. Series with two rows count only where no series has three. Days are
    business days where a series steps over a weekend and has no weekend. Where too many rows are missing for this, the
    frequency has to be given.

    Args:
        times: int64 `(rows,)`, ascending within each series.
        series: the series of each row, as in `Frequency.locate`.
        ids: the ids of the series, for messages.
        time_zone: the time zone of the calendar.
        integer: whether times are plain integers.

    Raises:
        DataError: no series has two rows, or two series have different steps.
    """
    inside = series[1:] == series[:-1]
    owner = series[1:][inside]
    if not len(owner):
        raise DataError(
            "expected a frequency to be given, found no series of two rows to infer it from", setting="data.frequency"
        )
    enough = np.bincount(owner, minlength=len(ids))[owner] > 1
    chosen = enough if enough.any() else np.ones_like(enough)
    named = _steps(times, series, inside, time_zone, integer, chosen)
    first_series, first = next(iter(named.items()))
    for other, frequency in named.items():
        if frequency != first:
            raise DataError(
                f"series {shown(ids[other])}: expected frequency {shown(first.name)} as in series"
                f" {shown(ids[first_series])}, found {shown(frequency.name)}"
                f" from {format_time(times[series == other][0], time_zone, integer)}",
                setting="data.frequency",
            )
    return first


def _steps(
    times: np.ndarray, series: np.ndarray, inside: np.ndarray, time_zone: str | None, integer: bool, chosen: np.ndarray
) -> dict[int, Frequency]:
    """The frequency of each series that has enough steps; `chosen` is the mask of the steps that count."""
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
    """Series within one working week do not show whether weekends count: they take the frequency of the others."""
    if Frequency("business_day") in found.values():
        undecided = [key for key, value in found.items() if value == Frequency("day") and weekends[key] == 0]
        found.update(dict.fromkeys(undecided, Frequency("business_day")))
    return found


def _keeps_weekends(wall: np.ndarray, series: np.ndarray) -> np.ndarray:
    """For each series 1 where it has a Saturday or Sunday, -1 where it steps over a weekend, else 0."""
    day = wall // DAY + MONDAY
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    has = np.logical_or.reduceat(day % 7 > 4, starts)
    spans = np.maximum.reduceat(day // 7, starts) > np.minimum.reduceat(day // 7, starts)
    return np.where(has, 1, np.where(spans, -1, 0))


def _same_day_of_month(wall: np.ndarray, series: np.ndarray) -> np.ndarray:
    """For each series, whether most of its times are on the same day of the month, or on the last day of the month."""
    phase = Frequency("month").locate(wall, series, None)[1]
    usual = np.array(list(_most_common(series, phase).values()))
    return 2 * np.bincount(series, phase == usual[series]) > np.bincount(series)


def _typical(owner: np.ndarray, steps: np.ndarray) -> dict[int, int]:
    """The smallest step of each owner where all its other steps are multiples of it, else its most common step."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    index = np.cumsum(np.diff(owner, prepend=-1) != 0) - 1
    smallest = np.minimum.reduceat(steps, starts)
    whole = np.logical_and.reduceat(steps % np.maximum(smallest, 1)[index] == 0, starts) & (smallest > 0)
    common = _most_common(owner, steps)
    keys = owner[starts].tolist()
    return {key: int(smallest[at]) if whole[at] else common[key] for at, key in enumerate(keys)}


def _most_common(owner: np.ndarray, values: np.ndarray) -> dict[int, int]:
    """The most common value of each owner; the smallest where several are."""
    order = np.lexsort((values, owner))
    owner, values = owner[order], values[order]
    new = np.flatnonzero(np.r_[True, (np.diff(owner) != 0) | (np.diff(values) != 0)])
    counts = np.diff(np.r_[new, len(owner)])
    best = np.lexsort((values[new], -counts, owner[new]))
    first = best[np.r_[True, np.diff(owner[new][best]) != 0]]
    return dict(zip(owner[new][first].tolist(), values[new][first].tolist(), strict=True))
