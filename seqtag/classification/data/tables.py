r"""Texts and their labels in a table: TSV or CSV, a text a row, with names of the columns above or without.

>>> import io
>>> file = io.StringIO("label\ttext\npos\tA fine film.\nneg\tDull.\n")
>>> [(row.line, row.source, row.labels) for row in read_table(file, DataConfig())]
[(2, 'A fine film.', ('pos',)), (3, 'Dull.', ('neg',))]
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain

from seqtag.classification.config import DataConfig
from seqtag.classification.data.columns import Columns, columns_of, has_header, rows_of, separator_name, separator_of
from seqtag.classification.data.examples import Label, Row
from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError


def read_table(file: Source, data: DataConfig, several: bool = False) -> Iterator[Row]:
    """Yields the texts of a table; rows without anything are skipped, a text may be empty.

    Args:
        file: a path or a stream.
        data: how it is read.
        several: whether the column of labels holds any number of them.

    Raises:
        DataError: the file cannot be read, the header lacks a column, a row has too few columns or no label.
    """
    path = source_name(file)
    columns: Columns | None = None
    separator = ""
    for number, fields, separator in table_rows(file, data):
        if columns is None:
            header = fields if has_header(fields, data) else None
            try:
                columns = columns_of(data, header)
            except DataError as error:
                raise error.at(path, number) from None
            if header is not None:
                continue
        if len(fields) < columns.needed:
            found = "one field" if len(fields) == 1 else f"{len(fields)} fields"
            message = f"expected a text and a label separated by {separator_name(separator)}, found {found}"
            raise DataError(message, path, number, "data.separator")
        labels = labels_in(fields[columns.label], data.label_separator if several else None)
        if not labels and not several:
            raise DataError(f"expected a label in column {columns.label + 1}, found nothing", path, number)
        yield Row(number, fields[columns.text], labels)


def table_rows(file: Source, data: DataConfig) -> Iterator[tuple[int, list[str], str]]:
    """The number of each row, its fields, and what separates them; rows without anything are skipped.

    Raises:
        DataError: the file cannot be read, or a quoted field is never closed or too long.
    """
    path = source_name(file)
    lines = read_lines(file, data.encoding)
    first = next(lines, "").removeprefix("\ufeff")
    separator = separator_of(data, path, first)
    number = 0
    try:
        for number, fields in rows_of(chain([first], lines), separator):
            if any(fields):
                yield number, fields, separator
    except csv.Error as error:
        raise DataError(f"expected fields quoted as in CSV, found: {error}", path, number + 1) from None


def labels_in(text: str, separator: str | None) -> tuple[Label, ...]:
    """The labels of a field: one, or those between separators.

    >>> labels_in("a, b", ","), labels_in("a, b", None), labels_in("", ",")
    (('a', 'b'), ('a, b',), ())
    """
    parts = [text] if separator is None else text.split(separator)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
