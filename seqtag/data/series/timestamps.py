"""Reads a column of timestamps, periods or integers as int64 with its time zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqtag.data.series.date_texts import as_iso, date_format_of
from seqtag.data.series.frames import RowNames
from seqtag.errors import DataError, shown

_OFFSET = r":\d{2}(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})$"
# The greatest integer time: differences of two, and steps after them, stay within int64.
MAX_INTEGER = 2**61
EARLIEST, LATEST = (np.datetime64(text, "us").astype(np.int64) for text in ("0001-01-01", "9999-12-31T23:59:59"))


@dataclass(frozen=True, eq=False)
class Times:
    """The times of a frame's rows.

    Attributes:
        values: int64 `(rows,)`, microseconds since 1970 in UTC, or plain integers.
        time_zone: the name of the time zone, None for timestamps without one.
        integer: whether times are plain integers.
        frequency: the frequency of a column of periods; None for others.
    """

    values: np.ndarray
    time_zone: str | None
    integer: bool
    frequency: str | None = None


def read_times(
    column: pd.Series, rows: RowNames, time_zone: str | None = None, date_format: str | None = None
) -> Times:
    """Reads the timestamps, periods or integers of a column, in one time zone.

    Timestamps without a time zone are local times of `time_zone`, where it is given. Of a local time that occurs twice,
    because clocks are put back, the first row of a series is the first and its second row the second; the other way
    round in a series whose rows go back in time. Timestamps with a time zone are converted to `time_zone`; where it is
    not given, all must have the same time zone. A period stands for its first moment.

    Args:
        column: datetimes, periods, integers (also as floats), or text: ISO 8601, a quarter such as `2024Q1`, a month
            such as `2024-M01` or a week such as `2024W05`, which begins on its Monday. Text such as 1/2/2024 needs
            `date_format`, because day and month cannot be told apart.
        rows: the names of the rows, for messages.
        time_zone: the name of the time zone, such as `Europe/Berlin`.
        date_format: the form of text, as `strptime` takes it; digits without marks may be integers then.

    Raises:
        DataError: a time is missing, cannot be read, is finer than a microsecond, is a local time that does not exist,
            lies outside the years 1 to 9999 or, as an integer, beyond 2^61, or has another time zone than the first
            row.
        ValueError: `time_zone` is not a known time zone.
    """
    if time_zone is not None:
        check_time_zone(time_zone)
    missing = column.isna().to_numpy()
    if missing.any():
        raise rows.error(int(missing.argmax()), "expected a time, found none")
    integers = _integers(column, rows)
    if integers is not None and date_format is None:
        if time_zone is not None:
            raise rows.error(0, f"expected timestamps for the time zone {time_zone}, found integers")
        return Times(integers, None, True)
    if integers is not None:
        column = pd.Series(integers).astype(str)
    parsed, frequency = _parse(column, rows, time_zone, date_format)
    given = parsed.tz
    if time_zone is not None:
        parsed = _localize(parsed, rows, time_zone) if given is None else parsed.tz_convert(time_zone)
    name = time_zone or (None if given is None else _name(given))
    whole = parsed.as_unit("us")
    if (whole != parsed).any():
        raise rows.error(int((whole != parsed).argmax()), "expected a time of whole microseconds, found a finer one")
    values = whole.asi8
    far = (values < EARLIEST) | (values > LATEST)
    if far.any():
        raise rows.error(int(far.argmax()), "expected a time in the years 1 to 9999, found another")
    return Times(values, name, False, frequency)


def _integers(column: pd.Series, rows: RowNames) -> np.ndarray | None:
    """The times of a column of integers, or of floats without a fraction; None for other columns."""
    floats = pd.api.types.is_float_dtype(column.dtype)
    if column.dtype == object and pd.api.types.infer_dtype(column) == "integer":
        sizes = np.array([abs(value) > MAX_INTEGER for value in column])
    elif pd.api.types.is_integer_dtype(column.dtype) or floats:
        numbers = column.to_numpy(np.float64) if floats else column.to_numpy()
        fraction = numbers != np.floor(numbers)
        if fraction.any():
            raise rows.error(int(fraction.argmax()), f"expected timestamps or integers, found {column.dtype}")
        sizes = np.abs(numbers.astype(np.float64)) > (2.0**53 if floats else MAX_INTEGER)
    else:
        return None
    if sizes.any():
        raise rows.error(int(sizes.argmax()), f"expected an integer time of at most {MAX_INTEGER}, found a larger one")
    return column.to_numpy(np.int64)


def check_no_dates(times: Times, rows: RowNames) -> None:
    """Raises a `DataError` where integers are all dates such as 20240131 or 202401, and not numbers of steps."""
    if not times.integer:
        return
    for unit, form in ((100, "%Y%m%d"), (1, "%Y%m")):
        month, day = np.divmod(times.values, unit) if unit > 1 else (times.values, np.ones_like(times.values))
        years, months = np.divmod(month, 100)
        dates = (years >= 1900) & (years <= 2100) & (months >= 1) & (months <= 12) & (day >= 1) & (day <= 31)
        if dates.all():
            raise rows.error(
                0, f"expected integers that count steps, found what may be dates, {form!r}", "data.date_format"
            )


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


def _parse(
    column: pd.Series, rows: RowNames, time_zone: str | None, date_format: str | None
) -> tuple[pd.DatetimeIndex, str | None]:
    """The times of a column, and the frequency of periods."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.DatetimeIndex(column), None
    kind = pd.api.types.infer_dtype(column)
    if kind == "period":
        periods = _periods(column, rows)
        return periods.to_timestamp(how="start"), periods.freqstr
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        raise rows.error(0, f"expected timestamps or integers, found {column.dtype}")
    # Series share their times: each is parsed once.
    codes, unique = pd.factorize(column)
    at = _Uniques(pd.Series(unique), np.unique(codes, return_index=True)[1], rows)
    return _parse_unique(at, time_zone, date_format).take(codes), None


@dataclass(frozen=True, eq=False)
class _Uniques:
    """The different times of a column, with the first row of each."""

    values: pd.Series
    first: np.ndarray
    rows: RowNames

    def error(self, at: int, message: str, setting: str | None = None) -> DataError:
        return self.rows.error(int(self.first[at]), message, setting)


def _periods(column: pd.Series, rows: RowNames) -> pd.PeriodIndex:
    try:
        return pd.PeriodIndex(column)
    except ValueError:
        raise rows.error(0, "expected periods of one length, found several") from None


def _parse_unique(times: _Uniques, time_zone: str | None, date_format: str | None) -> pd.DatetimeIndex:
    if pd.api.types.infer_dtype(times.values).startswith("mixed"):
        _refuse_numbers(times)
    zones = _zones(times.values)
    if date_format is None:
        _check_zones(zones, times, time_zone)
    with_zone = bool(zones.notna().iloc[0]) if date_format is None else "%z" in date_format
    values = as_iso(times.values) if date_format is None else times.values
    try:
        parsed = pd.to_datetime(values, errors="coerce", utc=with_zone, format=date_format or "ISO8601")
    except ValueError:  # pandas finds time zones where nobody writes them, as in 02:1-100
        raise _unreadable(times, _first_with_zone(values), date_format) from None
    wrong = parsed.isna().to_numpy()
    if wrong.any():
        raise _unreadable(times, int(wrong.argmax()), date_format)
    index = pd.DatetimeIndex(parsed)
    if not with_zone or time_zone is not None or date_format is not None:
        return index
    return index.tz_convert(zones.iloc[0])


def _first_with_zone(values: pd.Series) -> int:
    parsed = (pd.to_datetime(value, errors="coerce", format="ISO8601") for value in values)
    return next((at for at, time in enumerate(parsed) if getattr(time, "tzinfo", None) is not None), 0)


def _refuse_numbers(times: _Uniques) -> None:
    numbers = times.values.map(lambda value: isinstance(value, int | float)).to_numpy(bool)
    if numbers.any():
        at = int(numbers.argmax())
        raise times.error(at, f"expected a timestamp as in other rows, found {shown(times.values.iloc[at])}")


def _unreadable(times: _Uniques, at: int, date_format: str | None) -> DataError:
    found, setting = shown(times.values.iloc[at]), "data.date_format"
    if date_format is not None:
        return times.error(at, f"expected a time of the date format {date_format!r}, found {found}", setting)
    form = date_format_of(times.values)
    hint = "" if form is None else f", which may be {form}"
    return times.error(
        at,
        f"expected a timestamp such as 2024-01-31 or 2024-01-31 13:00, found {found}{hint}",
        None if form is None else setting,
    )


def _zones(values: pd.Series) -> pd.Series:
    """The time zone of each time as text, None where it has none."""
    if pd.api.types.infer_dtype(values) == "string":
        zones = values.astype(object).str.extract(_OFFSET, expand=False)
        zones = zones.str.replace(r"^([+-]\d{2})(\d{2})$", r"\1:\2", regex=True)
        return zones.replace(dict.fromkeys(("Z", "+00:00", "-00:00"), "UTC"))
    zones = (getattr(value, "tzinfo", None) for value in values)
    return pd.Series([None if time_zone is None else _name(time_zone) for time_zone in zones], dtype=object)


def _check_zones(zones: pd.Series, times: _Uniques, time_zone: str | None) -> None:
    codes = pd.factorize(zones, use_na_sentinel=False)[0]
    has = zones.notna().to_numpy()
    other = has != has[0] if time_zone is not None else codes != codes[0]
    if other.any():
        row = int(other.argmax())
        first, found = (zones.iloc[at] if has[at] else "none" for at in (0, row))
        setting = None if time_zone is not None else "data.time_zone"
        raise times.error(row, f"expected the time zone of the first row, {first}, found {found}", setting)


def _localize(wall: pd.DatetimeIndex, rows: RowNames, time_zone: str) -> pd.DatetimeIndex:
    local = wall.tz_localize(time_zone, ambiguous=_are_first(wall.asi8, rows), nonexistent="NaT")
    skipped = local.isna()
    if skipped.any():
        raise rows.error(
            int(skipped.argmax()),
            f"expected a time that clocks in {time_zone} show, found one that they skip",
            "data.time_zone",
        )
    return local


def _are_first(wall: np.ndarray, rows: RowNames) -> np.ndarray:
    """Whether each row is the first of those of its series at its local time."""
    codes = pd.factorize(rows.series)[0]
    places = pd.Series(np.arange(len(wall))).groupby(codes).agg(["first", "last"])
    backwards = (wall[places["last"]] < wall[places["first"]])[codes]
    pairs = pd.MultiIndex.from_arrays([codes, wall])
    return np.where(backwards, ~pairs.duplicated(keep="last"), ~pairs.duplicated(keep="first"))
