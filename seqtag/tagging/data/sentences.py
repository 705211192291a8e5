"""One sentence of a column file: its tokens and columns, and its lines as they stood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from seqtag.errors import DataError, shown
from seqtag.tagging.data.layouts import Layout

_FIELD = re.compile(r"[^ \t]+")
_WORD_GROUP = re.compile(r"\d+-\d+|\d+\.\d+")
_BREAKS = re.compile(r"[\t\r\n]")
_BOM = "\ufeff"


@dataclass(slots=True)
class Sentence:
    """One sentence of a column file.

    Attributes:
        tokens: its tokens; never empty.
        rows: the columns of each token.
        lines: all its lines as they stand in the file: comments above, blank lines below, line ends included.
        positions: for each token, the index of its line in `lines`.
        first_line: the 1-based number of ``lines[0]`` in the file.
        layout: the layout of the rows; rows may be shorter when tags are not required.
        tag_index: the 0-based column of the tags.
        path: the file's name, for messages.
    """

    tokens: list[str]
    rows: list[list[str]]
    lines: list[str]
    positions: list[int]
    first_line: int
    layout: Layout
    tag_index: int
    path: str

    @property
    def raw(self) -> str:
        """The sentence as it stands in the file."""
        return "".join(self.lines)

    @property
    def line_numbers(self) -> list[int]:
        """The 1-based line number of each token."""
        return [self.first_line + position for position in self.positions]

    @property
    def has_tags(self) -> bool:
        """Whether the rows reach as far as the column of tags."""
        return self.tag_index < len(self.rows[0])

    @property
    def tags(self) -> list[str]:
        """The column of tags.

        Raises:
            DataError: it is absent, or a tag is empty.
        """
        tags = self._values(self.tag_index, "tags")
        if "" in tags:
            line = self.line_numbers[tags.index("")]
            raise DataError(f"expected a tag in column {self.tag_index + 1}, found nothing", self.path, line)
        return tags

    def column(self, column: str | int) -> list[str]:
        """One column by name, or by number: 1-based, or negative from the layout's end.

        Raises:
            DataError: there is no such column.
        """
        return self._values(self._index(column), column)

    def with_column(self, column: str | int, values: Sequence[str]) -> str:
        r"""The raw text with one column replaced, or appended as the last when the rows do not have it.

        When a column is appended, lines that hold no token but have columns (ranges and empty nodes,
        ``-DOCSTART-``) get ``_`` or ``O`` in it, so that all rows keep the same number of columns.

        Raises:
            ValueError: not one value for each token, or a value that would break the columns.

        >>> import io
        >>> from seqtag.tagging.data.columns import ColumnReader
        >>> [sentence] = ColumnReader(io.StringIO("John\nsleeps\n"), "tsv", tags_required=False)
        >>> sentence.with_column("tag", ["B-PER", "O"])
        'John\tB-PER\nsleeps\tO\n'
        """
        try:
            index = self._index(column)
        except DataError:
            index = len(self.rows[0])
        return self._with_index(index, values)

    def with_tags(self, tags: Sequence[str]) -> str:
        """The raw text with the column of tags replaced, or appended when absent; see `with_column`."""
        return self._with_index(self.tag_index, tags)

    def _index(self, column: str | int) -> int:
        try:
            return self.layout.index(column)
        except DataError as error:
            raise error.at(self.path, self.line_numbers[0]) from None

    def _values(self, index: int, column: str | int) -> list[str]:
        width = len(self.rows[0])
        if index >= width:
            found = ", ".join(self.layout.columns[:width])
            raise DataError(f"expected column {shown(column)}, found columns {found}", self.path, self.line_numbers[0])
        return [row[index] for row in self.rows]

    def _with_index(self, index: int, values: Sequence[str]) -> str:
        if len(values) != len(self.tokens):
            raise ValueError(f"expected {len(self.tokens)} values, found {len(values)}")
        for value in set(values):
            if not value or _BREAKS.search(value) or (" " in value and self._splits_at_spaces):
                raise ValueError(f"expected values that fit into a column, found {shown(value)}")
        lines = list(self.lines)
        append = index >= len(self.rows[0])
        if append:
            lines = [_appended(line, self._filler(line), self._separator) for line in lines]
        for position, value in zip(self.positions, values, strict=True):
            line = self.lines[position]
            lines[position] = _appended(line, value, self._separator) if append else self._replaced(line, index, value)
        return "".join(lines)

    @property
    def _splits_at_spaces(self) -> bool:
        return self.layout.separator == " "

    @property
    def _separator(self) -> str:
        """The separator before an appended column: the one that the file uses."""
        line = self.lines[self.positions[0]]
        return " " if self._splits_at_spaces and "\t" not in line else "\t"

    def _filler(self, line: str) -> str:
        text = _content(line)
        if self.layout.has_ids:
            return "_" if _WORD_GROUP.match(text) else ""
        return "O" if text.startswith("-DOCSTART-") else ""

    def _replaced(self, line: str, index: int, value: str) -> str:
        text = _content(line)
        before, after = line[: line.index(text)], line[line.index(text) + len(text) :]
        if self._splits_at_spaces:
            start, end = [match.span() for match in _FIELD.finditer(text)][index]
            return f"{before}{text[:start]}{value}{text[end:]}{after}"
        row = self.layout.split(text)
        row[index] = value
        return f"{before}{self.layout.separator.join(row)}{after}"


def _content(line: str) -> str:
    """A line without byte order mark and line end."""
    return line.removeprefix(_BOM).rstrip("\r\n")


def _appended(line: str, value: str, separator: str) -> str:
    if not value:
        return line
    text = line.rstrip("\r\n")
    separator = "" if text.endswith(separator) else separator
    return f"{text}{separator}{value}{line[len(text) :]}"
