"""The columns of a line: what separates them, and which of them are the source, the target and the further features."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import Column, DataConfig

# Between these, fields may be quoted as RFC 4180 says.
QUOTING = (",", ";")
QUOTE = '"'
USUAL = ("source", "target")


class Columns(NamedTuple):
    """The 0-based places of columns."""

    source: int
    target: int
    features: tuple[int, ...] = ()
    key: int | None = None

    @property
    def needed(self) -> int:
        """How many columns a pair needs."""
        return 1 + max(self.source, self.target, *self.features, self.key or 0)

    @property
    def needed_for_source(self) -> int:
        """How many columns a source needs."""
        return 1 + max(self.source, *self.features)


def split_fields(text: str, separator: str) -> list[str]:
    """The fields of a line, stripped.

    >>> split_fields("Go. ,  Kör!", ","), split_fields('"Go, now",Kör', ",")
    (['Go.', 'Kör!'], ['Go, now', 'Kör'])
    """
    if separator in QUOTING and QUOTE in text:
        return [value.strip() for value in next(csv.reader([text], delimiter=separator), [])]
    return [value.strip() for value in text.split(separator)]


def separator_name(separator: str) -> str:
    """What separates columns, for messages."""
    return "a TAB" if separator == "\t" else shown(separator)


def has_header(first: Sequence[str], data: DataConfig) -> bool:
    """Whether the first line names the columns: a column is given by name, or it has `source` and `target`."""
    chosen = [data.source_column, data.target_column, data.split_column, *(data.features or ())]
    if any(column is not None and number_of(column) is None for column in chosen):
        return True
    return chosen[:2] == [None, None] and {name.casefold() for name in first} >= set(USUAL)


def columns_of(data: DataConfig, header: Sequence[str] | None) -> Columns:
    """The places of the columns that a configuration names.

    Raises:
        DataError: the header has no such column, or it is chosen twice; without place.
    """
    usual = (1, 2) if header is None or not {name.casefold() for name in header} >= set(USUAL) else USUAL
    source = _index(usual[0] if data.source_column is None else data.source_column, header, "source_column")
    target = _index(usual[1] if data.target_column is None else data.target_column, header, "target_column")
    features = tuple(_index(column, header, "features") for column in data.features or ())
    key = None if data.split_column is None else _index(data.split_column, header, "split_column")
    if target in (source, *features):
        found = f"column {target + 1} for both"
        raise DataError(f"expected a target beside the source, found {found}", setting="data.target_column")
    return Columns(source, target, features, key)


def number_of(column: Column) -> int | None:
    """A column's number; None for a name."""
    try:
        return int(column)
    except ValueError:
        return None


def _index(column: Column, header: Sequence[str] | None, setting: str) -> int:
    number = number_of(column)
    if number is not None and number > 0:
        return number - 1
    names = [name.casefold() for name in header or ()]
    if number is None and str(column).casefold() in names:
        return names.index(str(column).casefold())
    found = f"columns {', '.join(map(shown, header))}" if number is None and header is not None else shown(column)
    expected = f"a column {shown(column)}" if number is None else "a name or a number from 1 on"
    raise DataError(f"expected {expected}, found {found}", setting=f"data.{setting}")
