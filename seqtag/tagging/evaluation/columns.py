"""Scores of a tagger of several columns of tags: those of each column, and how many tokens are right in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.errors import escaped
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.labels import LabelReport
from seqtag.tagging.evaluation.spans import SpanReport

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True)
class ColumnsReport:
    """How well the tags of several columns match the gold ones.

    Attributes:
        columns: the report on each column by its name, the first one first.
        all_right: the share of tokens whose tags are right in all columns.
    """

    columns: Mapping[str, SpanReport | LabelReport]
    all_right: float

    def to_metrics(self) -> dict[str, Any]:
        """The first column's figures, those of the others under `columns`, and `accuracy_of_all`."""
        first, *further = ((name, report.to_metrics()) for name, report in self.columns.items())
        return first[1] | {"accuracy_of_all": self.all_right, "columns": dict(further)}

    def to_text(self) -> str:
        """The reports one below the other."""
        parts = [f"{escaped(name)}\n{report.to_text()}" for name, report in self.columns.items()]
        return "\n\n".join([*parts, f"tokens right in all {len(self.columns)} columns: {self.all_right:.2%}"])


def reports_of(report: SpanReport | LabelReport | ColumnsReport) -> list[SpanReport | LabelReport]:
    """The report on each column of tags."""
    return list(report.columns.values()) if isinstance(report, ColumnsReport) else [report]


def first_report(report: SpanReport | LabelReport | ColumnsReport) -> SpanReport | LabelReport:
    """The report on the first column of tags."""
    return reports_of(report)[0]


def share_all_right(gold: Sequence[Tags], predicted: Sequence[Tags]) -> float:
    """The share of tokens whose tags are right in all columns, of those whose gold tags are all known; 0 of none.

    Args:
        gold: for each column the tags of each sentence.
        predicted: the same.

    >>> share_all_right([[["NOUN", "VERB"]], [["NN", "VBZ"]]], [[["NOUN", "VERB"]], [["NN", "VBP"]]])
    0.5
    """
    right = tokens = 0
    for of_sentence in zip(*gold, *predicted, strict=True):
        true, found = of_sentence[: len(gold)], of_sentence[len(gold) :]
        rows = zip(zip(*true, strict=True), zip(*found, strict=True), strict=True)
        pairs = [pair for pair in rows if UNKNOWN_TAG not in pair[0]]
        tokens += len(pairs)
        right += sum(one == other for one, other in pairs)
    return right / tokens if tokens else 0.0
