"""The report on answers: how many are right, the scores of each label, and whether the probabilities are true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.classification.calibration import log_loss
from seqtag.classification.data.labels import LabelCodec
from seqtag.errors import escaped
from seqtag.measures.figures import decimal
from seqtag.measures.reliability import Answers, Reliability
from seqtag.measures.scores import Score, confusion_table, confusion_text, name_width

Labels = Sequence[tuple[str | int, ...]]


@dataclass(frozen=True)
class ClassificationReport:
    """How good labels and their probabilities are.

    Attributes:
        accuracy: the share of sequences whose label is right; where there may be several, whose labels are all right.
        per_label: the score of each label in gold or prediction, sorted by label.
        log_loss: see `seqtag.classification.calibration.log_loss`.
        reliability: of the probabilities of the labels that were given; of several, of the yes or no to each.
        examples: how many were scored.
        confusion: sequences by gold label, then by predicted label; None where there may be several.
    """

    accuracy: float
    per_label: Mapping[str, Score]
    log_loss: float
    reliability: Reliability
    examples: int
    confusion: Mapping[str, Mapping[str, int]] | None

    @property
    def f1_macro(self) -> float:
        """The mean F1 over the labels in gold or prediction, each with the same weight."""
        return sum(score.f1 for score in self.per_label.values()) / len(self.per_label) if self.per_label else 0.0

    @property
    def ece(self) -> float:
        """The expected calibration error."""
        return self.reliability.error

    def to_metrics(self) -> dict[str, Any]:
        """The report as a split's entry of ``metrics.json``; scores are fractions."""
        return {
            "accuracy": self.accuracy,
            "f1_macro": self.f1_macro,
            "log_loss": self.log_loss,
            "ece": self.ece,
            "ece_by_chance": self.reliability.by_chance,
            "examples": self.examples,
            "per_label": {label: score.to_dict() for label, score in self.per_label.items()},
        }

    def to_text(self) -> str:
        """The report as a table in percent, with the confusion table below."""
        width = name_width(self.per_label)
        lines = [
            f"{self.examples:,} examples.",
            f"accuracy: {self.accuracy:7.2%}; macro F1: {self.f1_macro:7.2%}; log loss: {decimal(self.log_loss, 4)}",
            f"calibration error: {self.ece:.4f} (by chance {self.reliability.by_chance:.4f})",
            *(
                f"{escaped(label):>{width}}: {score.to_text()}  {score.support}"
                for label, score in self.per_label.items()
            ),
        ]
        table = [] if self.confusion is None else ["", confusion_text(self.confusion)]
        return "\n".join([*lines, *table])


def report_on(codec: LabelCodec, gold: Labels, predicted: Labels, probabilities: np.ndarray) -> ClassificationReport:
    """Scores labels and probabilities.

    Args:
        codec: the labels that a model knows; others in gold count as errors.
        gold: the labels of each sequence.
        predicted: the same, as they were predicted.
        probabilities: `(sequences, labels)`.
    """
    pairs = [(_texts(right), _texts(given)) for right, given in zip(gold, predicted, strict=True)]
    targets = codec.targets(gold)
    right = sum(one == other for one, other in pairs)
    confusion = None if codec.several else confusion_table(Counter((one[0], other[0]) for one, other in pairs))
    return ClassificationReport(
        accuracy=right / len(pairs) if pairs else 0.0,
        per_label=_scores(pairs),
        log_loss=log_loss(probabilities, targets, codec.several),
        reliability=Reliability.of(_answers(codec, probabilities, targets)),
        examples=len(pairs),
        confusion=confusion,
    )


def _texts(labels: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(sorted(map(str, labels)))


def _scores(pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> dict[str, Score]:
    support = Counter(label for gold, _ in pairs for label in gold)
    given = Counter(label for _, predicted in pairs for label in predicted)
    correct = Counter(label for gold, predicted in pairs for label in set(gold) & set(predicted))
    return {label: Score(correct[label], given[label], support[label]) for label in sorted(support | given)}


def _answers(codec: LabelCodec, probabilities: np.ndarray, targets: np.ndarray) -> Answers:
    """The probability of each answer, and whether it is right."""
    if codec.several:
        given = probabilities >= 0.5
        certainty = np.where(given, probabilities, 1 - probabilities).ravel()
        return Answers((given == (targets > 0)).ravel(), certainty, certainty)
    best = probabilities.argmax(axis=1)
    rows = np.arange(len(best))
    return Answers(targets[rows, best] > 0, probabilities[rows, best], probabilities[rows, best])
