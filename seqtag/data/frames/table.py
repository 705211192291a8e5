"""A long table of frames: a header, then a frame a row, the rows of a sequence together and in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from seqtag.data.frames.columns import FrameColumns, Places, places_of, separator_of
from seqtag.data.frames.sequence import FrameSequence, Labelled
from seqtag.data.frames.values import ValueFault, first_out_of_order, label_of, numbers_of, time_of
from seqtag.data.text.fields import stripped_fields
from seqtag.errors import DataError, shown


@dataclass(frozen=True)
class TableRules:
    """How a table is read.

    Attributes:
        labelled: what has a label.
        needs_labels: whether there must be a column of labels.
        may_miss: whether numbers may be missing.
        sorts: whether rows that are out of order in time are sorted; an error unless set.
        keeps_rows: whether sequences have their rows as they stand.
    """

    labelled: Labelled = "nothing"
    needs_labels: bool = False
    may_miss: bool = True
    sorts: bool = False
    keeps_rows: bool = False


@dataclass(frozen=True)
class Header:
    """The header of a table.

    Attributes:
        text: as it stands, without its end.
        names: of all columns.
        separator: between them.
        places: of the columns that are read.
    """

    text: str
    names: list[str]
    separator: str
    places: Places

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the columns of numbers."""
        return tuple(self.names[n] for n in self.places.features)


class _Row(NamedTuple):
    line: int
    id: str
    time: str
    label: str
    numbers: list[float]
    text: str


def read_header(text: str, columns: FrameColumns, rules: TableRules, path: str, line: int) -> Header:
    """The header of a table.

    Raises:
        DataError: see `places_of`.
    """
    separator = separator_of(text)
    names = stripped_fields(text, separator)
    try:
        places = places_of(names, columns, rules.labelled, rules.needs_labels)
    except DataError as error:
        raise error.at(path, line) from None
    return Header(text, names, separator, places)


def table_sequences(
    lines: Iterable[tuple[int, str]], header: Header, rules: TableRules, path: str
) -> Iterator[FrameSequence]:
    """The sequences of the rows below a header, one at a time.

    Args:
        lines: the rows with the numbers of their lines, without blank ones and without their ends.
        header: of the table.
        rules: how it is read.
        path: its name, for messages.

    Raises:
        DataError: a row has other columns than the header, a number, a label or a time cannot be read, the rows of a
            sequence do not stand together or are out of order, or its label changes.
    """
    seen: set[str] = set()
    for name, group in groupby((_row(number, text, header, rules, path) for number, text in lines), itemgetter(1)):
        rows = list(group)
        if name in seen:
            raise DataError(f"expected the rows of id {shown(name)} together, found more", path, rows[0].line)
        seen.add(name)
        yield _sequence(_in_order(rows, rules, path), header, rules, path)


def _row(number: int, text: str, header: Header, rules: TableRules, path: str) -> _Row:
    fields, places = stripped_fields(text, header.separator), header.places
    if len(fields) != len(header.names):
        raise DataError(f"expected {len(header.names)} columns, found {len(fields)}", path, number)
    if not fields[places.id]:
        raise DataError(f"expected an id in column {header.names[places.id]}, found nothing", path, number)
    try:
        column = places.features
        numbers = numbers_of([fields[n] for n in column], rules.may_miss)
        label = ""
        if places.label is not None:
            column = [places.label]
            label = label_of(fields[places.label])
    except ValueFault as fault:
        raise _in_column(fault, header.names[column[fault.position]]).at(path, number) from None
    time = "" if places.time is None else fields[places.time]
    return _Row(number, fields[places.id], time, label, numbers, text if rules.keeps_rows else "")


def _in_column(fault: ValueFault, column: str) -> DataError:
    expected, _, found = fault.args[0].partition(", found ")
    return DataError(f"{expected} in column {column}, found {found}")


def _in_order(rows: list[_Row], rules: TableRules, path: str) -> list[_Row]:
    """The rows of a sequence in the order of their times, where they have some."""
    if not any(row.time for row in rows):
        return rows
    try:
        times = [time_of(row.time, position) for position, row in enumerate(rows)]
        wrong = first_out_of_order(times)
    except ValueFault as fault:
        raise fault.at(path, rows[fault.position].line) from None
    if wrong is None:
        return rows
    if rules.sorts:
        return [row for _, row in sorted(zip(times, rows, strict=True), key=itemgetter(0))]
    now, before = rows[wrong], rows[wrong - 1]
    message = f"expected the rows of id {shown(now.id)} in the order of time, found {now.time} after {before.time}"
    raise DataError(message, path, now.line)


def _sequence(rows: Sequence[_Row], header: Header, rules: TableRules, path: str) -> FrameSequence:
    label = steps = None
    if header.places.label is not None:
        if rules.labelled == "steps":
            steps = tuple(row.label for row in rows)
        else:
            label = _one_label(rows, path)
    return FrameSequence(
        rows[0].id,
        np.array([row.numbers for row in rows], np.float64),
        label,
        steps,
        path,
        min(row.line for row in rows),
        tuple(row.line for row in rows),
        tuple(row.text for row in rows) if rules.keeps_rows else (),
    )


def _one_label(rows: Sequence[_Row], path: str) -> str:
    for row in rows:
        if row.label != rows[0].label:
            expected = f"one label for all rows of id {shown(row.id)}"
            found = f"{shown(row.label)} after {shown(rows[0].label)}"
            raise DataError(f"expected {expected}, found {found}", path, row.line)
    return rows[0].label
