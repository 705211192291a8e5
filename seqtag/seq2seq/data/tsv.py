r"""Pairs in one file, a pair a line, the columns separated by TABs or by what `data.separator` says.

>>> import io
>>> from seqtag.seq2seq.config import DataConfig
>>> file = io.StringIO("Go.\tKör!\tCC-BY\nRun!\tSpring!\tCC-BY\n")
>>> [(row.line, row.source, row.target) for row in read_tsv(file, DataConfig())]
[(1, 'Go.', 'Kör!'), (2, 'Run!', 'Spring!')]
"""

from __future__ import annotations

from collections.abc import Iterator

from seqtag.data.text.fields import stripped_fields
from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.columns import Columns, columns_of, has_header, separator_name
from seqtag.seq2seq.data.pairs import Row


def read_tsv(file: Source, data: DataConfig) -> Iterator[Row]:
    """Yields the pairs of a file; lines of nothing but white space are skipped, further columns are ignored.

    The first line names the columns where `data` gives a column by name, or where it has `source` and `target`.

    Raises:
        DataError: the file cannot be read, the header lacks a column, a line has too few columns, or its source or its
            target is empty.
    """
    path = source_name(file)
    columns: Columns | None = None
    for number, line in enumerate(read_lines(file, data.encoding), 1):
        text = line.removeprefix("\ufeff").rstrip("\r\n")
        if not text.strip() and data.separator not in text:
            continue
        before, _, after = text.partition("\r")
        if data.separator in before and data.separator in after:
            raise DataError("expected lines that end in a line feed, found a carriage return alone", path, number)
        fields = stripped_fields(text, data.separator)
        if columns is None:
            is_header = has_header(fields, data)
            columns = placed_columns(data, fields if is_header else None, path, number)
            if is_header:
                continue
        yield _row(fields, columns, data.separator, path, number)


def placed_columns(data: DataConfig, header: list[str] | None, path: str, line: int) -> Columns:
    """The columns of a file; what is wrong with them is said with its place."""
    try:
        return columns_of(data, header)
    except DataError as error:
        raise error.at(path, line) from None


def _row(fields: list[str], columns: Columns, separator: str, path: str, line: int) -> Row:
    if len(fields) < columns.needed:
        raise DataError(_too_few(len(fields), columns, separator), path, line, "data.separator")
    source, target = fields[columns.source], fields[columns.target]
    if not source or not target:
        what = "target" if source else "source"
        number = (columns.target if source else columns.source) + 1
        raise DataError(f"expected a {what} in column {number}, found nothing", path, line)
    key = None if columns.key is None else fields[columns.key]
    return Row(line, source, target, tuple(fields[n] for n in columns.features), key)


def _too_few(found: int, columns: Columns, separator: str) -> str:
    """The message for a line with too few fields."""
    count = "one field" if found == 1 else f"{found} fields"
    if columns.needed == 2:
        return f"expected a source and a target separated by {separator_name(separator)}, found {count}"
    return f"expected at least {columns.needed} columns separated by {separator_name(separator)}, found {count}"
