"""Files to be answered: their first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from seqtag.classification.config import DataConfig
from seqtag.classification.data.columns import TAB, has_header, number_of, rows_of, separator_of, text_column_of
from seqtag.classification.data.examples import Kind, Source
from seqtag.classification.data.fasttext import split_line
from seqtag.classification.data.frame_examples import read_frame_examples
from seqtag.data.text.lines import Source as File
from seqtag.data.text.lines import read_lines, source_name
from seqtag.data.text.read_ahead import FileInput, file_size, read_ahead
from seqtag.errors import DataError

CHARACTERS_AHEAD, NUMBERS_AHEAD = 200_000, 1_000_000


class Input(NamedTuple):
    """A sequence to be answered, and how many characters or numbers of the file it takes."""

    source: Source
    size: int


def read_inputs(file: File, data: DataConfig, kind: Kind) -> FileInput[Input]:
    """The sequences of a file: a text a line, where it has no columns; a blank line is an empty text.

    It has columns where its first row names that of the texts, as in training or as `text`, or where `data.text_column`
    is a number. Where lines are separated by TABs, a line without any is a text. Labels before a text, as fastText
    writes them, are left out. Of frames, see `read_frames`; a column of labels is not read.

    Raises:
        DataError: the file is at fault; for faults further down it is raised when `items` come to them.
    """
    if kind.is_frames:
        rows = read_frame_examples(file, data, needs_labels=False)
        frames = (Input(row.source, row.source.size) for row in rows)
        return FileInput(read_ahead(frames, lambda item: item.size, NUMBERS_AHEAD), data.encoding, None)
    items = _fasttext(file, data) if data.layout == "fasttext" else _texts(file, data)
    return FileInput(read_ahead(items, lambda item: item.size, CHARACTERS_AHEAD), data.encoding, file_size(file))


def _fasttext(file: File, data: DataConfig) -> Iterator[Input]:
    for line in read_lines(file, data.encoding):
        yield Input(split_line(line)[1], len(line))


def _texts(file: File, data: DataConfig) -> Iterator[Input]:
    path = source_name(file)
    lines = read_lines(file, data.encoding)
    first = next(lines, None)
    if first is None:
        return
    first = first.removeprefix("\ufeff")
    separator = separator_of(data, path, first)
    _, fields = next(rows_of([first], separator), (1, [""]))
    if _names_texts(fields, data):
        column = text_column_of(data, fields)
        yield from _column(lines, separator, column, path, 1)
        return
    numbered = data.layout == "table" and isinstance(data.text_column, int | str) and number_of(data.text_column)
    if numbered or (data.layout == "table" and separator == TAB and TAB in first):
        column = text_column_of(data, None) if numbered or data.text_column is None else 0
        yield from _column(_again(first, lines), separator, column, path, 0)
        return
    for line in _again(first, lines):
        yield Input(line.strip(), len(line))


def _names_texts(fields: list[str], data: DataConfig) -> bool:
    """Whether a first row names the column of texts."""
    names = [name.casefold() for name in fields]
    if data.text_column is not None:
        return number_of(data.text_column) is None and str(data.text_column).casefold() in names
    return "text" in names and (len(names) == 1 or has_header(fields, data))


def _column(lines: Iterator[str], separator: str, column: int, path: str, before: int) -> Iterator[Input]:
    for number, fields in rows_of(lines, separator):
        if len(fields) > column:
            text = fields[column]
        elif len(fields) <= 1:
            text = fields[0] if fields else ""
        else:
            message = f"expected a text in column {column + 1}, found {len(fields)} columns"
            raise DataError(message, path, number + before, "data.text_column")
        yield Input(text, sum(map(len, fields)) + len(fields))


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines
