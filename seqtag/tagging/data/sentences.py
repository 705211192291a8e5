"""One sentence of a file: its tokens and tags, and its lines as they stood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from seqtag.data.text.fields import field_places, written_field
from seqtag.errors import DataError, shown
from seqtag.tagging.data.brackets import BracketError, brackets_of_tags, tags_of_brackets
from seqtag.tagging.data.detection import WORD_GROUP
from seqtag.tagging.data.document_marks import document_column
from seqtag.tagging.data.layouts import Layout
from seqtag.tagging.data.notation import Notation
from seqtag.tagging.data.one_line import content_of
from seqtag.tagging.data.weights import WEIGHT, read_weight, weight_of_comment

_FIELD = re.compile(r"[^ \t]+")


class Sentence(Protocol):
    """What every reader of sentences gives.

    Attributes:
        tokens: its tokens; never empty.
        lines: all its lines as they stand in the file, line ends included.
        layout: the layout of the file.
        path: the file's name, for messages.
    """

    tokens: list[str]
    lines: list[str]
    layout: Layout
    path: str

    @property
    def raw(self) -> str:
        """The sentence as it stands in the file."""

    @property
    def line_numbers(self) -> list[int]:
        """The 1-based line number of each token."""

    @property
    def has_tags(self) -> bool:
        """Whether the file has tags for it."""

    @property
    def weight(self) -> float | None:
        """How much the sentence counts in training, where the file says it."""

    @property
    def lines_above(self) -> list[str]:
        """The lines before that of the first token."""

    @property
    def lines_below(self) -> list[str]:
        """The lines after that of the last token."""

    @property
    def document(self) -> str | None:
        """What a column or a key of documents says; None where it says nothing."""

    @property
    def tags(self) -> list[str]:
        """The tag of each token; a `DataError` where there is none."""

    def column(self, column: str | int) -> list[str]:
        """A further value of each token; a `DataError` where there is none."""

    def tags_in(self, column: str | int) -> list[str]:
        """The tag of each token in a further column of tags; a `DataError` where there is none."""

    def with_tags(self, tags: Sequence[str], further: Mapping[str, Sequence[str]] | None = None) -> str:
        """The raw text with these tags in place of its own, or added to it; `further` are those of other columns."""


@dataclass(slots=True)
class ColumnSentence:
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
        header: the index in `lines` of the header of a table, in its first sentence.
        notation: how tags are spelt that `with_tags` is given, where the file has brackets instead.
        further_notations: the same for further columns of tags, by their names.
    """

    tokens: list[str]
    rows: list[list[str]]
    lines: list[str]
    positions: list[int]
    first_line: int
    layout: Layout
    tag_index: int
    path: str
    header: int | None = None
    notation: Notation | None = None
    further_notations: Mapping[str, Notation | None] = field(default_factory=dict)

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
        return self._reaches(self.tag_index)

    @property
    def lines_above(self) -> list[str]:
        """The lines before that of the first token."""
        return self.lines[: self.positions[0]]

    @property
    def lines_below(self) -> list[str]:
        """The lines after that of the last token."""
        return self.lines[self.positions[-1] + 1 :]

    @property
    def document(self) -> str | None:
        """What the column of documents of a table says in the first row; None where it is empty."""
        if self.layout.form != "table":
            return None
        index = document_column(self.layout.columns)
        return None if index is None else self.rows[0][index].strip() or None

    @property
    def weight(self) -> float | None:
        """What a comment above the sentence, or the column `weight` of a table, says of it.

        Raises:
            DataError: it is no number from 0 on, or there are two.
        """
        weight = None
        for line, text in self._weights():
            try:
                weight = read_weight(text, weight)
            except DataError as error:
                raise error.at(self.path, line) from None
        return weight

    def _weights(self) -> Iterator[tuple[int, str]]:
        """The weights that the sentence has, each with its line."""
        if self.layout.form == "table":
            if WEIGHT in self.layout.columns:
                yield from zip(self.line_numbers, self.column(WEIGHT), strict=True)
        else:
            for number, line in enumerate(self.lines_above, self.first_line):
                if (text := weight_of_comment(line)) is not None:
                    yield number, text

    @property
    def tags(self) -> list[str]:
        """The column of tags.

        Raises:
            DataError: it is absent, a tag is empty or ends in a carriage return, or brackets do not make spans.
        """
        return self._tags_at(self.tag_index, "tags")

    def tags_in(self, column: str | int) -> list[str]:
        """A further column of tags.

        Raises:
            DataError: as `tags`.
        """
        return self._tags_at(self._index(column), column)

    def _tags_at(self, index: int, column: str | int) -> list[str]:
        tags = self._values(index, column)
        if self._in_brackets(index):
            try:
                return tags_of_brackets(tags)
            except BracketError as error:
                line = self.line_numbers[error.position]
                raise DataError(f"{error}, found {shown(tags[error.position])}", self.path, line) from None
        if "" in tags:
            line = self.line_numbers[tags.index("")]
            raise DataError(f"expected a tag in column {index + 1}, found nothing", self.path, line)
        if "\r" in "".join(tags) and self._is_last(index):
            self._check_ends(tags)
        return tags

    def _check_ends(self, tags: Sequence[str]) -> None:
        """Refuses tags that could not be told from the end of their line if they were written there."""
        for tag, line in zip(tags, self.line_numbers, strict=True):
            if tag.endswith("\r"):
                raise DataError(
                    f"expected a tag without a carriage return at its end, found {shown(tag)}", self.path, line
                )

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
        >>> from seqtag.tagging.data.reader import SentenceReader
        >>> [sentence] = SentenceReader(io.StringIO("John\nsleeps\n"), "tsv", tags_required=False)
        >>> sentence.with_column("tag", ["B-PER", "O"])
        'John\tB-PER\nsleeps\tO\n'
        """
        return "".join(self._with_values(self.lines, str(column), self._place(column), values))

    def with_tags(self, tags: Sequence[str], further: Mapping[str, Sequence[str]] | None = None) -> str:
        """The raw text with the column of tags replaced, or appended when absent; see `with_column`.

        The same is done for `further` columns of tags.
        """
        lines = self._with_tags(self.lines, self.layout.tag or "tag", self.tag_index, tags, self.notation)
        for name, of_column in (further or {}).items():
            lines = self._with_tags(lines, name, self._place(name), of_column, self.further_notations.get(name))
        return "".join(lines)

    def _with_tags(
        self, lines: Sequence[str], name: str, index: int, tags: Sequence[str], notation: Notation | None
    ) -> list[str]:
        """Lines of this sentence with other tags, which are spelt in this notation, in one column."""
        if self._in_brackets(index):
            tags = brackets_of_tags(tags if notation is None else list(map(notation.read, tags)))
        return self._with_values(lines, name, index, tags)

    def _in_brackets(self, index: int) -> bool:
        return index < self.layout.width and self.layout.columns[index] in self.layout.brackets

    def _place(self, column: str | int) -> int:
        """The 0-based place of a column; beyond the last one where there is none."""
        try:
            return self._index(column)
        except DataError:
            return len(self.rows[0])

    def _index(self, column: str | int) -> int:
        try:
            return self.layout.index(column)
        except DataError as error:
            raise error.at(self.path, self.line_numbers[0]) from None

    def _values(self, index: int, column: str | int) -> list[str]:
        if not self._reaches(index):
            found = ", ".join(self.layout.columns[: len(self.rows[0])])
            raise DataError(f"expected column {shown(column)}, found columns {found}", self.path, self.line_numbers[0])
        return [row[index] for row in self.rows]

    def _reaches(self, index: int) -> bool:
        """Whether the rows have this column: all or none, also where a layout lets their widths differ.

        Raises:
            DataError: some have it.
        """
        reaches = index < len(self.rows[0])
        if self.layout.open_ended:
            for row, line in zip(self.rows, self.line_numbers, strict=True):
                if (index < len(row)) != reaches:
                    message = (
                        f"expected column {index + 1} in all rows of a sentence or in none, found {len(row)} columns"
                    )
                    raise DataError(message, self.path, line)
        return reaches

    def _is_last(self, index: int) -> bool:
        return index >= len(self.rows[0]) - 1

    def _with_values(self, lines: Sequence[str], name: str, index: int, values: Sequence[str]) -> list[str]:
        """Lines of this sentence with other values in one column, which gets this name where it is new."""
        if len(values) != len(self.tokens):
            raise ValueError(f"expected {len(self.tokens)} values, found {len(values)}")
        breaks = "\n" if self.layout.form == "table" else "\t\n"
        breaks += " " if self._splits_at_spaces else ""
        # A carriage return is text, except at the end of a line.
        is_last = self._is_last(index)
        for value in set(values):
            if not value or any(c in value for c in breaks) or (is_last and value.endswith("\r")):
                raise ValueError(f"expected values that fit into a column, found {shown(value)}")
        lines = list(lines)
        append = not self._reaches(index)
        if append:
            lines = [self._appended(line, filler) for line, filler in zip(lines, self._fillers(name), strict=True)]
        for position, value in zip(self.positions, values, strict=True):
            line = lines[position]
            lines[position] = self._appended(line, value) if append else self._replaced(line, index, value)
        return lines

    @property
    def _splits_at_spaces(self) -> bool:
        return self.layout.separator == " "

    @property
    def _separator(self) -> str:
        """The separator before an appended column: the one that the file uses."""
        line = self.lines[self.positions[0]]
        return "\t" if self._splits_at_spaces and "\t" in line else self.layout.separator

    def _fillers(self, name: str) -> list[str]:
        """What each line that holds no token gets in a new column of this name; "" for nothing."""
        fillers = [self._filler(content_of(line)) for line in self.lines]
        if self.header is not None:
            fillers[self.header] = name
        return fillers

    def _filler(self, text: str) -> str:
        if self.layout.has_ids:
            return "_" if WORD_GROUP.match(text) else ""
        return "O" if text.startswith("-DOCSTART-") else ""

    def _appended(self, line: str, value: str) -> str:
        if not value:
            return line
        text = line.rstrip("\r\n")
        # Spaces at the end of a line separate already; a TAB there is an empty column before the new one.
        separator = "" if self._splits_at_spaces and text.endswith((" ", "\t")) else self._separator
        if self.layout.form == "table":
            value = written_field(value, self.layout.separator)
        return f"{text}{separator}{value}{line[len(text) :]}"

    def _replaced(self, line: str, index: int, value: str) -> str:
        text = content_of(line)
        before, after = line[: line.index(text)], line[line.index(text) + len(text) :]
        if self._splits_at_spaces:
            start, end = [match.span() for match in _FIELD.finditer(text)][index]
            return f"{before}{text[:start]}{value}{text[end:]}{after}"
        if self.layout.form == "table":
            start, end = field_places(text, self.layout.separator)[index]
            field = written_field(value, self.layout.separator, like=text[start:end])
            return f"{before}{text[:start]}{field}{text[end:]}{after}"
        row = self.layout.split(text)
        row[index] = value
        return f"{before}{self.layout.separator.join(row)}{after}"
