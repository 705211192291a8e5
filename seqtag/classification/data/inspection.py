"""What is in files of texts and labels: how many of each label, lengths, repeated texts, what files share.

Equal texts with different labels are told apart: no classifier can be right about both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqtag.classification.config import DataConfig
from seqtag.classification.data.detection import head_of, is_archive, settled
from seqtag.classification.data.examples import Examples, Kind
from seqtag.classification.data.load import files_of, load_examples
from seqtag.classification.data.split import content
from seqtag.errors import escaped

# How many places of repeated texts are listed.
EXAMPLES = 10


@dataclass(frozen=True)
class FileReport:
    """One file, or the files of the labels.

    Attributes:
        path: its name.
        layout: the name of its layout.
        encoding: its encoding.
        examples: how many texts there are.
        labels: how many texts each label has, most first.
        empty: how many texts are empty.
        lengths: the shortest, the median and the longest, in words between spaces or in frames.
        repeated: how many texts repeat an earlier one.
        repeated_lines: where the first of them stand.
        contradictory: how many distinct texts have different labels.
        contradictory_lines: where the first of them stand.
    """

    path: str
    layout: str
    encoding: str
    examples: int
    labels: Mapping[str, int]
    empty: int
    lengths: tuple[int, float, int]
    repeated: int
    repeated_lines: tuple[int, ...]
    contradictory: int
    contradictory_lines: tuple[int, ...]

    def to_text(self) -> str:
        """The report in lines for people."""
        what, unit = ("sequences", "frames") if self.layout == "frames" else ("texts", "words")
        labels = ", ".join(f"{name} {count:,} ({count / self.examples:.1%})" for name, count in self.labels.items())
        shortest, median, longest = self.lengths
        lines = [
            f"layout {self.layout}, encoding {self.encoding}",
            f"{self.examples:,} {what}, {self.empty:,} empty; {shortest:,} to {longest:,} {unit}, median {median:g}",
            f"{len(self.labels)} labels: {labels}",
            f"repeated {what}: {self.repeated:,}{_where(self.repeated_lines)}",
            f"{what} with different labels: {self.contradictory:,}{_where(self.contradictory_lines)}",
        ]
        return "\n".join(map(escaped, [self.path, *(f"  {line}" for line in lines)]))


@dataclass(frozen=True)
class Overlap:
    """How many texts of a file are also in an earlier one, and which labels it has that the earlier one lacks."""

    path: str
    earlier: str
    shared: int
    new_labels: tuple[str, ...]

    def to_text(self) -> str:
        """The report in a line for people."""
        new = f"; labels that only the first has: {', '.join(self.new_labels)}" if self.new_labels else ""
        return escaped(f"{self.path} and {self.earlier}: {self.shared:,} shared{new}")


@dataclass(frozen=True)
class ExamplesReport:
    """All files of a corpus, and what each has in common with the files before it."""

    files: tuple[FileReport, ...]
    overlaps: tuple[Overlap, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The report in types that JSON knows."""
        return asdict(self)

    def to_text(self) -> str:
        """The report for people."""
        return "\n".join([*(file.to_text() for file in self.files), *(overlap.to_text() for overlap in self.overlaps)])


def inspect_examples(files: Sequence[str], data: DataConfig = DataConfig()) -> ExamplesReport:
    """Reads each file once and reports on it; labels between commas count as several.

    Args:
        files: paths, the training data first, so that the report says what the others share with it.
        data: how all files are read.

    Raises:
        DataError: a file cannot be read.
        ConfigError: the layout is not one of these files, or no such encoding.
    """
    read = []
    for name in files:
        found = files_of(name) or name
        is_frames = isinstance(found, str) and is_archive(found, head_of(found) or [""])
        kind = Kind("frames" if is_frames else "text", several=not is_frames)
        reading = settled(data, found, kind)
        read.append((name, reading, load_examples(found, reading, kind)))
    reports = tuple(_report(*one) for one in read)
    overlaps = [_overlap(later, earlier) for n, later in enumerate(read) for earlier in read[:n]]
    return ExamplesReport(reports, tuple(overlaps))


def _report(path: str, data: DataConfig, examples: Examples) -> FileReport:
    first: dict[str | bytes, int] = {}
    labels: dict[str | bytes, set[tuple]] = defaultdict(set)
    repeated, contradictory = [], []
    for number, source in enumerate(examples.sources):
        key = content(source)
        if first.setdefault(key, number) != number:
            repeated.append(number)
        if examples.labels[number] not in labels[key] and len(labels[key]) == 1:
            contradictory.append(number)
        labels[key].add(examples.labels[number])
    lengths = np.array([len(source.split() if isinstance(source, str) else source) for source in examples.sources])
    return FileReport(
        path=path,
        layout=data.layout,
        encoding=data.encoding,
        examples=len(examples),
        labels=dict(Counter(str(label) for row in examples.labels for label in row).most_common()),
        empty=sum(not len(source) for source in examples.sources),
        lengths=(int(lengths.min()), float(np.median(lengths)), int(lengths.max())),
        repeated=len(repeated),
        repeated_lines=_lines(examples, repeated),
        contradictory=len(contradictory),
        contradictory_lines=_lines(examples, contradictory),
    )


def _overlap(later: tuple[str, DataConfig, Examples], earlier: tuple[str, DataConfig, Examples]) -> Overlap:
    known = set(map(content, earlier[2].sources))
    shared = sum(content(source) in known for source in later[2].sources)
    ours, theirs = ({str(label) for row in part[2].labels for label in row} for part in (later, earlier))
    return Overlap(later[0], earlier[0], shared, tuple(sorted(ours - theirs)))


def _lines(examples: Examples, numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(examples.places[number][1] for number in numbers[:EXAMPLES])


def _where(lines: Sequence[int]) -> str:
    return f" (first at line {', '.join(map(str, lines))})" if lines else ""
