"""Sequences of frames of numbers with a label a step, as a tagger reads them: from files and from Python objects.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqtag.data.frames.columns import ColumnKeys, FrameColumns
from seqtag.data.frames.files import FrameFile, read_frames
from seqtag.data.frames.missing import tell_missing
from seqtag.data.frames.objects import sequences_of_arrays, sequences_of_dataframe
from seqtag.data.frames.sequence import FrameSequence
from seqtag.data.frames.table import TableRules
from seqtag.data.text.lines import Source
from seqtag.errors import DataError, shown
from seqtag.tagging.data.frame_samples import is_frame_sample, sample_table

if TYPE_CHECKING:
    from seqtag.tagging.data.corpus import ReadingOptions

FRAMES = "frames"
ID, LABEL = "id", "label"
KEYS = ColumnKeys("sentence_column", "time_column", "tag_column", "features")


def frame_columns(options: ReadingOptions) -> FrameColumns:
    """Which columns of a table of frames are which."""
    ids, label = options.sentence_column or ID, options.tag_column or LABEL
    return FrameColumns(ids, options.time_column, label, options.features or None, KEYS)


def frame_file(source: Source, options: ReadingOptions, needs_labels: bool, keeps_rows: bool = False) -> FrameFile:
    """Opens a file of frames; `sample:regimes/train` is made inside the package.

    Args:
        source: a path, `"-"`, a stream or the name of a sample.
        options: how it is read, and how many numbers a frame must have.
        needs_labels: whether each step must have a label.
        keeps_rows: whether sequences have their rows as they stand.

    Raises:
        DataError: see `read_frames`; frames of another width are found when `sequences` come to them.
    """
    rules = TableRules("steps", needs_labels, keeps_rows=keeps_rows)
    file = read_frames(frames_source(source), frame_columns(options), rules, options.encoding)
    return replace(file, sequences=_of_width(file.sequences, options.frame_width))


def frames_source(source: Source) -> Source:
    """The source itself, or the table of a sample of this name."""
    return sample_table(source) if isinstance(source, str) and is_frame_sample(source) else source


def is_frames_file(name: str) -> bool:
    """Whether a file can hold nothing but frames: a sample of them, or `.ts`.

    >>> is_frames_file("a.ts"), is_frames_file("a.csv")
    (True, False)
    """
    return is_frame_sample(name) or name.casefold().endswith(".ts")


def labelled_sequences(
    source: Any, options: ReadingOptions, tags: Iterable | None
) -> tuple[tuple[str, ...], list[FrameSequence]]:
    """The names of the columns of numbers, empty where there are none, and the sequences, each with a label a step.

    What is missing in training data, of which nothing says how wide they must be, is told once.

    Args:
        source: a path; a DataFrame in long form; arrays `(time, features)`, with their labels in `tags`; or pairs of
            both.
        options: how they are read.
        tags: the labels of arrays.

    Raises:
        DataError: the source is at fault; the message says where.
    """
    path: str | None = None
    names: tuple[str, ...] = ()
    if isinstance(source, pd.DataFrame):
        names, sequences = sequences_of_dataframe(source, frame_columns(options), "steps")
        sequences = list(_of_width(iter(sequences), options.frame_width))
    elif _is_source(source):
        file = frame_file(source, options, needs_labels=True)
        path, names, sequences = file.path, file.features or (), list(file.sequences)
    else:
        arrays, labels = _unzipped(source) if tags is None else (source, tags)
        sequences = list(_of_width(sequences_of_arrays(arrays, labels, "steps"), options.frame_width))
    if options.frame_width is None:
        tell_missing([sequence.frames for sequence in sequences], path, stacklevel=5)
    return names, sequences


def unlabelled_sequences(X: Any, options: ReadingOptions) -> list[FrameSequence]:
    """The sequences of arrays or of a DataFrame, whose labels are not read.

    Raises:
        DataError: as `labelled_sequences`.
    """
    if isinstance(X, pd.DataFrame):
        _, sequences = sequences_of_dataframe(X, frame_columns(options), "steps", needs_labels=False)
        return list(_of_width(iter(sequences), options.frame_width))
    return list(_of_width(sequences_of_arrays(X), options.frame_width))


@cache
def step_name(step: int) -> str:
    """What a step is called where tokens are shown: its number, one object for all sequences."""
    return str(step)


def step_names(steps: int) -> list[str]:
    """The names of the steps of a sequence.

    >>> step_names(3)
    ['0', '1', '2']
    """
    return list(map(step_name, range(steps)))


def _is_source(source: Any) -> bool:
    return isinstance(source, str) or hasattr(source, "__fspath__")


def _of_width(sequences: Iterator[FrameSequence], width: int | None) -> Iterator[FrameSequence]:
    for sequence in sequences:
        if width is not None and sequence.width != width:
            message = f"expected frames of {width} numbers, as in training, found {sequence.width}"
            raise DataError(message, **sequence.place())
        yield sequence


def _unzipped(pairs: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """The frames and the labels of pairs; an array is none of pairs, though it may look like one."""
    found: list[tuple[Any, Any]] = []
    if not isinstance(pairs, np.ndarray):
        with suppress(TypeError, ValueError):
            found = [(frames, labels) for frames, labels in pairs]
    if not found:
        raise DataError(f"expected a path, a DataFrame, pairs (frames, labels) or labels in y, found {shown(pairs)}")
    return [frames for frames, _ in found], [labels for _, labels in found]
