"""What a finished training prints, whatever its task: reports, zeros of the weights, where the run is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console


class Report(Protocol):
    """What scores of a split, or counts of files, can do."""

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""

    def to_text(self) -> str:
        """The figures for people."""


class Summary(Protocol):
    """What training returns: it prints itself."""

    def show(self, console: Console) -> None:
        """Prints what the training found."""


def show_reports(console: Console, reports: Mapping[str, Report]) -> None:
    """Prints the report on each split under its name."""
    for split, report in reports.items():
        show_part(console, split, report.to_text())


def show_part(console: Console, title: str, text: str) -> None:
    """Prints a text as it stands under a title."""
    console.print(f"[bold]{title}[/bold]")
    console.print(text, markup=False)
