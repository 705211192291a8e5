"""The report of `evaluate_forecasts`: scores of forecasts and of the naive rules, as ``metrics.json`` and as text.

>>> named_interval({0.9: 0.93, 0.8: 0.79})
0.8
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.forecasting.evaluation import metrics

MAX_STEPS_SHOWN = 24
NAMED_INTERVAL = 0.8
METRICS = ("mase", "smape", "rmsse", "mae", "rmse", "mse", "wql", "crps", "coverage")


@dataclass(frozen=True)
class Scores:
    """The metrics of one cut through the forecasts; NaN where there is nothing to count.

    Attributes:
        mase: mean absolute scaled error.
        smape: symmetric mean absolute percentage error, 0 to 200.
        rmsse: root mean squared scaled error.
        mae: mean absolute error.
        rmse: root mean squared error.
        mse: mean squared error.
        wql: weighted quantile loss, mean over the levels; NaN without quantiles.
        crps: continuous ranked probability score from the quantiles; NaN without them.
        coverage: nominal coverage of each central interval to the share of values within it, widest first.
        observed: how many values were scored.
        unscaled: how many rows with values have no scale, and count in neither `mase` nor `rmsse`.
    """

    mase: float
    smape: float
    rmsse: float
    mae: float
    rmse: float
    mse: float
    wql: float
    crps: float
    coverage: Mapping[float, float]
    observed: int
    unscaled: int

    def to_metrics(self) -> dict[str, Any]:
        """The scores as an entry of ``metrics.json``; ``coverage`` is that of the interval nearest to 80%.

        What is NaN here is None, since JSON knows no NaN; ``intervals`` has every interval's coverage.
        """
        figures = {name: getattr(self, name) for name in METRICS if name != "coverage"}
        return {
            **{name: _json(value) for name, value in figures.items()},
            "coverage": _json(self.named_coverage()),
            "intervals": {f"{nominal:g}": _json(share) for nominal, share in self.coverage.items()},
            "observed": self.observed,
            "unscaled": self.unscaled,
        }

    def named_coverage(self) -> float:
        """The coverage of the interval nearest to 80%; NaN without an interval."""
        nominal = named_interval(self.coverage)
        return float("nan") if nominal is None else self.coverage[nominal]


@dataclass(frozen=True)
class StepScores:
    """Scores over all rows: of all steps at once, and of each horizon step."""

    overall: Scores
    per_step: tuple[Scores, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The overall scores, and ``per_step`` with a list for each metric and for ``observed``."""
        steps = [scores.to_metrics() for scores in self.per_step]
        listed = {name: [step[name] for step in steps] for name in (*METRICS, "observed")}
        return {**self.overall.to_metrics(), "per_step": listed}


@dataclass(frozen=True)
class ForecastReport:
    """How well forecasts meet what came, beside the naive rules on the very same values.

    Attributes:
        overall: the scores of everything.
        per_step: the scores of each horizon step.
        per_series: the scores of each id, empty where no ids were given.
        baselines: the scores of ``seasonal_naive``, ``naive``, ``drift`` and ``mean``; the first has quantiles too.
        season_lengths: the lengths of a season that scale MASE and RMSSE and drive seasonal naive.
        rows: how many forecasts were scored: series, or windows of them.
    """

    overall: Scores
    per_step: tuple[Scores, ...]
    per_series: Mapping[str, Scores]
    baselines: Mapping[str, StepScores]
    season_lengths: tuple[int, ...]
    rows: int

    @property
    def skill(self) -> dict[str, float]:
        """Of each naive rule, the share of its MASE that is gone: above zero where the forecasts are better."""
        return {name: metrics.skill(self.overall.mase, rule.overall.mase) for name, rule in self.baselines.items()}

    @property
    def owa(self) -> float:
        """`forecast_metrics.owa` against seasonal naive; M4's own reference, Naive2, is another rule."""
        rule = self.baselines["seasonal_naive"].overall
        return metrics.owa(self.overall.smape, self.overall.mase, rule.smape, rule.mase)

    def to_metrics(self) -> dict[str, Any]:
        """The report as a split's entry of ``metrics.json``; each naive rule's name holds the same keys again."""
        return {
            **StepScores(self.overall, self.per_step).to_metrics(),
            **{name: rule.to_metrics() for name, rule in self.baselines.items()},
            "skill": {name: _json(value) for name, value in self.skill.items()},
            "owa": _json(self.owa),
            "season_lengths": list(self.season_lengths),
            "coverage_of": named_interval(self.overall.coverage),
            "rows": self.rows,
        }

    def to_text(self) -> str:
        """The report as two tables: the forecasts beside the naive rules, then the forecasts by step."""
        season_lengths = ", ".join(map(str, self.season_lengths))
        nominal = named_interval(self.overall.coverage)
        about = f"; coverage of the {nominal:.0%} interval" if nominal is not None else ""
        lines = [f"{self.rows} forecasts, {self.overall.observed} observed values; season {season_lengths}{about}."]
        if self.overall.unscaled:
            lines.append(f"left out of mase and rmsse, the history constant or too short: {self.overall.unscaled}.")
        rules = {"forecast": self.overall, **{name: rule.overall for name, rule in self.baselines.items()}}
        shown = spaced_indices(len(self.per_step))
        steps = {str(step + 1): self.per_step[step] for step in shown}
        title = "step" if len(shown) == len(self.per_step) else f"step of {len(self.per_step)}"
        skill = "; ".join(f"{name} {value:.1%}" for name, value in self.skill.items())
        return "\n".join([*lines, *score_lines("", rules), f"skill (MASE): {skill}", "", *score_lines(title, steps)])


def named_interval(coverage: Mapping[float, float]) -> float | None:
    """The interval that stands for all where one figure is asked for: the one nearest to 80%, the wider of two."""
    return min(coverage, key=lambda nominal: (round(abs(nominal - NAMED_INTERVAL), 9), -nominal), default=None)


def spaced_indices(count: int, most: int = MAX_STEPS_SHOWN) -> list[int]:
    """All numbers below a small count; of a large one, some that span it evenly.

    >>> spaced_indices(3), spaced_indices(100, most=4)
    ([0, 1, 2], [0, 33, 66, 99])
    """
    return sorted({round(number) for number in np.linspace(0, count - 1, min(count, most))})


def score_lines(title: str, scores: Mapping[str, Scores]) -> list[str]:
    """The metrics as a table of text, a line for each name below `title` and the metrics' names."""
    rows = [[title, *METRICS]]
    for name, row in scores.items():
        figures = {**vars(row), "coverage": row.named_coverage()}
        rows.append([name, *(_figure(figures[metric]) for metric in METRICS)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _figure(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4g}"


def _json(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
