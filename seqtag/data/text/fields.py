r"""The fields of a line of CSV or of a table with TABs, quoted where they must be, and where each stands in its line.

A field may be quoted as RFC 4180 says: between double quotes, those inside it doubled. What only looks like a quote is
taken as it stands: tokens are often a lone quote, and many programs that write tables quote nothing.

>>> split_fields('1,",",O', ","), split_fields('"\tO', "\t")
(['1', ',', 'O'], ['"', 'O'])
"""

from __future__ import annotations

import re
from functools import lru_cache

QUOTE = '"'
# Between these, fields may be quoted as RFC 4180 says.
QUOTING = (",", ";")


@lru_cache(maxsize=8)
def _pattern(separator: str) -> re.Pattern[str]:
    s = re.escape(separator)
    return re.compile(rf'(?:^|{s})("(?:[^"]|"")*"(?={s}|$)|[^{s}]*)')


def split_fields(text: str, separator: str) -> list[str]:
    """The values of a line's fields."""
    if QUOTE not in text:
        return text.split(separator)
    return [_value(match[1], separator) for match in _pattern(separator).finditer(text)]


def stripped_fields(text: str, separator: str) -> list[str]:
    """The values of a line's fields without the spaces around them; quoted ones between commas and semicolons alone.

    >>> stripped_fields("Go. |  Kör!", "|"), stripped_fields('"Go, now",Kör', ",")
    (['Go.', 'Kör!'], ['Go, now', 'Kör'])
    """
    fields = split_fields(text, separator) if separator in QUOTING else text.split(separator)
    return [field.strip() for field in fields]


def number_of(column: str | int) -> int | None:
    """The number that a column is named by; None for a name."""
    try:
        return int(column)
    except ValueError:
        return None


def field_places(text: str, separator: str) -> list[tuple[int, int]]:
    """Where the fields of a line start and end, their quotes included."""
    return [match.span(1) for match in _pattern(separator).finditer(text)]


def written_field(value: str, separator: str, like: str = "") -> str:
    r"""A value as a field, quoted where it must be, or where the field that it stands in for was.

    >>> written_field("O", ","), written_field("O", ",", like='"B-PER"'), written_field("a,b", ",")
    ('O', '"O"', '"a,b"')
    """
    needed = separator in value or (QUOTE in value and separator != "\t")
    if needed or (len(like) > 1 and like[0] == like[-1] == QUOTE):
        return QUOTE + value.replace(QUOTE, QUOTE * 2) + QUOTE
    return value


def _value(field: str, separator: str) -> str:
    if len(field) < 2 or field[0] != QUOTE or field[-1] != QUOTE:
        return field
    inner = field[1:-1].replace(QUOTE * 2, QUOTE)
    # Between TABs, quotes around what needs none are the token's own.
    return inner if separator != "\t" or QUOTE in inner or separator in inner else field
