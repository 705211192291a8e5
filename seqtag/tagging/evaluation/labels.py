"""Scores of plain labels, such as parts of speech: accuracy, and precision, recall and F1 of each.

>>> evaluate_labels([["NOUN", "VERB"]], [["NOUN", "NOUN"]]).accuracy
0.5
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.errors import escaped
from seqtag.measures.scores import Score, confusion_table, confusion_text, name_width
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.aligned import aligned
from seqtag.tagging.evaluation.details import Details


@dataclass(frozen=True)
class LabelReport:
    """How well predicted labels match the gold ones.

    Attributes:
        accuracy: the share of tokens whose label is right.
        per_tag: the score of each label in gold or prediction, sorted by label.
        tokens: how many tokens were scored.
        sentences: how many sentences were scored.
        confusion: tokens by gold label, then by predicted label.
        segments: the score of runs of one label; None for tokens.
        details: what is known of the model that gave the labels, if one did.
    """

    accuracy: float
    per_tag: Mapping[str, Score]
    tokens: int
    sentences: int
    confusion: Mapping[str, Mapping[str, int]]
    segments: Score | None = None
    details: Details | None = None

    @property
    def f1_macro(self) -> float:
        """The mean F1 over the labels in gold or prediction, each with the same weight."""
        return sum(score.f1 for score in self.per_tag.values()) / len(self.per_tag) if self.per_tag else 0.0

    def to_metrics(self) -> dict[str, Any]:
        """The report as a split's entry of ``metrics.json``; scores are fractions."""
        return {
            "accuracy": self.accuracy,
            "f1_macro": self.f1_macro,
            "per_tag": {tag: score.to_dict() for tag, score in self.per_tag.items()},
            "tokens": self.tokens,
            "sentences": self.sentences,
            **({} if self.segments is None else {"segments": self.segments.to_dict()}),
            **({} if self.details is None else self.details.to_metrics()),
        }

    def to_text(self) -> str:
        """The report as a table in percent, with the confusion table below."""
        scores = [(escaped(tag), score) for tag, score in self.per_tag.items()]
        width = name_width(self.per_tag)
        lines = [
            f"{self.sentences} sentences, {self.tokens} tokens.",
            f"accuracy: {self.accuracy:7.2%}; macro F1: {self.f1_macro:7.2%}",
            *(f"{tag:>{width}}: {score.to_text()}  {score.support}" for tag, score in scores),
        ]
        if self.segments is not None:
            lines.append(f"{self.segments.support} segments, runs of one label: {self.segments.to_text()}")
        lines += [] if self.details is None else self.details.to_lines()
        return "\n".join([*lines, "", confusion_text(self.confusion)])


def evaluate_labels(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> LabelReport:
    """Scores predicted labels against gold ones.

    Args:
        gold: the labels of each sentence; those that are not known are not scored.
        predicted: the same, in the same order.

    Raises:
        ValueError: different numbers of sentences, or of labels in a sentence.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    sentences = 0
    for gold_tags, tags in aligned(gold, predicted):
        pairs.update(pair for pair in zip(gold_tags, tags, strict=True) if pair[0] != UNKNOWN_TAG)
        sentences += 1
    tokens = pairs.total()
    right = sum(count for (gold_tag, tag), count in pairs.items() if gold_tag == tag)
    confusion = confusion_table(pairs)
    return LabelReport(
        accuracy=right / tokens if tokens else 0.0,
        per_tag={tag: _score(confusion, tag) for tag in confusion},
        tokens=tokens,
        sentences=sentences,
        confusion=confusion,
    )


def _score(confusion: Mapping[str, Mapping[str, int]], tag: str) -> Score:
    predicted = sum(row[tag] for row in confusion.values())
    return Score(confusion[tag][tag], predicted, sum(confusion[tag].values()))
