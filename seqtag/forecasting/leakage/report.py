"""The report of a leakage audit: a verdict for each known-future column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqtag.errors import escaped

Verdict = Literal["leaks", "clear", "known in time", "constant", "too few values"]


@dataclass(frozen=True)
class ColumnAudit:
    """The audit of one column.

    Attributes:
        name: the column.
        relation: the form of the target that explains it best, such as "y 1 step ahead".
        explained: the share of the column's variance (of its values or ranks, or of its categories) that a function
            of this form of the target explains, 0 to 1; NaN for a column that cannot be judged.
        innovation_explained: the share of the column's innovation variance, which its own past does not explain, that
            the target explains.
        p_value: the share of random shifts in time after which the target explains as much.
        verdict: "leaks", "clear", "known in time" (the column holds a target so old that it is known when the forecast
            is made), "constant" or "too few values".
    """

    name: str
    relation: str
    explained: float
    innovation_explained: float
    p_value: float
    verdict: Verdict

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """The audit as a row of the report's table."""
        p_value = "-" if np.isnan(self.p_value) else f"{self.p_value:.2f}"
        return (
            escaped(self.name),
            self.relation,
            _share(self.explained),
            _share(self.innovation_explained),
            p_value,
            self.verdict,
        )


@dataclass(frozen=True)
class LeakageReport:
    """The audits of all known-future columns.

    Attributes:
        columns: the audit of each column, in the table's order.
        season_length: the season length of the target, in steps.
        horizon: how many steps ahead the columns have to be known.
        steps: the number of steps that were used.
        all_steps: the number of steps of the table.
    """

    columns: tuple[ColumnAudit, ...]
    season_length: int
    horizon: int
    steps: int
    all_steps: int

    @property
    def leaking(self) -> tuple[str, ...]:
        """The columns that hold the target."""
        return tuple(column.name for column in self.columns if column.verdict == "leaks")

    def to_text(self) -> str:
        """The report as a table with a line for each column."""
        sampled = "" if self.steps == self.all_steps else f" (of {self.all_steps})"
        about = f"{self.steps} steps{sampled}, season {self.season_length}"
        title = f"leakage of {len(self.columns)} known-future columns: {about}"
        rows = [("column", "best explained by", "explained", "of innovation", "p", "verdict")]
        rows += [column.cells() for column in self.columns]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([title, *(line.rstrip() for line in lines)])


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}"
