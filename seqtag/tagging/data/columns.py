r"""Column files (CoNLL-2000, 2002, 2003, CoNLL-U, two-column TSV), read so that nothing is lost.

A `ColumnReader` streams `Sentence` objects; each keeps its lines unchanged, with comments, blank lines
and line ends, so that the concatenated `Sentence.raw` of a file is that very file, and `Sentence.with_column`
changes one column and nothing else.

>>> import io
>>> reader = ColumnReader(io.StringIO("John\tB-PER\nsleeps\tO\n\n"))
>>> [(sentence.tokens, sentence.tags) for sentence in reader]
[(['John', 'sleeps'], ['B-PER', 'O'])]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import ConfigError, DataError, shown
from seqtag.tagging.data.layouts import LAYOUTS, Layout, detect_layout, layout_named, layout_of_lines, nothing_found
from seqtag.tagging.data.sentences import Sentence

__all__ = ["LAYOUTS", "ColumnReader", "Layout", "Sentence", "detect_layout"]

_DETECTION_LINES = 200
_WORD_GROUP = re.compile(r"\d+-\d+|\d+\.\d+")
_BLANK = " \t\r\n\ufeff"


class ColumnReader:
    """Iterates over the sentences of a column file, holding one in memory at a time.

    Comments and blank lines before the first token belong to the first sentence, and what follows the last token
    belongs to the last one: no sentence is empty, and nothing of the file is lost. A path can be iterated over again, a
    stream only once.

    Args:
        source: a path, ``"-"`` for standard input, or a text or binary stream.
        layout: a name of `LAYOUTS`, a `Layout`, or ``"auto"`` to detect it from the first lines.
        encoding: of the bytes; a byte order mark is accepted and kept.
        token_column: name or number of the column that holds the tokens; the layout's own if None.
        tag_column: the same for the tags.
        tags_required: whether each row must have all columns. If not, all rows may have the same smaller number of
            columns, down to the token alone (in layouts with word numbers also without the number).

    Raises:
        DataError: on iteration, with file and line: unreadable, undecodable, empty, ragged, or without the
            column.
        ConfigError: no such layout or encoding.
    """

    def __init__(
        self,
        source: Source,
        layout: str | Layout = "auto",
        encoding: str = "utf-8",
        token_column: str | int | None = None,
        tag_column: str | int | None = None,
        tags_required: bool = True,
    ) -> None:
        self.source = source
        self.path = source_name(source)
        self.encoding = encoding
        self.token_column = token_column
        self.tag_column = tag_column
        self.tags_required = tags_required
        if isinstance(layout, str) and layout != "auto":
            layout = layout_named(layout)
        self.layout: str | Layout = layout  # "auto" or a layout; the one found is in each `Sentence`

    def __iter__(self) -> Iterator[Sentence]:
        lines = read_lines(self.source, self.encoding)
        head = self._head(lines)
        plan = self._plan(head)
        return _sentences(_parsed(chain(head, lines), plan, self.path), plan, self.path)

    def _head(self, lines: Iterator[str]) -> list[str]:
        """The first lines: enough to detect the layout, or up to the first row if it is known."""
        if isinstance(self.layout, str):
            return list(islice(lines, _DETECTION_LINES))
        head = []
        for line in lines:
            head.append(line)
            if _is_row(line, self.layout):
                break
        return head

    def _plan(self, head: list[str]) -> _Plan:
        layout = layout_of_lines(head) if isinstance(self.layout, str) else self.layout
        first = next((number for number, line in enumerate(head) if layout and _is_row(line, layout)), None)
        if layout is None or first is None:
            raise DataError(nothing_found(head), self.path)
        text = head[first].removeprefix("\ufeff").rstrip("\r\n")
        if layout.has_ids and not self.tags_required and "\t" not in text:
            return _Plan(LAYOUTS["plain"], width=1, token=0, tag=1)
        found = len(layout.split(text))
        layout = layout.of_width(found)
        width = layout.width if self.tags_required else min(found, layout.width)
        plan = _Plan(layout, width, self._token_index(layout), self._tag_index(layout))
        if plan.token == plan.tag:
            message = f"expected tags beside the tokens, found both in column {plan.tag + 1}"
            raise ConfigError(message, setting="data.tag_column")
        needed = max(plan.token, plan.tag) if self.tags_required else plan.token
        if needed >= width:
            names = ", ".join(layout.columns[:width])
            message = f"expected at least {needed + 1} columns, found {width}: {names}"
            column = "token_column" if needed == plan.token else "tag_column"
            setting = None if getattr(self, column) is None else f"data.{column}"
            raise DataError(message, self.path, first + 1, setting)
        return plan

    def _token_index(self, layout: Layout) -> int:
        column = layout.token if self.token_column is None else self.token_column
        return self._index(layout, column, "data.token_column")

    def _tag_index(self, layout: Layout) -> int:
        column = layout.tag if self.tag_column is None else self.tag_column
        return layout.width if column is None else self._index(layout, column, "data.tag_column")

    def _index(self, layout: Layout, column: str | int, setting: str) -> int:
        try:
            return layout.index(column)
        except DataError as error:
            raise DataError(error.args[0], self.path, setting=setting) from None


class _Plan(NamedTuple):
    """What a file's rows must look like: the layout, the number of columns, and where tokens and tags are."""

    layout: Layout
    width: int
    token: int
    tag: int


class _Line(NamedTuple):
    """A line of the file, its columns if it is a row, and whether it ends the sentence before it."""

    text: str
    row: list[str] | None
    ends: bool


def _is_row(line: str, layout: Layout) -> bool:
    """Whether a line can be the first of a file that holds a token."""
    text = line.strip(_BLANK)
    skipped = "#" if layout.has_ids else "-DOCSTART-"
    return bool(text) and not text.startswith(skipped)


def _parsed(lines: Iterable[str], plan: _Plan, path: str) -> Iterator[_Line]:
    """Splits lines into columns and checks them."""
    layout, width, token, _ = plan
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if number == 1:
            text = text.removeprefix("\ufeff")
        if not text.strip(" \t"):
            yield _Line(line, None, True)
            continue
        if layout.has_ids and text[0] == "#":
            yield _Line(line, None, False)
            continue
        row = layout.split(text)
        if not layout.has_ids and row[0] == "-DOCSTART-":
            yield _Line(line, None, True)
            continue
        if len(row) != width:
            columns = "1 column" if width == 1 else f"{width} columns"
            raise DataError(f"expected {columns}, found {len(row)}", path, number)
        if layout.has_ids and not row[0].isdecimal():
            if not _WORD_GROUP.fullmatch(row[0]):
                raise DataError(f"expected a word number such as 8 in column 1, found {shown(row[0])}", path, number)
            yield _Line(line, None, False)
            continue
        if not row[token]:
            raise DataError(f"expected a token in column {token + 1}, found nothing", path, number)
        yield _Line(line, row, False)


def _sentences(parsed: Iterable[_Line], plan: _Plan, path: str) -> Iterator[Sentence]:
    """Groups lines into sentences. Of the lines between two sentences, the first one gets the blank lines."""
    lines: list[str] = []
    rows: list[list[str]] = []
    positions: list[int] = []
    first_line, end = 1, 0  # `end`: how many lines belong to the sentence that is complete, 0 while it is not
    for line, row, ends in parsed:
        if row is not None:
            if end:
                yield _sentence(rows, lines[:end], positions, first_line, plan, path)
                first_line += end
                lines, rows, positions, end = lines[end:], [], [], 0
            rows.append(row)
            positions.append(len(lines))
        lines.append(line)
        if ends and rows and end in (0, len(lines) - 1):
            is_blank = not line.strip(_BLANK)
            end = len(lines) if is_blank else end or len(lines) - 1
    yield _sentence(rows, lines, positions, first_line, plan, path)


def _sentence(
    rows: list[list[str]], lines: list[str], positions: list[int], first_line: int, plan: _Plan, path: str
) -> Sentence:
    tokens = [row[plan.token] for row in rows]
    return Sentence(tokens, rows, lines, positions, first_line, plan.layout, plan.tag, path)
