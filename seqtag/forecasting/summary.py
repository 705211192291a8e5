"""The output of a finished training of a forecaster."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from seqtag.diagnostics.sparsity import SparsityReport
from seqtag.errors import shown
from seqtag.forecasting.leakage.report import LeakageReport
from seqtag.runs.summary import Report, show_part, show_reports, show_text


@dataclass(frozen=True)
class ForecasterSummary:
    """A finished training of a forecaster.

    Attributes:
        folder: the run directory.
        reports: the report on each scored split.
        sparsity: the zeros of the weights, where a penalty makes some.
        leakage: the audit of the known covariates, where there are any.
    """

    folder: Path
    reports: Mapping[str, Report]
    sparsity: SparsityReport | None
    leakage: LeakageReport | None

    def show(self, console: Console) -> None:
        """Prints the reports and the audit, and warns of each covariate that holds the target."""
        show_reports(console, self.reports)
        if self.leakage is not None:
            show_text(console, self.leakage.to_text())
            for name in self.leakage.leaking:
                print(
                    f"warning: known covariate {shown(name)} holds the target: no forecast will have it",
                    file=sys.stderr,
                )
        if self.sparsity is not None:
            show_part(console, "zeros", self.sparsity.to_text())
        show_text(console, f"run written to {self.folder}")
