"""What the training of a classifier prints when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from seqtag.errors import escaped, shown
from seqtag.runs.summary import Report, show_part, show_reports, show_text

LONGEST = 70


@dataclass(frozen=True)
class Example:
    """A sequence, what the model answers, and what is right."""

    source: Any
    answer: Sequence[str | int]
    score: float
    gold: Sequence[str | int]

    def to_text(self) -> str:
        """The example on a line.

        >>> Example("A fine film.", ("pos",), 0.75, ("neg",)).to_text()
        "pos 75%, expected neg: 'A fine film.'"
        """
        source = shown(self.source, LONGEST) if isinstance(self.source, str) else f"{len(self.source)} frames"
        right = set(map(str, self.answer)) == set(map(str, self.gold))
        expected = "" if right else f", expected {_names(self.gold)}"
        return f"{_names(self.answer)} {self.score:.0%}{expected}: {source}"


def _names(labels: Sequence[str | int]) -> str:
    return escaped(", ".join(map(str, labels)) or "none")


@dataclass(frozen=True)
class ClassifierSummary:
    """A finished training.

    Attributes:
        folder: the run directory.
        metrics: the contents of `metrics.json`.
        reports: the report on each scored split.
        examples: dev data with their answers.
    """

    folder: Path
    metrics: dict[str, Any]
    reports: Mapping[str, Report]
    examples: Sequence[Example]

    def show(self, console: Console) -> None:
        """Prints the reports and the examples."""
        show_reports(console, self.reports)
        if self.examples:
            show_part(console, "examples", "\n".join(example.to_text() for example in self.examples))
        show_text(console, f"run written to {self.folder}")
