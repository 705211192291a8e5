"""The printed summary of a finished training: what every task's summary and reports can do, and shared printing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from seqtag.errors import escaped


class Report(Protocol):
    """Figures of a split or of files, for programs and for people."""

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""

    def to_text(self) -> str:
        """The figures for people."""


class Summary(Protocol):
    """The result of a training, which can print itself."""

    def show(self, console: Console) -> None:
        """Prints the summary."""


def show_reports(console: Console, reports: Mapping[str, Report]) -> None:
    """Prints the report on each split under the name of the split."""
    for split, report in reports.items():
        show_part(console, split, report.to_text())


def show_part(console: Console, title: str, text: str) -> None:
    """Prints a text under a title."""
    console.print(Text(title, "bold"))
    show_text(console, text)


def show_text(console: Console, text: str) -> None:
    """Prints a text, in which nothing is markup; what a terminal would obey is escaped.

    >>> show_text(Console(highlight=False), "run written to a[b]:smile:\\r")
    run written to a[b]:smile:\\r
    """
    console.print(Text(escaped(text, keep="\n")))
