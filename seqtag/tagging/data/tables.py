"""The sentences of tables: CSV, or columns between TABs, with a header and often a column of sentence ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from seqtag.errors import DataError
from seqtag.tagging.data.columns import Line, Plan, Reading, check_columns, group_sentences
from seqtag.tagging.data.detection import BLANK, nothing_found
from seqtag.tagging.data.document_marks import document_column
from seqtag.tagging.data.layouts import Layout
from seqtag.tagging.data.one_line import content_of
from seqtag.tagging.data.sentence_ids import SentenceIds
from seqtag.tagging.data.sentences import ColumnSentence
from seqtag.tagging.data.table_header import (
    SENTENCE_NAMES,
    TAG_NAMES,
    TOKEN_NAMES,
    find_column,
    header_names,
    header_separator,
)


def read_table(lines: Iterator[str], layout: Layout, reading: Reading) -> Iterator[ColumnSentence]:
    """The sentences of a table.

    Rows belong to one sentence by the column of sentence ids, see `SentenceIds`; blank lines separate sentences where
    there is no such column.

    Raises:
        DataError, ConfigError: see `SentenceReader`; the header lacks a column, or it is not clear where a sentence
            starts.
    """
    head = []
    for line in lines:
        head.append(line)
        if line.strip(BLANK) and not line.startswith(reading.comments):
            break
    else:
        raise DataError(nothing_found(head), reading.path)
    plan, ids = _plan(content_of(line), len(head), layout, reading)
    parsed = _parsed(lines, len(head), plan, ids, reading.path)
    return group_sentences(chain(((line, None, False, False) for line in head), parsed), plan, reading.path)


def _plan(header: str, line: int, layout: Layout, reading: Reading) -> tuple[Plan, int | None]:
    """The plan of a table with this header, and the index of its column of sentence ids."""
    names = header_names(header)
    layout = replace(layout, columns=tuple(names), separator=header_separator(header))

    def find(setting: str, own: str | None, usual: Sequence[str], needed: bool = True) -> int | None:
        chosen = getattr(reading, setting)
        if chosen is None:
            return names.index(own) if own in names else find_column(names, usual)
        try:
            if (index := layout.index(chosen)) < len(names):
                return index
            raise DataError(f"expected at least {chosen} columns, found {', '.join(names)}")
        except DataError as error:
            if not needed:
                return None
            raise DataError(error.args[0], reading.path, line, f"data.{setting}") from None

    token = find("token_column", layout.token, TOKEN_NAMES)
    if token is None:
        raise _no_column("tokens", names, "data.token_column", reading.path, line)
    # A file without the run's column of tags may have another, such as parts of speech, which is no place for them.
    usual_tags = () if reading.of_earlier_file else TAG_NAMES
    tag = find("tag_column", layout.tag, usual_tags, needed=reading.tags_required)
    if tag is None and reading.tags_required:
        raise _no_column("tags", names, "data.tag_column", reading.path, line)
    ids = find(
        "sentence_column", layout.sentence, SENTENCE_NAMES, needed=reading.tags_required or not reading.of_earlier_file
    )
    layout = replace(
        layout,
        token=names[token],
        tag=layout.tag if tag is None else names[tag],
        sentence=layout.sentence if ids is None else names[ids],
    )
    tag = len(names) if tag is None else tag
    check_columns(layout, token, tag)
    return Plan(layout, len(names), token, tag, reading.comments, settled=True, header=line - 1), ids


def _no_column(what: str, names: Sequence[str], setting: str, path: str, line: int) -> DataError:
    return DataError(f"expected a header with a column of {what}, found {', '.join(names)}", path, line, setting)


def _parsed(lines: Iterable[str], above: int, plan: Plan, ids: int | None, path: str) -> Iterator[Line]:
    """Splits the lines below the header into fields and checks them."""
    starts, names = SentenceIds().starts, list(plan.layout.columns)
    documents, document = document_column(plan.layout.columns), ""
    for number, line in enumerate(lines, above + 1):
        text = content_of(line)
        row = plan.layout.split(text)
        if not any(row) or not text.strip(" \t"):
            yield line, None, ids is None, False
            continue
        if plan.comments and text.startswith(plan.comments):
            yield line, None, False, False
            continue
        if len(row) != plan.width:
            raise DataError(f"expected {plan.width} columns, found {len(row)}", path, number)
        if row == names:
            raise DataError("expected a row, found the header again", path, number)
        if not row[plan.token]:
            raise DataError(f"expected a token in column {plan.token + 1}, found nothing", path, number)
        if documents is not None:
            document = row[documents].strip() or document
        try:
            yield line, row, False, ids is not None and starts(row[ids].strip(), document)
        except DataError as error:
            raise error.at(path, number) from None
