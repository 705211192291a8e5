"""Reads a column of timestamps or integers as int64 with its time zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqtag.data.series.frames import RowNames
from seqtag.errors import shown

_OFFSET = r":\d{2}(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, eq=False)
class Times:
    """The times of a frame's rows.

    Attributes:
        values: int64 `(rows,)`, microseconds since 1970 in UTC, or plain integers.
        time_zone: the name of the time zone, None for timestamps without one.
        integer: whether times are plain integers.
    """

    values: np.ndarray
    time_zone: str | None
    integer: bool


def read_times(column: pd.Series, rows: RowNames, time_zone: str | None = None) -> Times:
    """Reads the timestamps or integers of a column, in one time zone.

    Timestamps without a time zone are local times of `time_zone`, where it is given. Of a local time that occurs twice,
    because clocks are put back, the first row of a series is the first and its second row the second. Timestamps with a
    time zone are converted to `time_zone`; where it is not given, all must have the same time zone.

    Args:
        column: datetimes, text in ISO 8601, or integers. Text such as 1/2/2024 is refused, because day and month cannot
            be told apart.
        rows: the names of the rows, for messages.
        time_zone: the name of the time zone, such as `Europe/Berlin`.

    Raises:
        DataError: a time is missing, cannot be read, is finer than a microsecond, is a local time that does not exist,
            or has another time zone than the first row.
        ValueError: `time_zone` is not a known time zone.
    """
    if time_zone is not None:
        check_time_zone(time_zone)
    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        if time_zone is not None:
            raise rows.error(0, f"expected timestamps for the time zone {time_zone}, found integers")
        return Times(column.to_numpy(np.int64), None, True)
    missing = column.isna().to_numpy()
    if missing.any():
        raise rows.error(int(missing.argmax()), "expected a time, found none")
    parsed = _parse(column, rows, time_zone)
    given = parsed.tz
    if time_zone is not None:
        parsed = _localize(parsed, rows, time_zone) if given is None else parsed.tz_convert(time_zone)
    name = time_zone or (None if given is None else _name(given))
    whole = parsed.as_unit("us")
    if (whole != parsed).any():
        raise rows.error(int((whole != parsed).argmax()), "expected a time of whole microseconds, found a finer one")
    return Times(whole.asi8, name, False)


def check_time_zone(time_zone: str) -> None:
    """Raises a `ValueError` unless pandas knows the time zone."""
    try:
        pd.Timestamp(0, tz=time_zone)
    except Exception:  # its type depends on where pandas finds time zones
        raise ValueError(f"expected the name of a time zone such as 'Europe/Berlin', found {time_zone!r}") from None


def _name(time_zone: object) -> str:
    """The name of a time zone, or its offset, in a form that pandas can read."""
    name = getattr(time_zone, "key", None) or getattr(time_zone, "zone", None)
    return name or str(time_zone).removeprefix("UTC") or "UTC"


def _parse(column: pd.Series, rows: RowNames, time_zone: str | None) -> pd.DatetimeIndex:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.DatetimeIndex(column)
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        raise rows.error(0, f"expected timestamps or integers, found {column.dtype}")
    zones = _zones(column)
    _check_zones(zones, rows, time_zone)
    with_zone = bool(zones.notna().iloc[0])
    parsed = pd.to_datetime(column, errors="coerce", utc=with_zone, format="ISO8601")
    wrong = parsed.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise rows.error(
            row, f"expected a timestamp such as 2024-01-31 or 2024-01-31 13:00, found {shown(column.iloc[row])}"
        )
    index = pd.DatetimeIndex(parsed)
    first = zones.iloc[0]
    return index.tz_convert("UTC" if first in ("Z", "UTC") else first) if with_zone and time_zone is None else index


def _zones(column: pd.Series) -> pd.Series:
    """The time zone of each row as text, None where it has none."""
    if all(isinstance(value, str) for value in column):
        return column.astype(object).str.extract(_OFFSET, expand=False)
    zones = (getattr(value, "tzinfo", None) for value in column)
    return pd.Series([None if time_zone is None else _name(time_zone) for time_zone in zones], dtype=object)


def _check_zones(zones: pd.Series, rows: RowNames, time_zone: str | None) -> None:
    codes = pd.factorize(zones, use_na_sentinel=False)[0]
    has = zones.notna().to_numpy()
    other = has != has[0] if time_zone is not None else codes != codes[0]
    if other.any():
        row = int(other.argmax())
        first, found = (zones.iloc[at] if has[at] else "none" for at in (0, row))
        hint = "" if time_zone is not None else "; name the time zone if clocks change"
        raise rows.error(row, f"expected the time zone of the first row, {first}, found {found}{hint}")


def _localize(wall: pd.DatetimeIndex, rows: RowNames, time_zone: str) -> pd.DatetimeIndex:
    first = ~pd.DataFrame({"series": rows.series, "wall": wall.asi8}).duplicated().to_numpy()
    local = wall.tz_localize(time_zone, ambiguous=first, nonexistent="NaT")
    skipped = local.isna()
    if skipped.any():
        raise rows.error(
            int(skipped.argmax()), f"expected a time that clocks in {time_zone} show, found one that they skip"
        )
    return local
