"""How reports are printed."""

from __future__ import annotations

import json
from typing import Any, Protocol

from seqtag.process.streams import standard_output


class Report(Protocol):
    """Figures for programs and for people; tasks have more to say of theirs."""

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""

    def to_text(self) -> str:
        """The figures for people."""


def print_report(report: Report, as_json: bool) -> None:
    """Prints a report for people, or for programs as JSON."""
    standard_output()
    print(_json(report.to_metrics()) if as_json else report.to_text())


def _json(data: Any) -> str:
    """Data as JSON, in which all that a terminal would obey is escaped; programs read the same strings."""
    text = json.dumps(data, ensure_ascii=False, indent=1)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
