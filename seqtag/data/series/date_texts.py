"""Texts of dates that are no ISO 8601: quarters, months and weeks by number, and the form of days and months."""

from __future__ import annotations

import numpy as np
import pandas as pd

_QUARTER = r"(?:(?P<year>\d{4})[-/ ]?Q(?P<part>[1-4])|Q(?P<part2>[1-4])[-/ ]?(?P<year2>\d{4}))"
_MONTH = r"(?P<year>\d{4})-?M(?P<part>\d{1,2})"
_WEEK = r"(?P<year>\d{4})-?W(?P<part>\d{1,2})(?:-?(?P<day>[1-7]))?"
_DAY_AND_MONTH = (
    r"(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})[./-](?P<year>\d{4}|\d{2})"
    r"(?P<time>[ T]\d{1,2}:\d{2})?(?P<seconds>:\d{2})?"
)


def as_iso(texts: pd.Series) -> pd.Series:
    """The values with quarters, months and weeks by number as the dates on which they begin; others as they are.

    Example:
        >>> as_iso(pd.Series(["2024Q2", "Q3 2024", "2024-M11", "2024W01", "2024-01-31"])).tolist()
        ['2024-04-01', '2024-07-01', '2024-11-01', '2024-01-01', '2024-01-31']
    """
    text = _strings(texts)
    if not text.str.contains("[QMWqmw]", na=False).any():
        return texts
    upper = text.str.strip().str.upper()
    found = _numbers(upper, _QUARTER)
    months = 3 * found["part"].fillna(found["part2"]) - 2
    year = found["year"].fillna(found["year2"])
    by_month = _numbers(upper, _MONTH)
    month, year = months.fillna(by_month["part"]), year.fillna(by_month["year"])
    dates = _month_starts(year, month).fillna(_week_starts(_numbers(upper, _WEEK)))
    return texts.where(dates.isna(), dates)


def _strings(values: pd.Series) -> pd.Series:
    """The values that are text; missing where they are others."""
    if pd.api.types.infer_dtype(values) != "string":
        values = values.where(values.map(lambda value: isinstance(value, str)))
    return values.astype("str")


def _numbers(texts: pd.Series, pattern: str) -> pd.DataFrame:
    """The groups of a pattern that matches whole texts, as numbers, NaN where it does not match."""
    return texts.str.extract(f"^{pattern}$").apply(pd.to_numeric)


def _month_starts(year: pd.Series, month: pd.Series) -> pd.Series:
    """The first days of months as text; missing where a month is none of 1 to 12."""
    real = month.between(1, 12) & (year >= 1)
    count = ((year - 1970) * 12 + month - 1).where(real, 0).to_numpy().astype(np.int64)
    days = pd.Series(count.astype("datetime64[M]").astype("datetime64[D]").astype(str), year.index, dtype="str")
    return days.where(real)


def _week_starts(found: pd.DataFrame) -> pd.Series:
    """The Mondays of weeks of ISO 8601 as text, or another day of them; missing where a year has no such week."""
    year, week, day = found["year"], found["part"], found["day"].fillna(1)
    real = week.between(1, 53) & (year >= 1)
    first = (year.where(real, 1970) - 1970).to_numpy().astype(np.int64).astype("datetime64[Y]").astype("datetime64[D]")
    # Week 1 is that of the fourth of January.
    fourth = first.astype(np.int64) + 3
    monday = fourth - (fourth + 3) % 7 + 7 * (week.where(real, 1).to_numpy().astype(np.int64) - 1)
    thursday = (monday + 3).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    real &= thursday == year
    days = monday + day.to_numpy().astype(np.int64) - 1
    return pd.Series(days.astype("datetime64[D]").astype(str), year.index, dtype="str").where(real)


def date_format_of(texts: pd.Series) -> str | None:
    """The form of texts such as 31.12.2024, in words; None where they are none.

    Example:
        >>> date_format_of(pd.Series(["01.02.2024", "31.12.2024"]))
        "'%d.%m.%Y'"
        >>> date_format_of(pd.Series(["1/2/2024 10:00"]))
        "'%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"
    """
    text = _strings(texts).str.strip()
    parts = text.str.extract(f"^{_DAY_AND_MONTH}$").dropna(subset=["first"])
    if not len(parts):
        return None
    first, second = (int(pd.to_numeric(parts[name]).max()) for name in ("first", "second"))
    sample = parts.iloc[0]
    mark, year = sample["mark"], "%Y" if len(sample["year"]) == 4 else "%y"
    clock = ""
    if pd.notna(sample["time"]):
        clock = sample["time"][0] + ("%H:%M" if pd.isna(sample["seconds"]) else "%H:%M:%S")
    forms = {"d": f"'%d{mark}%m{mark}{year}{clock}'", "m": f"'%m{mark}%d{mark}{year}{clock}'"}
    if first > 12 and second > 12:
        return None
    if first > 12 or second > 12:
        return forms["d" if first > 12 else "m"]
    return " or ".join(forms.values())
