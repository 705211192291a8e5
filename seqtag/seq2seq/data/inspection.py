"""What is in files of pairs: lengths, symbols, repeated pairs, sources with several targets, what files share.

>>> report = inspect_pairs(["sample:numbers_to_words/train", "sample:numbers_to_words/dev"])
>>> report.files[0].pairs, report.files[0].sources, report.overlaps[0].shared_sources
(3060, 3060, 0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from seqtag.errors import DataError, escaped
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.detection import TWO_FILES, detect_layout, head_of, settled
from seqtag.seq2seq.data.load import load_pairs
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.samples import is_sample
from seqtag.seq2seq.data.split import hold_out
from seqtag.seq2seq.data.text_survey import LengthReport, LengthSurvey, Unknown, listed, surveyed


@dataclass(frozen=True)
class FileReport:
    """One file of pairs, or a file of sources and its targets.

    Attributes:
        path: its name; of two files that of the sources.
        layout: the name of its layout.
        encoding: its encoding.
        pairs: how many there are.
        sources: how many distinct sources, with their features.
        source: on the sources, in characters and, where there are spaces, in words; or in frames.
        target: the same on the targets.
        features: how many distinct values each further column has.
        repeated: how many pairs repeat an earlier one of the file.
        repeated_lines: where the first of them stand.
        several: how many sources have several targets.
        most_targets: the most targets of a source.
        several_lines: where the first of these sources stand.
        split: how many pairs the fixed rule gives to each split, with the shares of the configuration.
    """

    path: str
    layout: str
    encoding: str
    pairs: int
    sources: int
    source: tuple[LengthReport, ...]
    target: tuple[LengthReport, ...]
    features: tuple[int, ...]
    repeated: int
    repeated_lines: tuple[int, ...]
    several: int
    most_targets: int
    several_lines: tuple[int, ...]
    split: Mapping[str, int]

    def to_text(self) -> str:
        """The report in lines for people."""
        lines = [
            f"layout {self.layout}, encoding {self.encoding}",
            f"{_count(self.pairs, 'pair')}, {_count(self.sources, 'distinct source')}",
            *(f"source {report.to_text()}" for report in self.source),
            *(f"feature {n}: {_count(values, 'value')}" for n, values in enumerate(self.features, 1)),
            *(f"target {report.to_text()}" for report in self.target),
            f"repeated pairs: {self.repeated}{_where(self.repeated_lines)}",
        ]
        most = f", at most {self.most_targets}" if self.several else ""
        lines += [f"sources with several targets: {self.several}{most}{_where(self.several_lines)}"]
        if self.split:
            lines += [
                f"held out by the rule on sources: {', '.join(f'{name} {count}' for name, count in self.split.items())}"
            ]
        return "\n".join(map(escaped, [self.path, *(f"  {line}" for line in lines)]))


@dataclass(frozen=True)
class Overlap:
    """What a file has in common with an earlier one, such as a test set with its training set.

    Attributes:
        path: the later file.
        earlier: the earlier file.
        shared_sources: how many of its distinct sources, with their features, occur there.
        shared_pairs: how many of its pairs occur there.
        shared_lines: where the first shared sources stand.
        unknown_source: by unit, such as words, what its sources have that those do not have.
        unknown_target: the same of the targets.
    """

    path: str
    earlier: str
    shared_sources: int
    shared_pairs: int
    shared_lines: tuple[int, ...]
    unknown_source: Mapping[str, Unknown]
    unknown_target: Mapping[str, Unknown]

    def to_text(self) -> str:
        """The report in lines for people."""
        lines = [
            f"{self.path} and {self.earlier}: {_count(self.shared_sources, 'shared source')}, "
            f"{_count(self.shared_pairs, 'shared pair')}{_where(self.shared_lines)}"
        ]
        for side, unknown in (("source", self.unknown_source), ("target", self.unknown_target)):
            lines += [f"  {_unknown(side, unit, found)}" for unit, found in unknown.items() if found.distinct]
        return "\n".join(map(escaped, lines))


@dataclass(frozen=True)
class PairsReport:
    """All files of a corpus, and what each has in common with the files before it."""

    files: tuple[FileReport, ...]
    overlaps: tuple[Overlap, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The report in types that JSON knows."""
        return asdict(self)

    def to_text(self) -> str:
        """The report for people."""
        return "\n".join([*(file.to_text() for file in self.files), *(overlap.to_text() for overlap in self.overlaps)])


def inspect_pairs(files: Sequence[str], data: DataConfig = DataConfig(), examples: int = 10) -> PairsReport:
    """Reads each file once and reports on it.

    Args:
        files: paths, the training data first, so that the report says what the others share with it. Files of sources
            and of targets take turns where the layout is of two files, which `auto` sees by lines without separators.
        data: how all files are read; with one file the report says how the fixed rule splits it by these shares.
        examples: how many repeated pairs and sources with several targets are listed by their lines.

    Raises:
        DataError: a file cannot be read as pairs.
        ConfigError: the layout is not one of these files, or no such encoding.
    """
    surveys = [_Survey(part, reading, examples) for part, reading in _parts(files, data)]
    overlaps = [later.overlap(earlier) for n, later in enumerate(surveys) for earlier in surveys[:n]]
    return PairsReport(tuple(survey.report(len(surveys) == 1) for survey in surveys), tuple(overlaps))


class _Survey:
    """What one pass over a file, or a file of sources and one of targets, collects."""

    def __init__(self, files: Sequence[str], data: DataConfig, examples: int) -> None:
        self.data = data
        self.examples = examples
        self.pairs = load_pairs(files[0] if len(files) == 1 else tuple(files), data)
        self.path = self.pairs.path or files[0]
        self.source = surveyed(self.pairs.sources)
        self.target = surveyed(self.pairs.targets)
        self.targets = _targets(self.pairs)

    def report(self, with_split: bool) -> FileReport:
        pairs = self.pairs
        repeated = [n for n, target in enumerate(pairs.targets) if self.targets[pairs.identity(n)][target] != n]
        several = [found for found in self.targets.values() if len(found) > 1]
        return FileReport(
            path=self.path,
            layout="sample" if is_sample(self.path) else self.data.layout,
            encoding=self.data.encoding,
            pairs=len(pairs),
            sources=len(self.targets),
            source=tuple(survey.report() for survey in self.source),
            target=tuple(survey.report() for survey in self.target),
            features=tuple(len(set(values)) for values in zip(*pairs.features, strict=True)),
            repeated=len(repeated),
            repeated_lines=self._lines(repeated),
            several=len(several),
            most_targets=max(map(len, self.targets.values())),
            several_lines=self._lines([next(iter(found.values())) for found in several]),
            split=self._split() if with_split else {},
        )

    def _split(self) -> dict[str, int]:
        """How many pairs the fixed rule gives to each split; nothing where there are too few sources."""
        try:
            parts = hold_out(self.pairs, self.data.dev_share, self.data.test_share)
        except DataError:
            return {}
        return {name: len(part) for name, part in parts.items()}

    def overlap(self, earlier: _Survey) -> Overlap:
        shared = [source for source in self.targets if source in earlier.targets]
        identities = map(self.pairs.identity, range(len(self.pairs)))
        targets = zip(identities, self.pairs.targets, strict=True)
        return Overlap(
            path=self.path,
            earlier=earlier.path,
            shared_sources=len(shared),
            shared_pairs=sum(target in earlier.targets.get(source, ()) for source, target in targets),
            shared_lines=self._lines([next(iter(self.targets[source].values())) for source in shared]),
            unknown_source=_unknowns(self.source, earlier.source),
            unknown_target=_unknowns(self.target, earlier.target),
        )

    def _lines(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The lines of the first of these pairs."""
        return tuple(self.pairs.place(number)["line"] for number in islice(numbers, self.examples))


def _parts(files: Sequence[str], data: DataConfig) -> list[tuple[Sequence[str], DataConfig]]:
    """The files of each corpus with how they are read: one, or sources and targets."""
    if data.layout == "auto" and _are_sources_and_targets(files, data):
        data = data.model_copy(update={"layout": detect_layout(files[:2], data.encoding)})
    step = 2 if data.layout in TWO_FILES else 1
    parts = [files[n : n + step] for n in range(0, len(files), step)]
    return [(part, data if is_sample(part[0]) else settled(data, part)) for part in parts]


def _are_sources_and_targets(files: Sequence[str], data: DataConfig) -> bool:
    """Whether two files take turns: of the first two, no line has two columns, which a file of pairs must have."""
    if len(files) % 2 or any(map(is_sample, files)):
        return False
    lines = (line for file in files[:2] for line in head_of(file, data.encoding))
    return not any(mark in line for line in lines for mark in ("\t", data.separator))


def _targets(pairs: Pairs) -> dict[Any, dict[str, int]]:
    """The distinct targets of each distinct source, each with the number of its first pair."""
    found: dict[Any, dict[str, int]] = {}
    for number, target in enumerate(pairs.targets):
        found.setdefault(pairs.identity(number), {}).setdefault(target, number)
    return found


def _unknowns(surveys: Sequence[LengthSurvey], earlier: Sequence[LengthSurvey]) -> dict[str, Unknown]:
    known = {survey.unit: survey for survey in earlier}
    return {survey.unit: survey.unknown(known[survey.unit]) for survey in surveys if survey.unit in known}


def _unknown(side: str, unit: str, found: Unknown) -> str:
    return f"{side} {unit} that only the first has: {found.distinct}, {found.share:.2%} of all: {listed(found.most)}"


def _where(lines: Sequence[int]) -> str:
    return f" (first at line {', '.join(map(str, lines))})" if lines else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
