"""What the training of a sequence-to-sequence model prints when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from seqtag.errors import shown
from seqtag.runs.summary import Report, show_part, show_reports, show_text


@dataclass(frozen=True)
class Example:
    """A source, what the model answers, and what is right."""

    source: Any
    answer: str
    targets: Sequence[str]

    def to_text(self) -> str:
        """The example on a line.

        >>> Example("one", "2", ["1"]).to_text()
        "'one' -> '2', expected '1'"
        """
        source = shown(self.source) if isinstance(self.source, str) else f"{len(self.source)} frames"
        line = f"{source} -> {shown(self.answer)}"
        if self.answer in self.targets:
            return line
        return f"{line}, expected {' or '.join(map(shown, self.targets))}"


@dataclass(frozen=True)
class Seq2SeqSummary:
    """A finished training.

    Attributes:
        folder: the run directory.
        metrics: the contents of `metrics.json`.
        reports: the report on each scored split.
        examples: sources of dev with their answers.
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
