"""Frames of numbers with a label for each sequence: files, arrays and DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from seqtag.classification.config import DataConfig
from seqtag.classification.data.examples import Row
from seqtag.classification.data.python_examples import is_dataframe, labels_of
from seqtag.classification.data.tables import labels_in
from seqtag.data.frames.columns import FrameColumns
from seqtag.data.frames.files import read_frames
from seqtag.data.frames.objects import sequences_of_arrays, sequences_of_dataframe
from seqtag.data.frames.sequence import FrameSequence
from seqtag.data.frames.table import TableRules
from seqtag.data.text.lines import Source
from seqtag.errors import DataError


def read_frame_examples(
    file: Source, data: DataConfig, several: bool = False, needs_labels: bool = True
) -> Iterator[Row]:
    """Yields the sequences of a file: a long table, or `.ts`.

    Raises:
        DataError: see `read_frames`; a sequence has no label.
    """
    rules = TableRules("sequences", needs_labels)
    for sequence in read_frames(file, columns_of(data), rules, data.encoding).sequences:
        labels = (
            None if sequence.label is None else labels_in(sequence.label, data.label_separator if several else None)
        )
        yield Row(sequence.line, sequence.frames, labels, sequence.path)


def rows_of_arrays(X: Any, y: Any, several: bool) -> Iterator[Row]:
    """Yields arrays `(time, features)` with their labels in `y`, where it is not None.

    Raises:
        DataError: see `sequences_of_arrays` and `labels_of`.
    """
    sequences = list(sequences_of_arrays(X))
    labels: Iterable[Any] = [None] * len(sequences) if y is None else labels_of(y, len(sequences), several, "sequence")
    for sequence, of_one in zip(sequences, labels, strict=True):
        yield Row(sequence.line, sequence.frames, of_one)


def rows_of_long_frame(frame: Any, data: DataConfig, several: bool, needs_labels: bool = True) -> Iterator[Row]:
    """Yields the sequences of a DataFrame in long form.

    Raises:
        DataError: see `sequences_of_dataframe`.
    """
    found: list[FrameSequence] = sequences_of_dataframe(frame, columns_of(data), "sequences", needs_labels)[1]
    for sequence in found:
        labels = (
            None if sequence.label is None else labels_in(sequence.label, data.label_separator if several else None)
        )
        yield Row(sequence.line, sequence.frames, labels)


def rows_of_frame_pairs(X: Any, several: bool) -> Iterator[Row]:
    """Yields pairs `(array, label)`.

    Raises:
        DataError: `X` holds no pairs.
    """
    pairs = list(X) if isinstance(X, list | tuple) else []
    if not pairs or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise DataError("expected a path, a DataFrame, pairs (array, label), or arrays and labels")
    return rows_of_arrays([frames for frames, _ in pairs], [label for _, label in pairs], several)


def rows_of_frames(X: Any, data: DataConfig) -> Iterator[Row]:
    """Yields sequences without labels: arrays, or those of a DataFrame.

    Raises:
        DataError: see `sequences_of_arrays` and `sequences_of_dataframe`.
    """
    if is_dataframe(X):
        return (row._replace(labels=None) for row in rows_of_long_frame(X, data, several=False, needs_labels=False))
    return rows_of_arrays(X, None, several=False)


def columns_of(data: DataConfig) -> FrameColumns:
    """The columns of a long table that a configuration names."""
    return FrameColumns(data.id_column or "id", data.time_column, data.label_column or "label", data.features)
