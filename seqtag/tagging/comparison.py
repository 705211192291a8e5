"""Compares runs on the same sentences."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqtag.errors import DataError, RunError, escaped
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import spans
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.answers import judge
from seqtag.tagging.evaluation.known_tags import corpus_at_known
from seqtag.tagging.evaluation.significance import Difference, accuracy, compare_counts, f1
from seqtag.tagging.model import TaggingModel

# Of each test; a p-value is then right to about .002 where it is .05.
SAMPLES = 10_000
MEASURES = {"F1": f1, "accuracy": accuracy}

# The name and the models of each system, every model with the sentences as it reads them.
Systems = Sequence[tuple[Path, Sequence[tuple[TaggingModel, TaggedCorpus]]]]


@dataclass(frozen=True)
class System:
    """One run, or the runs of several seeds.

    Attributes:
        path: as it was named.
        scores: of each run.
        difference: to the first system; None for itself.
    """

    path: Path
    scores: list[float]
    difference: Difference | None

    def to_metrics(self) -> dict[str, Any]:
        """The system as JSON has it."""
        found = {"run": str(self.path), "mean": statistics.fmean(self.scores), "scores": self.scores}
        return found | ({} if self.difference is None else {"difference": self.difference._asdict()})

    def to_row(self) -> list[str]:
        """The system as a row of the table."""
        mean = statistics.fmean(self.scores)
        spread = "" if len(self.scores) == 1 else f" ({min(self.scores):.2%} to {max(self.scores):.2%})"
        row = [escaped(str(self.path)), str(len(self.scores)), f"{mean:.2%}{spread}"]
        if self.difference is None:
            return [*row, "", "", "", ""]
        value, low, high, *tests = self.difference
        points = (f"{100 * value:+.2f}", f"{100 * low:+.2f} to {100 * high:+.2f}")
        return [*row, *points, *(f"{p:.4f}" for p in tests)]


@dataclass(frozen=True)
class ComparisonReport:
    """How systems differ from the first one.

    Attributes:
        measure: `"F1"` of spans, or `"accuracy"` of labels.
        sentences: how many were scored.
        systems: in their order.
    """

    measure: str
    sentences: int
    systems: list[System]

    def to_metrics(self) -> dict[str, Any]:
        """The report for programs; scores and differences are fractions."""
        systems = [system.to_metrics() for system in self.systems]
        return {"measure": self.measure.lower(), "sentences": self.sentences, "samples": SAMPLES, "systems": systems}

    def to_text(self) -> str:
        """The report as a table."""
        header = ["run", "seeds", self.measure, "difference", "95% interval", "bootstrap p", "randomisation p"]
        rows = [header, *(system.to_row() for system in self.systems)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([f"{self.sentences} sentences; points of {self.measure} more than the first run", *lines])


def compare_systems(systems: Systems, seed: int) -> ComparisonReport:
    """Scores systems on the same sentences, and tests how they differ from the first one.

    Args:
        systems: the name and the models of each, every model with the sentences as it reads them.
        seed: of the samples of the tests.

    Raises:
        DataError: the models do not read the same number of sentences.
        RunError: some find spans, others give labels.
    """
    measure = _measure_of([(path, model.codec.scheme) for path, models in systems for model, _ in models])
    _check_same_sentences(systems)
    counted = [(path, np.stack([_counts(*one) for one in models])) for path, models in systems]
    first = counted[0][1]
    compared = []
    for number, (path, counts) in enumerate(counted):
        scores = [float(MEASURES[measure](fit.sum(0))) for fit in counts]
        difference = compare_counts(first, counts, MEASURES[measure], SAMPLES, seed) if number else None
        compared.append(System(path, scores, difference))
    return ComparisonReport(measure, first.shape[1], compared)


def _measure_of(schemes: Sequence[tuple[Path, str | None]]) -> str:
    """The measure that all runs have."""
    of_labels, of_spans = ([path for path, scheme in schemes if (scheme is None) == kind] for kind in (True, False))
    if of_labels and of_spans:
        raise RunError(f"{of_labels[0]}: expected a run that finds spans, as {of_spans[0]} does, found one of labels")
    return "accuracy" if of_labels else "F1"


def _check_same_sentences(systems: Systems) -> None:
    """Raises a `DataError` where runs read other numbers of sentences, before any of them tags one."""
    count = len(systems[0][1][0][1].tags)
    for path, models in systems:
        for _, corpus in models:
            if len(corpus.tags) != count:
                found = len(corpus.tags)
                raise DataError(f"expected {count} sentences as the first run reads them, found {found} by {path}")


def _counts(model: TaggingModel, corpus: TaggedCorpus) -> np.ndarray:
    """The counts of each sentence `(sentences, counts)`."""
    count = _label_counts if model.codec.scheme is None else _span_counts
    judged = judge(model, corpus, model.encode(corpus.inputs))
    gold, predicted = corpus_at_known(corpus.tags, judged.predicted, model.codec.scheme)
    return np.array(list(map(count, gold, predicted)), float)


def _span_counts(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, int, int]:
    """Correct, predicted and gold spans of a sentence, in conlleval's reading.

    >>> _span_counts(["B-PER", "O", "B-LOC"], ["B-PER", "O", "O"])
    (1, 1, 2)
    """
    true, found = (set(spans(tags, "IOB2")) for tags in (gold, predicted))
    return len(true & found), len(found), len(true)


def _label_counts(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, int]:
    """Correct and all labels of a sentence."""
    known = [pair for pair in zip(gold, predicted, strict=True) if pair[0] != UNKNOWN_TAG]
    return sum(true == label for true, label in known), len(known)
