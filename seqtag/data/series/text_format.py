"""How the text of a CSV file is written: separator, decimal mark, form of dates, encoding; told by its first lines."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
# Lines of a sample whose fields tell the decimal mark.
_LINES = 1000
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}([.\s']\d{3})+),\d+")
_POINT = re.compile(r"[+-]?(\d+|\d{1,3}([,\s']\d{3})+)\.\d+|[+-]?\d{1,3}(,\d{3}){2,}")
_EITHER = re.compile(r"[+-]?\d{1,3}[.,]\d{3}")


@dataclass(frozen=True)
class TextFormat:
    """How files are written; None where their first lines tell.

    Attributes:
        separator: what stands between fields, one character; a comma, semicolon, TAB or bar is recognised.
        decimal: the decimal mark, "." or ",".
        date_format: of the times, as `strptime` takes it, such as `%d.%m.%Y`; ISO 8601 unless given.
        encoding: of the bytes, as Python names it.

    Raises:
        ValueError: a value that is none of these.
    """

    separator: str | None = None
    decimal: str | None = None
    date_format: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if self.separator is not None and (len(self.separator) != 1 or self.separator in "\r\n\"'"):
            raise ValueError(f"expected a separator of one character such as ';', found {self.separator!r}")
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"expected the decimal mark '.' or ',', found {self.decimal!r}")
        if self.date_format is not None:
            check_date_format(self.date_format)
        try:
            with suppress(UnicodeDecodeError):  # of an encoding with two bytes for each character
                b"0".decode(self.encoding)
        except (LookupError, ValueError):
            raise ValueError(f"expected an encoding such as 'utf-8' or 'cp1252', found {self.encoding!r}") from None


def check_date_format(text: str) -> None:
    """Raises a `ValueError` unless `strptime` takes a form of dates."""
    try:
        pd.to_datetime(pd.Series(["x"]), format=text, errors="coerce")
        known = "%" in text
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"expected a form of dates such as '%d.%m.%Y', found {text!r}")


# A file of which nothing is known.
PLAIN = TextFormat()


class Written(NamedTuple):
    """How a file is written: its separator and its decimal mark, None where nothing tells it."""

    separator: str
    decimal: str | None

    def describe(self) -> str:
        """What is unusual, in words; "" for a file with commas between fields and points in numbers."""
        names = {"\t": "TAB", ";": "semicolons", "|": "bars", ",": "commas"}
        parts = [names.get(self.separator, repr(self.separator)) + " between fields"] if self.separator != "," else []
        return ", ".join([*parts, *(["decimal commas"] if self.decimal == "," else [])])


def detect(sample: bytes, encoding: str, form: TextFormat) -> tuple[Written, list[str], int]:
    """How a file is written, the names of its columns, and the 1-based number of the line with these names.

    Args:
        sample: the first bytes of the file.
        encoding: of the bytes.
        form: what is known already.

    Raises:
        UnicodeError: the bytes are of another encoding.
        csv.Error: no table.

    Example:
        >>> detect(b"unique_id;ds;y\\na;2024-01-01;1.234,5\\n", "utf-8", TextFormat())
        (Written(separator=';', decimal=','), ['unique_id', 'ds', 'y'], 1)
    """
    text = codecs.getincrementaldecoder(encoding)().decode(sample).removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    header = lines[first] if lines else ""
    if "\0" in header:
        raise UnicodeError("NUL bytes, as in UTF-16")
    separator = form.separator or max(SEPARATORS, key=lambda mark: len(_fields(header, mark)))
    rows = csv.reader(lines[first + 1 : first + 1 + _LINES], delimiter=separator)
    decimal = form.decimal or _decimal((field.strip() for row in rows for field in row), separator)
    return Written(separator, decimal), _fields(header, separator), first + 1


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _decimal(fields: Iterable[str], separator: str) -> str | None:
    """The decimal mark of fields; None where none has one, or where some have a comma and some a point.

    `1,234` may be a thousand. Where semicolons or TABs stand between fields, it is a decimal comma, as programs write
    it that cannot have commas between fields.
    """
    comma = point = False
    for field in fields:
        if not field[-1:].isdigit():
            continue
        unclear = bool(_EITHER.fullmatch(field)) and ("." in field or separator == ",")
        comma = comma or (not unclear and bool(_COMMA.fullmatch(field)))
        point = point or (not unclear and bool(_POINT.fullmatch(field)))
    return None if comma == point else "," if comma else "."


def numbers_of(column: pd.Series, decimal: str) -> pd.Series:
    """A column of text with its numbers in Python's form; as numbers, if all values are some.

    Thousands may be apart by the other mark, a space or an apostrophe.

    Example:
        >>> numbers_of(pd.Series(["1.234,5", "-7", None]), ",").tolist()
        [1234.5, -7.0, nan]
        >>> numbers_of(pd.Series(["1.234,5", "x"]), ",").tolist()
        ['1234.5', 'x']
    """
    other = "." if decimal == "," else ","
    grouped = rf"[+-]?(?:\d{{1,3}}(?:[\{other}\s']\d{{3}})+|\d+)(?:\{decimal}\d+)?(?:[eE][+-]?\d+)?"
    text = column.str.strip()
    numbers = text.str.fullmatch(grouped).fillna(False).astype(bool)
    if not numbers.any():
        return column
    plain = text.str.replace(rf"[\{other}\s']", "", regex=True).str.replace(decimal, ".", regex=False)
    if (numbers | column.isna()).all():
        return pd.to_numeric(plain)
    return plain.where(numbers, column)
