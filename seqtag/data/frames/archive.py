"""The `.ts` form of the time-series archives: `#` comments, a header of `@` lines, then a line a sequence.

The dimensions of a sequence are separated by `:` and their values by `,`; the label stands last. `?` and `NaN` are
missing numbers. Labels of steps, of which the archives have none, stand in the label's place, separated by `,`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqtag.data.frames.sequence import FrameSequence, Labelled
from seqtag.data.frames.values import ValueFault, label_of, numbers_of
from seqtag.errors import DataError, shown

MARKS = ("#", "@")
_FLAGS = ("timestamps", "univariate", "classlabel", "targetlabel")


@dataclass(frozen=True)
class ArchiveHeader:
    """What the header of a `.ts` file says.

    Attributes:
        has_label: whether a label stands at the end of each line.
        labels: those that there may be; empty where the header names none.
        dimensions: how many there are; None where the header does not say it.
    """

    has_label: bool
    labels: tuple[str, ...] = ()
    dimensions: int | None = None


def read_archive_header(lines: Iterator[tuple[int, str]], path: str) -> ArchiveHeader:
    """Takes the header off the lines of a file: all up to `@data`.

    Args:
        lines: with their numbers, without blank ones and without their ends.
        path: the file's name, for messages.

    Raises:
        DataError: a key has no such value, a line is none of a header, `@data` is missing, or the file has time
            stamps or numbers to be predicted.

    >>> read_archive_header(iter([(1, "@univariate true"), (2, "@classLabel true a b"), (3, "@data")]), "a.ts")
    ArchiveHeader(has_label=True, labels=('a', 'b'), dimensions=1)
    """
    flags: dict[str, bool] = {}
    labels: tuple[str, ...] = ()
    dimensions, number = None, None
    for number, text in lines:
        if text.startswith("#"):
            continue
        if not text.startswith("@"):
            raise DataError(f"expected a key such as @classLabel, or @data, found {shown(text)}", path, number)
        key, *values = text[1:].split()
        name = key.casefold()
        if name == "data":
            return ArchiveHeader(flags.get("classlabel", False), labels, 1 if flags.get("univariate") else dimensions)
        if name in _FLAGS:
            flags[name] = _flag(key, values, path, number)
        if name == "classlabel":
            labels = tuple(values[1:])
        if name in ("dimensions", "dimension"):
            dimensions = _count(key, values, path, number)
        if flags.get("timestamps") or flags.get("targetlabel"):
            raise DataError(f"expected @{key} false, found true", path, number)
    raise DataError("expected @data at the end of the header, found the end of the file", path, number)


def _flag(key: str, values: list[str], path: str, line: int) -> bool:
    found = values[0] if values else ""
    if found.casefold() not in ("true", "false"):
        raise DataError(f"expected @{key} true or false, found {shown(found) if found else 'nothing'}", path, line)
    return found.casefold() == "true"


def _count(key: str, values: list[str], path: str, line: int) -> int:
    if len(values) != 1 or not values[0].isdecimal() or not int(values[0]):
        raise DataError(f"expected @{key} and a number from 1 on, found {shown(' '.join(values))}", path, line)
    return int(values[0])


def archive_sequences(
    lines: Iterator[tuple[int, str]], header: ArchiveHeader, labelled: Labelled, needs_labels: bool, path: str
) -> Iterator[FrameSequence]:
    """The sequences below a header, one at a time.

    Args:
        lines: with their numbers, without blank ones and without their ends.
        header: of the file.
        labelled: what has a label.
        needs_labels: whether there must be labels.
        path: the file's name, for messages.

    Raises:
        DataError: there are no labels, a number or a label cannot be read, the label is none of the header's, or
            dimensions differ in length or number.
    """
    if needs_labels and not header.has_label:
        raise DataError("expected labels and @classLabel true, found none", path)
    width = header.dimensions
    for number, (line, text) in enumerate((row for row in lines if not row[1].startswith("#")), 1):
        *dimensions, last = text.split(":")
        if not header.has_label:
            dimensions, last = [*dimensions, last], ""
        if not dimensions:
            raise DataError("expected dimensions and a label separated by ':', found one field", path, line)
        if width is not None and len(dimensions) != width:
            raise DataError(f"expected {_dimensions(width)} as before, found {len(dimensions)}", path, line)
        width = len(dimensions)
        frames = _frames(dimensions, path, line)
        label = steps = None
        # Where labels are not needed, one of the whole sequence may stand there.
        if header.has_label and labelled == "steps" and needs_labels:
            steps = _labels(last.split(","), header, path, line)
            if len(steps) != len(frames):
                raise DataError(f"expected a label a step, {len(frames)}, found {len(steps)}", path, line)
        elif header.has_label and labelled == "sequences":
            [label] = _labels([last], header, path, line)
        yield FrameSequence(str(number), frames, label, steps, path, line)


def _dimensions(count: int) -> str:
    return f"{count} dimension" + ("s" if count > 1 else "")


def _frames(dimensions: list[str], path: str, line: int) -> np.ndarray:
    found: list[list[float]] = []
    for number, dimension in enumerate(dimensions, 1):
        if not dimension.strip():
            raise DataError(f"expected numbers in dimension {number}, found none", path, line)
        try:
            found.append(numbers_of(dimension.split(",")))
        except ValueFault as fault:
            raise DataError(f"{fault} in dimension {number}, step {fault.position}", path, line) from None
        if len(found[-1]) != len(found[0]):
            expected = f"{len(found[0])} steps in dimension {number}, as in the first"
            raise DataError(f"expected {expected}, found {len(found[-1])}", path, line)
    return np.array(found, np.float64).T.copy()


def _labels(texts: list[str], header: ArchiveHeader, path: str, line: int) -> tuple[str, ...]:
    try:
        labels = tuple(map(label_of, texts))
    except ValueFault as fault:
        raise fault.at(path, line) from None
    for label in labels:
        if header.labels and label not in header.labels:
            raise DataError(f"expected a label of {', '.join(header.labels)}, found {shown(label)}", path, line)
    return labels
