"""What a report says of a model besides the scores of its tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqtag.tagging.evaluation.calibration_report import CalibrationReport
from seqtag.tagging.evaluation.errors import ErrorReport
from seqtag.tagging.evaluation.oracle import Oracle
from seqtag.tagging.evaluation.words import WordScores


@dataclass(frozen=True)
class Details:
    """How a model came to its scores.

    Attributes:
        calibration: of its probabilities.
        words: the scores of known and of unknown words.
        errors: the kinds of wrong entities; None for plain labels.
        oracle: the scores of the best candidates, where they were asked for.
    """

    calibration: CalibrationReport
    words: Mapping[str, WordScores]
    errors: ErrorReport | None
    oracle: Oracle | None = None

    def to_metrics(self) -> dict[str, Any]:
        """Entries of ``metrics.json``."""
        errors = {} if self.errors is None else {"errors": self.errors.to_metrics()}
        words = {kind: scores.to_metrics() for kind, scores in self.words.items()}
        oracle = {} if self.oracle is None else {"oracle": self.oracle.to_metrics()}
        return {"calibration": self.calibration.to_metrics(), "words": words, **errors, **oracle}

    def to_lines(self) -> list[str]:
        """The same for people."""
        words = [f"{kind.replace('_', ' ')} words: {scores.to_text()}" for kind, scores in self.words.items()]
        errors = [] if self.errors is None else [self.errors.to_text()]
        oracle = [] if self.oracle is None else [self.oracle.to_text()]
        return [*words, *errors, *oracle, self.calibration.to_text()]
