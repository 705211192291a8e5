"""Sequences of frames from Python objects: arrays of unequal length, and DataFrames; checked.

What is wrong is told with the number of its sequence and step, from 0 as Python counts, or the row of a DataFrame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtag.data.frames.columns import FrameColumns, places_of
from seqtag.data.frames.sequence import FrameSequence, Labelled, place_of
from seqtag.data.frames.values import LARGEST, ValueFault, first_out_of_order, label_of
from seqtag.errors import DataError, shown

if TYPE_CHECKING:
    import pandas as pd


def sequences_of_arrays(X: Any, y: Any = None, labelled: Labelled = "nothing") -> Iterator[FrameSequence]:
    """Yields sequences `(time, features)`, with their labels in `y`: one each, or a list each of one a step.

    NaN and None are missing numbers.

    Raises:
        DataError: `X` holds no arrays of numbers, they differ in width, one has no frame or a number that is not
            finite, or the labels do not fit.

    >>> [one.step_labels for one in sequences_of_arrays([[[1.0], [2.0]], [[3.0]]], [["a", "b"], ["a"]], "steps")]
    [('a', 'b'), ('a',)]
    """
    sequences = _elements(X, "sequences, each an array (time, features)")
    labels = None if y is None else _elements(y, "labels, one a sequence")
    if labels is not None and len(labels) != len(sequences):
        raise DataError(f"expected labels of as many sequences, found {len(labels)} for {len(sequences)}")
    width = 0
    for number, value in enumerate(sequences):
        frames = frames_of(value, place_of(number))
        if width and frames.shape[1] != width:
            message = f"expected frames of {width} numbers as before, found {frames.shape[1]}"
            raise DataError(message, place_of(number))
        width = frames.shape[1]
        label = steps = None
        if labels is not None and labelled == "steps":
            steps = _step_labels(labels[number], len(frames), number)
        elif labels is not None:
            label = _label(labels[number], place_of(number))
        yield FrameSequence(str(number), frames, label, steps, line=number)


def sequences_of_dataframe(
    frame: pd.DataFrame, columns: FrameColumns, labelled: Labelled = "nothing", needs_labels: bool = True
) -> tuple[tuple[str, ...], list[FrameSequence]]:
    """The names of the columns of numbers, and the sequences, of a DataFrame in long form: a row a frame.

    Raises:
        DataError: as `places_of`; the frame is empty, a column holds no numbers, a label is missing, or rows of a
            sequence do not stand together or are out of order.
    """
    names = [str(name) for name in frame.columns]
    places = places_of(names, columns, labelled, needs_labels)
    if not len(frame):
        raise DataError("expected frames, found an empty DataFrame")
    rows = [f"row {row}" for row in frame.index]
    ids = _ids(frame.iloc[:, places.id], rows)
    values = np.column_stack([_column(frame.iloc[:, n], rows) for n in places.features])
    labels = None if places.label is None else list(map(_label, frame.iloc[:, places.label].tolist(), rows))
    times = None if places.time is None else frame.iloc[:, places.time].tolist()
    found: list[FrameSequence] = []
    seen: set[str] = set()
    for name, group in groupby(range(len(ids)), ids.__getitem__):
        numbers = list(group)
        start, stop = numbers[0], numbers[-1] + 1
        if name in seen:
            raise DataError(f"expected the rows of id {shown(name)} together, found more", rows[start])
        seen.add(name)
        if times is not None:
            _check_order(times[start:stop], rows[start:stop])
        of_steps = None if labels is None else tuple(labels[start:stop])
        label = None if of_steps is None or labelled == "steps" else _one_label(of_steps, rows[start:stop])
        steps = of_steps if labelled == "steps" else None
        found.append(FrameSequence(name, values[start:stop], label, steps, line=len(found)))
    return tuple(names[n] for n in places.features), found


def frames_of(value: Any, place: str) -> np.ndarray:
    """Numbers `(time, features)` as float64, NaN where one is missing.

    Raises:
        DataError: it is something else, has no frame, or an infinite number.

    >>> frames_of([[1, None]], "sequence 0")
    array([[ 1., nan]])
    """
    frames = _floats(value)
    if frames is None or frames.ndim != 2 or not frames.shape[1]:
        found = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else shown(value)
        raise DataError(f"expected numbers (time, features), found {found}", place)
    if not len(frames):
        raise DataError("expected a sequence of at least one frame, found none", place)
    if (too_large := np.abs(frames) > LARGEST).any():
        step, feature = np.argwhere(too_large)[0]
        raise DataError(f"expected finite numbers of float32, found {frames[step, feature]}", f"{place}, step {step}")
    return frames


def _floats(value: Any) -> np.ndarray | None:
    """An array, or nested lists of numbers, as float64; None for anything else."""
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind == "O" and not any(isinstance(one, str | bytes) for one in numbers.flat):
            return numbers.astype(np.float64)
        return numbers.astype(np.float64) if numbers.dtype.kind in "fiub" else None
    except (ValueError, TypeError):  # nested lists of several lengths, or what is no number
        return None


def _elements(values: Any, expected: str) -> list[Any]:
    """The elements of an iterable that is no text."""
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        try:
            if found := list(values):
                return found
        except TypeError:  # an array of no dimension says that it is iterable
            pass
        else:
            raise DataError(f"expected {expected}, found none")
    raise DataError(f"expected {expected}, found {shown(values)}")


def _step_labels(values: Any, steps: int, number: int) -> tuple[str, ...]:
    """The labels of a sequence, one a step."""
    try:
        found = [] if isinstance(values, str) else list(values)
    except TypeError:
        found = []
    if len(found) != steps:
        given = f"{len(found)}" if found else shown(values)
        raise DataError(f"expected a label a step, {steps}, found {given}", place_of(number))
    return tuple(_label(value, place_of(number, step)) for step, value in enumerate(found))


def _label(value: Any, place: str) -> str:
    try:
        return label_of(value)
    except ValueFault as fault:
        raise fault.at(place) from None


def _one_label(labels: tuple[str, ...], rows: list[str]) -> str:
    for label, row in zip(labels, rows, strict=True):
        if label != labels[0]:
            found = f"{shown(label)} after {shown(labels[0])}"
            raise DataError(f"expected one label for all rows of a sequence, found {found}", row)
    return labels[0]


def _ids(column: pd.Series, rows: list[str]) -> list[str]:
    for row, missing in zip(rows, column.isna(), strict=True):
        if missing:
            raise DataError(f"expected an id in column {column.name}, found nothing", row)
    return [str(value) for value in column.tolist()]


def _column(column: pd.Series, rows: list[str]) -> np.ndarray:
    """The numbers of a column, NaN where one is missing."""
    try:
        numbers = column.to_numpy(np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        wrong = next(n for n, value in enumerate(column) if _floats([value]) is None)
        found = shown(column.iloc[wrong])
        raise DataError(f"expected a number in column {column.name}, found {found}", rows[wrong]) from None
    if (too_large := np.abs(numbers) > LARGEST).any():
        wrong = int(np.argmax(too_large))
        expected = f"a finite number of float32 in column {column.name}"
        raise DataError(f"expected {expected}, found {numbers[wrong]}", rows[wrong])
    return numbers


def _check_order(times: list[Any], rows: list[str]) -> None:
    for row, time in zip(rows, times, strict=True):
        if time != time or time is None:  # NaN and NaT differ from themselves
            raise DataError("expected a time, found nothing", row)
    try:
        wrong = first_out_of_order(times)
    except ValueFault as fault:
        raise fault.at(rows[fault.position]) from None
    if wrong is not None:
        message = f"expected the rows of a sequence in the order of time, found {times[wrong]} after {times[wrong - 1]}"
        raise DataError(message, rows[wrong])
