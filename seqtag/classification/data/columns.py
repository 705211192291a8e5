"""The columns of a table of texts: what separates them, and which of them are the text and the labels."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqtag.classification.config import Column, DataConfig
from seqtag.errors import DataError, shown

TAB = "\t"
# Between these, fields may be quoted as RFC 4180 says, and then hold line ends.
QUOTING = (",", ";")
CSV_SUFFIX = ".csv"
USUAL = ("text", "label")


class Columns(NamedTuple):
    """The 0-based places of the columns."""

    text: int
    label: int

    @property
    def needed(self) -> int:
        """How many columns a line needs."""
        return 1 + max(self)


def separator_of(data: DataConfig, path: str, first: str) -> str:
    r"""What separates the columns of a table: as the configuration says, else a TAB; of a file .csv `,` or `;`.

    >>> separator_of(DataConfig(), "a.csv", "text;label"), separator_of(DataConfig(), "a.txt", "well, good\tpos")
    (';', '\t')
    """
    if data.separator is not None:
        return data.separator
    return max(QUOTING, key=first.count) if path.lower().endswith(CSV_SUFFIX) and TAB not in first else TAB


def separator_name(separator: str) -> str:
    """What separates columns, for messages."""
    return "a TAB" if separator == TAB else shown(separator)


def rows_of(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    r"""The fields of each row, stripped, with the number of its last line.

    >>> list(rows_of(['"good, so\n', 'good",pos\n'], ","))
    [(2, ['good, so\ngood', 'pos'])]
    """
    if separator in QUOTING:
        reader = csv.reader(lines, delimiter=separator)
        for fields in reader:
            yield reader.line_num, [field.strip() for field in fields]
        return
    for number, line in enumerate(lines, 1):
        yield number, [field.strip() for field in line.rstrip("\r\n").split(separator)]


def has_header(first: Sequence[str], data: DataConfig) -> bool:
    """Whether the first row names the columns: one is chosen by name, or none is chosen and it has `text` and `label`.

    >>> has_header(["Text", "Label"], DataConfig()), has_header(["a text of ours", "pos"], DataConfig())
    (True, False)
    """
    names = [name.casefold() for name in first]
    chosen = [column for column in (data.text_column, data.label_column) if column is not None]
    if any(number_of(column) is None for column in chosen):
        return True
    return not chosen and set(USUAL) <= set(names)


def columns_of(data: DataConfig, header: Sequence[str] | None) -> Columns:
    """The places of the columns that a configuration names.

    Raises:
        DataError: the header has no such column, or both are the same; without place.
    """
    text = _index(data.text_column, 0, 1, header, "text_column")
    label = _index(data.label_column, 1, 2 if text != 1 or data.text_column is None else 1, header, "label_column")
    if text == label:
        message = f"expected a column of labels beside that of the texts, found column {text + 1} for both"
        raise DataError(message, setting="data.label_column")
    return Columns(text, label)


def text_column_of(data: DataConfig, header: Sequence[str] | None) -> int:
    """The place of the column of texts alone.

    Raises:
        DataError: the header has no such column; without place.
    """
    return _index(data.text_column, 0, 1, header, "text_column")


def _index(column: Column | None, usual: int, default: int, header: Sequence[str] | None, setting: str) -> int:
    names = [name.casefold() for name in header or ()]
    if column is None:
        return names.index(USUAL[usual]) if USUAL[usual] in names else default - 1
    number = number_of(column)
    if number is not None and number > 0:
        return number - 1
    if number is None and str(column).casefold() in names:
        return names.index(str(column).casefold())
    found = f"columns {', '.join(map(shown, header))}" if number is None and header is not None else shown(column)
    expected = f"a column {shown(column)}" if number is None else "a name or a number from 1 on"
    raise DataError(f"expected {expected}, found {found}", setting=f"data.{setting}")


def number_of(column: Column) -> int | None:
    """A column's number; None for a name."""
    try:
        return int(column)
    except ValueError:
        return None
