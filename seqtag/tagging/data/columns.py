"""The sentences of column files: CoNLL-2000, 2002, 2003, CoNLL-U, two columns, and whatever else has a row a token."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple, TypeAlias

from seqtag.errors import ConfigError, DataError, DataWarning, shown
from seqtag.tagging.data.detection import BLANK, DETECTION_LINES, WORD_GROUP, nothing_found
from seqtag.tagging.data.layouts import LAYOUTS, Layout, split_columns
from seqtag.tagging.data.notation import Notation
from seqtag.tagging.data.one_line import BOM, content_of
from seqtag.tagging.data.sentences import ColumnSentence


class Reading(NamedTuple):
    """How one file is read, whatever its layout: arguments of `SentenceReader`, and where the layout comes from.

    It is detected, or that of an earlier file, or, where both are False, one of `LAYOUTS`.
    """

    path: str
    token_column: str | int | None
    tag_column: str | int | None
    sentence_column: str | int | None
    tags_required: bool
    comments: tuple[str, ...]
    detected: bool
    of_earlier_file: bool
    notation: Notation | None
    further_notations: Mapping[str, Notation | None]


class Plan(NamedTuple):
    """What a file's rows must look like: the layout, the number of columns, and where tokens and tags are.

    `settled` says that the layout decided the width, and not the first row; `header` is the index of a table's header
    among the lines.
    """

    layout: Layout
    width: int
    token: int
    tag: int
    comments: tuple[str, ...]
    settled: bool
    header: int | None = None
    notation: Notation | None = None
    further_notations: Mapping[str, Notation | None] = {}


# A line of the file, its columns if it is a row, and whether it ends the sentence before it, or starts one. No named
# tuple: there is one a token, and it would take a tenth of the reading time.
Line: TypeAlias = tuple[str, list[str] | None, bool, bool]


def read_columns(lines: Iterator[str], layout: Layout, reading: Reading) -> Iterator[ColumnSentence]:
    """The sentences of a column file.

    Raises:
        DataError, ConfigError: see `SentenceReader`.
    """
    comments = (*layout.comment_prefixes, *reading.comments)
    head = []
    for line in lines:
        head.append(line)
        if _is_row(line, layout, comments):
            break
    else:
        raise DataError(nothing_found(head), reading.path)
    plan = _plan(content_of(line), len(head), layout, comments, reading)
    plan = plan._replace(notation=reading.notation, further_notations=reading.further_notations)
    return group_sentences(_parsed(chain(head, lines), plan, reading.path), plan, reading.path)


def _is_row(line: str, layout: Layout, comments: tuple[str, ...]) -> bool:
    """Whether a line is one of those that hold a token, or is at fault."""
    text = line.strip(BLANK)
    if not text or text.startswith(comments):
        return False
    first = layout.split(content_of(line))[0]
    return not WORD_GROUP.fullmatch(first) if layout.has_ids else first != "-DOCSTART-"


def _plan(text: str, line: int, layout: Layout, comments: tuple[str, ...], reading: Reading) -> Plan:
    """The plan of a file whose first row is this text."""
    found = len(layout.split(text))
    if found == 1 and layout.has_ids and text[0].isdecimal() and len(text.split()) >= layout.width:
        raise DataError(f"expected {layout.width} columns separated by TABs, found spaces", reading.path, line)
    if found == 1 and (layout.has_ids or layout.open_ended) and not reading.tags_required:
        return Plan(LAYOUTS["plain"], 1, 0, 1, reading.comments, settled=False)
    named = layout.width
    layout = layout.of_width(found)
    width = layout.width if reading.tags_required else min(found, layout.width)
    token = _index(layout, reading, "token_column", layout.token)
    tag = _index(layout, reading, "tag_column", layout.tag)
    check_columns(layout, token, tag)
    needed = max(token, tag) if reading.tags_required else token
    if needed >= width:
        names = ", ".join(layout.columns[:width])
        message = f"expected at least {needed + 1} columns, found {width}: {names}"
        chosen = "token_column" if needed == token else "tag_column"
        setting = None if getattr(reading, chosen) is None else f"data.{chosen}"
        raise DataError(message, reading.path, line, setting)
    return Plan(layout, width, token, tag, comments, settled=width == named and not reading.detected)


def _index(layout: Layout, reading: Reading, setting: str, usual: str | None) -> int:
    """The index of the column that a setting chooses, or of the usual one; beyond the last where there is none."""
    chosen = getattr(reading, setting)
    column = usual if chosen is None else chosen
    try:
        return layout.width if column is None else layout.index(column)
    except DataError as error:
        raise DataError(error.args[0], reading.path, setting=f"data.{setting}") from None


def check_columns(layout: Layout, token: int, tag: int) -> None:
    """Raises a `ConfigError` where tokens and tags are the same column, or one of them the numbers of words."""
    if token == tag:
        found = f"found both in column {tag + 1}"
        raise ConfigError(f"expected tags beside the tokens, {found}", setting="data.tag_column")
    for index, what in ((token, "token"), (tag, "tag")):
        if layout.has_ids and index == 0:
            found = "found column 1, which numbers the words"
            raise ConfigError(f"expected a column of {what}s, {found}", setting=f"data.{what}_column")


def _parsed(lines: Iterable[str], plan: Plan, path: str) -> Iterator[Line]:
    """Splits lines into columns and checks them."""
    layout, width, token, _, comments, *_ = plan
    marked = False
    first, others = 0, 0  # the line of the first row, and how many lines are none
    has_ids, tabs = layout.has_ids, layout.separator == "\t"
    open_ended = layout.open_ended and width == layout.width
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        text = line.rstrip("\r\n")
        if line[0] == BOM:
            text = text[1:]
            if number > 1 and not marked:
                marked = True
                _warn_of_mark(path, number)
        if not text.strip(" \t"):
            others += 1
            yield line, None, True, False
            continue
        if comments and text.startswith(comments):
            others += 1
            yield line, None, False, False
            continue
        row = text.split("\t") if tabs else split_columns(text, " ")
        if not has_ids and row[0] == "-DOCSTART-":
            others += 1
            yield line, None, True, False
            continue
        if len(row) != width and not (open_ended and len(row) > width):
            following = [text for _, text in islice(numbered, DETECTION_LINES)]
            rows = number - others - 1
            raise _ragged(text, number, first, rows, following, plan, path)
        first = first or number
        if has_ids and not row[0].isdecimal():
            if not WORD_GROUP.fullmatch(row[0]):
                raise DataError(f"expected a word number such as 8 in column 1, found {shown(row[0])}", path, number)
            yield line, None, False, False
            continue
        if not row[token]:
            raise DataError(f"expected a token in column {token + 1}, found nothing", path, number)
        yield line, row, False, False


def _ragged(
    text: str, number: int, first: int, rows: int, following: Iterable[str], plan: Plan, path: str
) -> DataError:
    """The error for a row of another width, or for the first row where it is the odd one.

    Args:
        text: the row.
        number: of its line.
        first: the number of the first row's line.
        rows: how many rows came before.
        following: lines that follow it.
        plan: of the file.
        path: of the file.
    """
    found = len(plan.layout.split(text))
    widths = [len(plan.layout.split(content_of(line))) for line in following if line.strip(BLANK)]
    if rows and not plan.settled and rows + widths.count(plan.width) < 1 + widths.count(found):
        return DataError(f"expected {_columns(found)}, as most lines have, found {plan.width}", path, first)
    spaces = "\t" not in text and len(text.split()) == plan.width > 1
    message = f"expected {_columns(plan.width)}, found {'spaces for TABs' if spaces else found}"
    return DataError(message, path, number, "data.comment_prefix" if text.startswith("#") else None)


def _columns(width: int) -> str:
    return "1 column" if width == 1 else f"{width} columns"


def _warn_of_mark(path: str, line: int) -> None:
    message = "a byte order mark inside the file, which is not read as part of a token"
    warnings.warn(DataWarning(message, path, line), stacklevel=2)


def group_sentences(parsed: Iterable[Line], plan: Plan, path: str) -> Iterator[ColumnSentence]:
    """Groups lines into sentences. Of the lines between two sentences, the first one gets the blank lines."""
    lines: list[str] = []
    rows: list[list[str]] = []
    positions: list[int] = []
    first_line, end = 1, 0  # `end`: how many lines belong to the sentence that is complete, 0 while it is not
    for line, row, ends, starts in parsed:
        if row is not None:
            if rows and (end or starts):
                end = end or len(lines)
                yield _sentence(rows, lines[:end], positions, first_line, plan, path)
                first_line += end
                lines, rows, positions, end = lines[end:], [], [], 0
            rows.append(row)
            positions.append(len(lines))
        lines.append(line)
        if ends and rows and end in (0, len(lines) - 1):
            is_blank = not line.strip(BLANK)
            end = len(lines) if is_blank else end or len(lines) - 1
    if not rows:
        raise DataError("expected sentences, found none", path)
    yield _sentence(rows, lines, positions, first_line, plan, path)


def _sentence(
    rows: list[list[str]], lines: list[str], positions: list[int], first_line: int, plan: Plan, path: str
) -> ColumnSentence:
    tokens = [row[plan.token] for row in rows]
    header = plan.header if first_line == 1 else None
    notations = plan.notation, plan.further_notations
    return ColumnSentence(tokens, rows, lines, positions, first_line, plan.layout, plan.tag, path, header, *notations)
