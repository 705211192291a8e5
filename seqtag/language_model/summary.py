"""What the training of a language model prints when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from seqtag.runs.summary import Report, show_part, show_reports, show_text


@dataclass(frozen=True)
class LanguageModelSummary:
    """A finished training.

    Attributes:
        folder: the run directory.
        metrics: the contents of `metrics.json`.
        reports: the report on each scored split.
        samples: texts that the model wrote.
    """

    folder: Path
    metrics: dict[str, Any]
    reports: Mapping[str, Report]
    samples: Sequence[str]

    def show(self, console: Console) -> None:
        """Prints the reports and the texts."""
        show_reports(console, self.reports)
        for sample in self.samples:
            show_part(console, "a text of the model", sample)
        show_text(console, f"run written to {self.folder}")
