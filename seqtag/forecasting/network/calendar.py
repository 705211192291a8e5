"""Calendar features inside a TensorFlow graph, so that a SavedModel reads timestamps without pandas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.series.frequency import DAY, wall_clock
from seqtag.errors import did_you_mean

_HOUR = DAY // 24
_MONDAY = 3  # 1970-01-01 was a Thursday
_FROM_MARCH_YEAR_0 = 719_468  # days from 0000-03-01 to 1970-01-01
_CENTURIES_4 = 146_097  # days in 400 years


def zone_offsets(time_zone: str | None) -> tuple[np.ndarray, np.ndarray]:
    """When the clocks of a zone change between 1970 and 2100, and by how much they are ahead of UTC.

    Args:
        time_zone: an IANA name; None for times without a zone, whose clocks never change.

    Returns:
        int64 `changes`, microseconds in UTC, rising, and int64 `(changes + 1,)` offsets in microseconds: before the
        first change, then from each on.

    Example:
        >>> changes, offsets = zone_offsets("Asia/Tokyo")
        >>> changes.tolist(), (offsets / 3.6e9).tolist()
        ([], [9.0])
    """
    end = np.datetime64("2101", "us").astype(np.int64)
    hours = np.arange(0, end, _HOUR)
    offsets = wall_clock(hours, time_zone) - hours
    before = np.flatnonzero(np.diff(offsets))
    low, high = hours[before], hours[before + 1]
    while (high - low > 1).any():  # the change lies in (low, high]
        middle = (low + high) // 2
        changed = wall_clock(middle, time_zone) - middle != offsets[before]
        low, high = np.where(changed, low, middle), np.where(changed, middle, high)
    return high, offsets[np.r_[0, before + 1]]


class GraphCalendar:
    """`seqtag.forecasting.data.calendar_features` for tensors; equal to it to 1e-6 from 1970 to 2100.

    The zone's clock changes are constants of the graph. Outside these years the first and the last offset are used.

    Args:
        cycles: any of `time_of_day`, `day_of_week`, `day_of_month`, `day_of_year`, `month_of_year`; those that suit a
            frequency are `calendar_cycles(frequency)`.
        time_zone: the time zone of the clocks and the calendar, an IANA name; None where times have none.

    Attributes:
        names: of the features, as `calendar_features` gives them.

    Raises:
        ValueError: an unknown cycle.

    Example:
        >>> calendar = GraphCalendar(("month_of_year",), time_zone=None)
        >>> calendar.names, calendar(tf.constant([0], tf.int64)).numpy().tolist()
        (('month_of_year_sin', 'month_of_year_cos'), [[0.0, 1.0]])
    """

    def __init__(self, cycles: Sequence[str], time_zone: str | None) -> None:
        for cycle in cycles:
            if cycle not in _PLACES:
                raise ValueError(f"unknown cycle {cycle!r}{did_you_mean(cycle, _PLACES, 'cycles')}")
        self.cycles = tuple(cycles)
        self.names = tuple(f"{cycle}_{wave}" for cycle in cycles for wave in ("sin", "cos"))
        self._changes, self._offsets = zone_offsets(time_zone)

    def __call__(self, times: Any) -> Any:
        """The features float32 `(..., names)` of `times`, int64 `(...)`: microseconds since 1970 in UTC."""
        times = tf.convert_to_tensor(times, tf.int64)
        day, within = _divmod(self._wall(times), DAY)
        date = _Date(day)
        places = [_PLACES[cycle](date, within) for cycle in self.cycles]
        features = [wave(2 * math.pi * place) for place in places for wave in (tf.sin, tf.cos)]
        if not features:
            return tf.zeros(tf.concat([tf.shape(times), [0]], axis=0), tf.float32)
        return tf.cast(tf.stack(features, axis=-1), tf.float32)

    def _wall(self, times: Any) -> Any:
        """The local time in the zone."""
        if not len(self._changes):
            return times + self._offsets[0]
        changes = tf.constant(self._changes, tf.int64)
        since = tf.searchsorted(changes, tf.reshape(times, [-1]), side="right")
        return times + tf.reshape(tf.gather(tf.constant(self._offsets, tf.int64), since), tf.shape(times))


class _Date:
    """The proleptic Gregorian date of days since 1970, after Howard Hinnant's `civil_from_days`.

    Years begin in March, so that the leap day is the last day of a year, and 400 years repeat:
    "chrono-Compatible Low-Level Date Algorithms", https://howardhinnant.github.io/date_algorithms.html. Month m from
    March begins on day (153 m + 2) // 5 of the year.
    """

    def __init__(self, day: Any) -> None:
        self.day = day
        era, of_era = _divmod(day + _FROM_MARCH_YEAR_0, _CENTURIES_4)
        year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
        self.of_march_year = of_era - (365 * year + year // 4 - year // 100)
        self.from_march = (5 * self.of_march_year + 2) // 153
        self.before_march = self.from_march >= 10
        self.month = tf.where(self.before_march, self.from_march - 10, self.from_march + 2)
        civil = era * 400 + year + tf.cast(self.before_march, tf.int64)
        leap = (civil % 4 == 0) & ((civil % 100 != 0) | (civil % 400 == 0))
        self.leap = tf.cast(leap, tf.int64)

    def of_year(self) -> Any:
        """Days since the first of January."""
        return tf.where(self.before_march, self.of_march_year - 306, self.of_march_year + 59 + self.leap)

    def of_month(self) -> Any:
        """Days since the first of the month."""
        return self.of_march_year - _month_start(self.from_march)

    def month_length(self) -> Any:
        """Days in the month."""
        length = _month_start(self.from_march + 1) - _month_start(self.from_march)
        return tf.where(self.from_march == 11, 28 + self.leap, length)


def _month_start(from_march: Any) -> Any:
    return (153 * from_march + 2) // 5


def _divmod(number: Any, divisor: int) -> tuple[Any, Any]:
    whole = number // divisor
    return whole, number - whole * divisor


def _share(part: Any, whole: Any) -> Any:
    return tf.cast(part, tf.float64) / tf.cast(whole, tf.float64)


_PLACES = {
    "time_of_day": lambda date, within: _share(within, DAY),
    "day_of_week": lambda date, within: _share((date.day + _MONDAY) % 7, 7),
    "day_of_month": lambda date, within: _share(date.of_month(), date.month_length()),
    "day_of_year": lambda date, within: _share(date.of_year(), 365 + date.leap),
    "month_of_year": lambda date, within: _share(date.month, 12),
}
