"""The report of `evaluate_forecasts`: scores of forecasts and of the baselines, as ``metrics.json`` and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.forecasting.evaluation import metrics

MAX_STEPS_SHOWN = 24
# The central intervals whose coverage is measured, and the one that is named where there is room for one.
INTERVALS = (0.95, 0.9, 0.8, 0.5, 0.1)
NAMED_INTERVAL = 0.8
METRICS = ("mase", "smape", "rmsse", "mae", "rmse", "mse", "wql", "crps", "coverage")


@dataclass(frozen=True)
class Scores:
    """The metrics of some forecasts; NaN where there is nothing to count.

    Attributes:
        mase: mean absolute scaled error.
        smape: symmetric mean absolute percentage error, 0 to 200.
        rmsse: root mean squared scaled error.
        mae: mean absolute error.
        rmse: root mean squared error.
        mse: mean squared error.
        wql: weighted quantile loss, averaged over the levels; NaN without quantiles.
        crps: continuous ranked probability score from the quantiles; NaN without them.
        coverage: for the nominal coverage of each of `INTERVALS`, the share of values in it; empty with fewer than two
            quantiles. Whatever levels were forecast, the ends of an interval lie on their quantile function.
        observed: the number of values that were scored.
        unscaled: the number of rows with values but without a scale, which `mase` and `rmsse` leave out.
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
        """The scores as an entry of ``metrics.json``: ``coverage`` is that of the 80% interval.

        NaN becomes None, as JSON has no NaN; ``intervals`` has the coverage at 10, 50, 80, 90 and 95%.
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
        """The coverage of the 80% interval; NaN without one."""
        return self.coverage.get(NAMED_INTERVAL, float("nan"))


@dataclass(frozen=True)
class StepScores:
    """Scores over all rows, of all steps together and of each horizon step."""

    overall: Scores
    per_step: tuple[Scores, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The overall scores, and ``per_step`` with a list for each metric and for ``observed``."""
        steps = [scores.to_metrics() for scores in self.per_step]
        listed = {name: [step[name] for step in steps] for name in (*METRICS, "observed")}
        return {**self.overall.to_metrics(), "per_step": listed}


@dataclass(frozen=True)
class ForecastReport:
    """The scores of forecasts, and those of the baselines on the same values.

    Attributes:
        overall: the scores of all rows and steps.
        per_step: the scores of each horizon step.
        per_series: the scores of each id; empty where no ids were given.
        baselines: the scores of ``seasonal_naive``, ``naive``, ``drift``, ``mean`` and ``theta``, of which the first
            and the last have quantiles too.
        season_lengths: the season lengths that MASE, RMSSE and seasonal naive use.
        rows: the number of forecasts, of series or of windows.
    """

    overall: Scores
    per_step: tuple[Scores, ...]
    per_series: Mapping[Any, Scores]
    baselines: Mapping[str, StepScores]
    season_lengths: tuple[int, ...]
    rows: int

    @property
    def skill(self) -> dict[str, float]:
        """The skill score over each baseline by MASE: above zero where the forecasts are better."""
        return {name: metrics.skill(self.overall.mase, found.overall.mase) for name, found in self.baselines.items()}

    @property
    def owa(self) -> float:
        """The overall weighted average relative to seasonal naive; M4 uses another reference, Naive2."""
        reference = self.baselines["seasonal_naive"].overall
        return metrics.owa(self.overall.smape, self.overall.mase, reference.smape, reference.mase)

    def to_metrics(self) -> dict[str, Any]:
        """The report as an entry of ``metrics.json``; the name of each baseline holds the same keys again."""
        return {
            **StepScores(self.overall, self.per_step).to_metrics(),
            **{name: found.to_metrics() for name, found in self.baselines.items()},
            "skill": {name: _json(value) for name, value in self.skill.items()},
            "owa": _json(self.owa),
            "season_lengths": list(self.season_lengths),
            "coverage_of": named_interval(self.overall.coverage),
            "rows": self.rows,
        }

    def to_text(self) -> str:
        """The report as two tables: the forecasts and the baselines, then the forecasts by step."""
        season_lengths = ", ".join(map(str, self.season_lengths))
        nominal = named_interval(self.overall.coverage)
        about = f"; coverage of the {nominal:.0%} interval" if nominal is not None else ""
        lines = [f"{self.rows} forecasts, {self.overall.observed} observed values; season {season_lengths}{about}."]
        if self.overall.unscaled:
            lines.append(f"left out of mase and rmsse, the history constant or too short: {self.overall.unscaled}.")
        models = {"forecast": self.overall, **{name: found.overall for name, found in self.baselines.items()}}
        chosen = spaced_indices(len(self.per_step))
        steps = {str(step + 1): self.per_step[step] for step in chosen}
        title = "step" if len(chosen) == len(self.per_step) else f"step of {len(self.per_step)}"
        skill = "; ".join(f"{name} {value:.1%}" for name, value in self.skill.items())
        lines += [*score_lines("", models), f"skill (MASE): {skill}"]
        if self.overall.coverage:
            shares = ", ".join(f"{share:.1%} in {nominal:.0%}" for nominal, share in self.overall.coverage.items())
            lines.append(f"coverage of intervals: {shares}")
        return "\n".join([*lines, "", *score_lines(title, steps)])


def named_interval(coverage: Mapping[float, float]) -> float | None:
    """The interval whose coverage is reported where there is room for one; None where there are no intervals."""
    return NAMED_INTERVAL if NAMED_INTERVAL in coverage else None


def spaced_indices(count: int, limit: int = MAX_STEPS_SHOWN) -> list[int]:
    """All numbers below `count`, or `limit` of them at even distances where there are more.

    >>> spaced_indices(3), spaced_indices(100, limit=4)
    ([0, 1, 2], [0, 33, 66, 99])
    """
    return sorted({round(number) for number in np.linspace(0, count - 1, min(count, limit))})


def score_lines(title: str, scores: Mapping[str, Scores]) -> list[str]:
    """The metrics as lines of a text table: a heading with `title`, and a line for each name."""
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
