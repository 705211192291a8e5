"""Which columns of a long table of frames are which; nothing here reads a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from seqtag.data.frames.sequence import Labelled
from seqtag.data.text.fields import number_of
from seqtag.errors import DataError, shown

Column = str | int
SEPARATORS = ("\t", ";", ",")


class ColumnKeys(NamedTuple):
    """What the configuration of a task calls the columns, for messages."""

    id: str = "id_column"
    time: str = "time_column"
    label: str = "label_column"
    features: str = "features"


@dataclass(frozen=True)
class FrameColumns:
    """The columns of a long table: a row a frame, those of a sequence together.

    Attributes:
        id: the column that says which sequence a row is of, by name or 1-based number.
        time: what orders the rows; the column `time` where there is one, unless set.
        label: the column of labels.
        features: the columns of numbers; all others unless set.
        keys: what the configuration calls these.
    """

    id: Column = "id"
    time: Column | None = None
    label: Column = "label"
    features: tuple[Column, ...] | None = None
    keys: ColumnKeys = field(default_factory=ColumnKeys)


class Places(NamedTuple):
    """The 0-based places of the columns; None for one that is not there."""

    id: int
    time: int | None
    label: int | None
    features: list[int]


def places_of(names: Sequence[str], columns: FrameColumns, labelled: Labelled, needs_labels: bool) -> Places:
    """The places of the columns in a header or a DataFrame.

    Args:
        names: of the columns.
        columns: which are which.
        labelled: what has a label; with `"nothing"` no column is one of labels.
        needs_labels: whether the column of labels must be there.

    Raises:
        DataError: a column is missing, a name stands twice, or no column of numbers is left; without place.

    >>> places_of(["id", "time", "x", "y", "label"], FrameColumns(), "steps", True)
    Places(id=0, time=1, label=4, features=[2, 3])
    """
    folded = [name.casefold() for name in names]
    if len(set(names)) < len(names):
        twice = next(name for n, name in enumerate(names) if name in names[:n])
        raise DataError(f"expected a header of distinct columns, found {shown(twice)} twice")
    id_place = _place(columns.id, names, columns.keys.id)
    time = label = None
    if columns.time is not None or "time" in folded:
        time = _place("time" if columns.time is None else columns.time, names, columns.keys.time)
    if labelled != "nothing" and (needs_labels or _find(columns.label, names) is not None):
        label = _place(columns.label, names, columns.keys.label)
    if columns.features is None:
        features = [n for n in range(len(names)) if n not in (id_place, time, label)]
    else:
        features = [_place(column, names, columns.keys.features) for column in columns.features]
    if not features:
        raise DataError(f"expected columns of numbers beside the id, found columns {', '.join(names)}")
    if nameless := [n for n in features if not names[n]]:
        raise DataError(f"expected a name of column {nameless[0] + 1} in the header, found nothing")
    return Places(id_place, time, label, features)


def separator_of(header: str) -> str:
    """What separates the fields: of TAB, semicolon and comma the one that the header has most of."""
    return max(SEPARATORS, key=header.count)


def _find(column: Column, names: Sequence[str]) -> int | None:
    """The place of a column: one of this name, else one that differs in case alone, else the one of this number."""
    name, folded = str(column), [name.casefold() for name in names]
    if name in names:
        return names.index(name)
    if name.casefold() in folded:
        return folded.index(name.casefold())
    number = number_of(column)
    return number - 1 if number is not None and 1 <= number <= len(names) else None


def _place(column: Column, names: Sequence[str], key: str) -> int:
    place = _find(column, names)
    if place is None:
        message = f"expected a column {shown(column)}, found columns {', '.join(names)}"
        raise DataError(message, setting=f"data.{key}")
    return place
