r"""What is in files of frames of numbers: sequences, lengths, labels, and each column's numbers and gaps.

>>> import io
>>> table = io.StringIO("id,x,label\na,1,u\na,?,u\na,3,v\nb,2,u\n")
>>> print(inspect_frames([table]).to_text())
<stream>
  2 sequences of 1 numbers, 4 frames; lengths: shortest 1, median 2, longest 3
  labels, one a step: u 3, v 1
  x: 25.00% missing; mean 2, deviation 0.816, from 1 to 3
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from seqtag.data.frames.columns import FrameColumns
from seqtag.data.frames.files import read_frames
from seqtag.data.frames.sequence import FrameSequence, Labelled
from seqtag.data.frames.table import TableRules
from seqtag.data.text.lines import Source
from seqtag.errors import DataError, escaped

# How many columns and labels are listed.
MOST_LISTED = 30


@dataclass(frozen=True)
class FeatureReport:
    """One column of numbers.

    Attributes:
        name: of the column, or its number from 1 where columns have no names.
        missing: the share of its numbers that are missing.
        mean, deviation, least, greatest: of those that are there; 0 where none are.
    """

    name: str
    missing: float
    mean: float
    deviation: float
    least: float
    greatest: float

    def to_text(self) -> str:
        """The column as one line for people."""
        gaps = f"{self.missing:.2%} missing; " if self.missing else ""
        figures = f"mean {self.mean:.6g}, deviation {self.deviation:.3g}, from {self.least:.6g} to {self.greatest:.6g}"
        return f"{self.name}: {gaps}{figures}"


@dataclass(frozen=True)
class FrameFileReport:
    """One file of frames.

    Attributes:
        path: its name.
        sequences: how many there are.
        frames: how many there are in all of them.
        lengths: of sequences in frames: `min`, `median`, `max`.
        labelled: what has a label: `"steps"`, `"sequences"` or `"nothing"`.
        labels: how often each label occurs, most frequent first.
        features: the columns of numbers.
    """

    path: str
    sequences: int
    frames: int
    lengths: Mapping[str, int]
    labelled: str
    labels: Mapping[str, int]
    features: tuple[FeatureReport, ...]

    def to_text(self) -> str:
        """The report in lines for people."""
        lengths = "shortest {min}, median {median}, longest {max}".format(**self.lengths)
        kind = "step" if self.labelled == "steps" else "sequence"
        lines = [
            f"{self.sequences} sequences of {len(self.features)} numbers, {self.frames} frames; lengths: {lengths}"
        ]
        shown = [f"{label} {count}" for label, count in list(self.labels.items())[:MOST_LISTED]]
        more = [f"{len(self.labels) - MOST_LISTED} more"] if len(self.labels) > MOST_LISTED else []
        lines += [f"labels, one a {kind}: {', '.join(shown + more)}"] if shown else ["no labels"]
        lines += [feature.to_text() for feature in self.features[:MOST_LISTED]]
        lines += [f"and {len(self.features) - MOST_LISTED} more columns"] if len(self.features) > MOST_LISTED else []
        return "\n".join(map(escaped, [self.path, *(f"  {line}" for line in lines)]))


@dataclass(frozen=True)
class FramesReport:
    """Files of frames, one after the other."""

    files: tuple[FrameFileReport, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The report in types that JSON knows."""
        return asdict(self)

    def to_text(self) -> str:
        """The report for people."""
        return "\n".join(file.to_text() for file in self.files)


def inspect_frames(
    files: Sequence[Source], columns: FrameColumns = FrameColumns(), encoding: str = "utf-8"
) -> FramesReport:
    """Reads each file and reports on it.

    Args:
        files: tables, whose labels stand at steps, or `.ts`; a file may lack labels.
        columns: of tables.
        encoding: of all files.

    Raises:
        DataError: a file is at fault.
    """
    return FramesReport(tuple(_inspect(file, columns, encoding) for file in files))


def _inspect(file: Source, columns: FrameColumns, encoding: str) -> FrameFileReport:
    opened = read_frames(file, columns, TableRules("steps"), encoding)
    labelled = "steps"
    if opened.header is not None:
        sequences = list(opened.sequences)
    else:
        labelled, sequences = _of_archive(file, columns, encoding)
    labels = Counter(label for sequence in sequences for label in sequence.step_labels or ())
    labels.update(sequence.label for sequence in sequences if sequence.label is not None)
    lengths = list(map(len, sequences))
    numbers = np.concatenate([sequence.frames for sequence in sequences])
    names = opened.features or tuple(str(n) for n in range(1, numbers.shape[1] + 1))
    return FrameFileReport(
        opened.path,
        len(sequences),
        len(numbers),
        {"min": min(lengths), "median": int(median(lengths)), "max": max(lengths)},
        labelled if labels else "nothing",
        dict(labels.most_common()),
        tuple(map(_feature, names, numbers.T)),
    )


def _of_archive(file: Source, columns: FrameColumns, encoding: str) -> tuple[str, list[FrameSequence]]:
    """The sequences of a `.ts` file, and what has labels: sequences, as in the archives, or steps, or nothing."""
    kinds: tuple[Labelled, ...] = ("sequences", "steps", "nothing")
    fault: DataError | None = None
    for labelled in kinds:
        try:
            rules = TableRules(labelled, needs_labels=labelled != "nothing")
            return labelled, list(read_frames(file, columns, rules, encoding).sequences)
        except DataError as error:
            fault = error
    assert fault is not None
    raise fault


def _feature(name: str, numbers: np.ndarray) -> FeatureReport:
    known = numbers[~np.isnan(numbers)]
    figures = [known.mean(), known.std(), known.min(), known.max()] if len(known) else [0.0] * 4
    return FeatureReport(name, 1 - len(known) / len(numbers), *map(float, figures))
