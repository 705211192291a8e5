"""Scores a classifier: the final report, and the one figure of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqtag.classification.data.examples import Examples
from seqtag.classification.evaluation.report import ClassificationReport, Labels, report_on
from seqtag.training.measure import Measure

if TYPE_CHECKING:
    from seqtag.classification.data.batches import Encoded
    from seqtag.classification.model import ClassificationModel

# Measures of which less is better.
LOSSES = ("log_loss",)


def evaluate_model(model: ClassificationModel, examples: Examples) -> ClassificationReport:
    """The final report of a model on data with labels."""
    return _report(model, model.encode(examples.sources), examples.labels)


def _report(model: ClassificationModel, encoded: Encoded, gold: Labels) -> ClassificationReport:
    probabilities = model.probabilities_of(encoded)
    return report_on(model.labels, gold, model.labels.decode(probabilities, model.threshold), probabilities)


class DevMeasure:
    """The figure that chooses the epoch.

    Args:
        model: around the network that is fitted.
        encoded: the dev data.
        gold: their labels.
        name: `"accuracy"`, `"f1_macro"` or `"log_loss"`.
    """

    def __init__(self, model: ClassificationModel, encoded: Encoded, gold: Labels, name: str) -> None:
        self.measure = Measure(name, is_loss=name in LOSSES)
        self._model = model
        self._encoded = encoded
        self._gold = gold

    def __call__(self) -> float:
        """The measure of the network with its current weights."""
        return getattr(_report(self._model, self._encoded, self._gold), self.measure.name)
