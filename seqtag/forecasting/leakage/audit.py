"""An audit of covariates that are said to be known for the future: does one of them hold the target itself?

Such a column (the target under another name, scaled, rounded, put into classes, shifted so that it shows tomorrow's
value) makes every backtest look perfect and is not there when a forecast is due (Kaufman et al. 2012, Leakage in data
mining). What gives it away is that it is a
*function of the target alone*: put the steps of a series in the order of the target, and the column hardly changes
from one to the next. An honest covariate moves the target, but level, season and noise move it too, so that the same
target goes with many values of the covariate.

`seqtag.forecasting.leakage.association` measures that. For each column the audit asks how much the target leaves open
in it, at the same step and some steps before and after, beside two things: how much the column varies, and how much it
varies beyond what its own past says, since two smooth columns, or two that follow the calendar, look like functions
of each other though neither tells anything new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seqtag.data.series.covariates import Categories, Column
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.leakage.association import (
    Steps,
    codings,
    effective_values,
    least_residual_variance,
    order_by,
    residual_variance,
    share_unexplained_by_past,
    variance,
)

EXPLAINED = 0.95
INNOVATION_EXPLAINED = 0.8
MIN_VALUES = 3.5
MAX_P_VALUE = 0.02
MIN_STEPS = 30
CONSTANT = 1e-9
PERMUTATIONS = 99
MAX_STEPS = 20_000
MAX_STEPS_OF_A_SERIES = 2_000

Verdict = Literal["leaks", "clear", "known in time", "constant", "too few values"]


@dataclass(frozen=True)
class ColumnAudit:
    """What the audit found of one column.

    Attributes:
        name: of the column.
        relation: the form of the target that explains it best, such as "y 1 step ahead".
        explained: the share of the column's variance (of its values or ranks, or of its categories) that a function
            of this form of the target explains, 0 to 1; NaN for a column that cannot be judged.
        innovation_explained: the same, of the variance that the column's own past leaves.
        p_value: how often the target explains as much after a random shift in time.
        verdict: "leaks", "clear", "known in time" (the target of steps so old that they are known when the forecast
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
            self.name,
            self.relation,
            _share(self.explained),
            _share(self.innovation_explained),
            p_value,
            self.verdict,
        )


@dataclass(frozen=True)
class LeakageReport:
    """What the audit found of all columns.

    Attributes:
        columns: of each, in the table's order.
        season_length: of the target, in steps.
        horizon: steps ahead that columns need to be known.
        steps: how many were looked at.
        all_steps: how many the table has.
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
        """A table with one line for each column."""
        some = "" if self.steps == self.all_steps else f" (of {self.all_steps})"
        about = f"{self.steps} steps{some}, season {self.season_length}"
        title = f"leakage of {len(self.columns)} known-future columns: {about}"
        rows = [("column", "best explained by", "explained", "of its news", "p", "verdict")]
        rows += [column.cells() for column in self.columns]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([title, *(line.rstrip() for line in lines)])


def audit_leakage(table: SeriesTable, *, season_length: int, seed: int = 0, horizon: int = 1) -> LeakageReport:
    """Looks for known-future columns that hold the target.

    A column leaks where, for one form of the target (its value at the same step, up to three steps and a season
    before and after, its change since the last step and since the last season, its mean over the last season):

    - a function of it explains at least 95% of the column's variance within the series,
    - and at least 80% of the variance that the column's own past leaves (a linear rule of the lags 1, 2, 3, a season,
      a season and one, two seasons),
    - at most one of 99 random circular shifts of the column within its series, by a quarter of the series or more,
      explains as much by any form: a permutation test that keeps each one's own autocorrelation,
    - the form is made of a step that is not known when the forecast is made: not older than `horizon`,
    - the column tells at least 3.5 values apart in effect (see `effective_values`), or half as many as the target:
      a flag or a holiday may be plain to see in the target, and cannot hold it.

    Numbers are judged by their ranks and by their values, whichever tells more; categories by whether steps of almost
    the same target have the same one. Of large tables at most 2,000 steps a series, the newest, and about 20,000 in all
    are looked at, of series at random.

    What is not found: the target under noise of more than a fifth of its standard deviation, or half of that of what
    is new in it; mixtures of many of its values other than those named; fewer than four classes; and what fewer than
    30 steps would have to show. A covariate that drives nearly all of a target, without level, season and noise to
    speak of, cannot be told from the target and is named.

    Args:
        table: the series; its `known` columns are judged.
        season_length: of the target, in steps; at least 1.
        seed: of the permutations and of the choice of steps; the same seed gives the same report.
        horizon: how many steps ahead the columns need to be known; with 1, yesterday's target may be among them.

    Raises:
        ValueError: a season or horizon below 1.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.covariates import CovariateNames
        >>> from seqtag.data.series.files import SeriesColumns, read_series
        >>> random = np.random.default_rng(0)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(200), "y": random.normal(size=200)})
        >>> frame = frame.assign(budget=frame["y"] ** 2, price=random.normal(size=200))
        >>> columns = SeriesColumns(covariates=CovariateNames(known=("budget", "price")))
        >>> audit_leakage(read_series(frame, columns), season_length=7).leaking
        ('budget',)
    """
    for name, value in (("season_length", season_length), ("horizon", horizon)):
        if value < 1:
            raise ValueError(f"expected {name} to be at least 1, found {value}")
    rng = np.random.default_rng(seed)
    rows, steps = _chosen(table, rng)
    target = table.values[rows].astype(float)
    views = tuple(_views(target, steps, season_length, rng)) if table.known else ()
    coarsest = min(MIN_VALUES, effective_values(target) / 2)
    auditor = _Auditor(steps, views, _lags(steps, season_length), horizon, coarsest, rng)
    columns = tuple(auditor.audit(name, _part(column, rows)) for name, column in table.known.items())
    return LeakageReport(columns, season_length, horizon, len(rows), len(table.values))


@dataclass(frozen=True, eq=False)
class _View:
    """A form of the target that a column might hold.

    Attributes:
        name: as the report has it.
        newest: the newest step that it is made of, counted from the column's own.
        order: the steps in its order.
    """

    name: str
    newest: int
    order: np.ndarray


@dataclass(frozen=True, eq=False)
class _Auditor:
    """What all columns of one audit have in common."""

    steps: Steps
    views: tuple[_View, ...]
    lags: list[int]
    horizon: int
    coarsest: float
    rng: np.random.Generator

    def audit(self, name: str, column: Column) -> ColumnAudit:
        categorical = isinstance(column, Categories)
        found = [(self._explain(name, codes, categorical), codes) for codes in codings(column, self.steps)]
        (audit, newest), codes = max(
            found, key=lambda pair: (_holds_target(pair[0][0]), pair[0][0].innovation_explained)
        )
        if audit.verdict != "clear":
            return audit
        audit = replace(audit, p_value=self._p_value(codes, categorical))
        if not _holds_target(audit) or audit.p_value > MAX_P_VALUE or effective_values(column) < self.coarsest:
            return audit
        return replace(audit, verdict="known in time" if newest <= -self.horizon else "leaks")

    def _explain(self, name: str, codes: np.ndarray, categorical: bool) -> tuple[ColumnAudit, int]:
        """The audit as far as no shifts are needed, and the newest step of the form that explains best."""
        own = variance(codes, categorical, self.steps)
        left = self._left(codes, categorical)
        if own < CONSTANT or np.isnan(own) or np.isnan(left).all():
            verdict: Verdict = "constant" if own < CONSTANT else "too few values"
            return ColumnAudit(name, "-", np.nan, np.nan, np.nan, verdict), 0
        best = int(np.nanargmin(left))
        news = own * share_unexplained_by_past(codes, categorical, self.steps, self.lags)
        least = least_residual_variance(codes, categorical, self.steps)
        explained, of_news = (_explained(left[best] - least, of - least) for of in (own, news))
        view = self.views[best]
        return ColumnAudit(name, view.name, explained, of_news, np.nan, "clear"), view.newest

    def _left(self, codes: np.ndarray, categorical: bool) -> np.ndarray:
        """What each form of the target leaves open; NaN where too few steps have both."""
        return np.array(
            [residual_variance(view.order, codes, categorical, self.steps, MIN_STEPS) for view in self.views]
        )

    def _p_value(self, codes: np.ndarray, categorical: bool) -> float:
        """The share of random shifts, the true place among them, that leave as little open."""
        left = np.nanmin(self._left(codes, categorical))
        quarter = np.maximum(self.steps.lengths // 4, 1)
        as_little = 1
        for _ in range(PERMUTATIONS):
            turn = self.rng.integers(quarter, np.maximum(self.steps.lengths - quarter, quarter), endpoint=True)
            as_little += bool((self._left(self.steps.roll(codes, turn), categorical) <= left).any())
        return as_little / (PERMUTATIONS + 1)


def _holds_target(audit: ColumnAudit) -> bool:
    return audit.explained >= EXPLAINED and audit.innovation_explained >= INNOVATION_EXPLAINED


def _explained(left: float, of: float) -> float:
    return float(np.clip(1 - left / of, 0.0, 1.0)) if of > 0 else 0.0


def _chosen(table: SeriesTable, rng: np.random.Generator) -> tuple[np.ndarray, Steps]:
    """The flat rows that are looked at: the newest of each series, of as many series as the limit allows."""
    lengths = np.minimum(table.lengths, MAX_STEPS_OF_A_SERIES)
    shuffled = rng.permutation(len(table))
    fit = np.cumsum(lengths[shuffled]) <= MAX_STEPS
    series = np.sort(shuffled[fit])
    rows = [
        np.arange(end - length, end) for end, length in zip(table.offsets[1:][series], lengths[series], strict=True)
    ]
    return np.concatenate(rows), Steps(lengths[series])


def _views(target: np.ndarray, steps: Steps, season_length: int, rng: np.random.Generator) -> Iterator[_View]:
    """The forms of the target that a column might hold."""
    for by in sorted({0, 1, 2, 3, season_length, -1, -2, -3, -season_length}, key=abs):
        yield _View(_shift_name(by), by, order_by(steps.shift(target, by), steps, rng))
    yield _View("change of y since the step before", 0, order_by(target - steps.shift(target, -1), steps, rng))
    if season_length > 1:
        change = target - steps.shift(target, -season_length)
        yield _View("change of y since the season before", 0, order_by(change, steps, rng))
        yield _View(
            "mean of y over the last season", 0, order_by(_season_mean(target, steps, season_length), steps, rng)
        )


def _season_mean(target: np.ndarray, steps: Steps, season_length: int) -> np.ndarray:
    """The mean of the last `season_length` steps, of those that have a value; NaN where fewer than half have one."""
    total, count = np.zeros(len(target)), np.zeros(len(target))
    for lag in range(season_length):
        values = steps.shift(target, -lag)
        total += np.nan_to_num(values)
        count += ~np.isnan(values)
    return np.where(2 * count >= season_length, total, np.nan) / np.maximum(count, 1)


def _shift_name(by: int) -> str:
    if not by:
        return "y at the same step"
    return f"y {abs(by)} step{'s' if abs(by) > 1 else ''} {'shift' if by > 0 else 'before'}"


def _lags(steps: Steps, season_length: int) -> list[int]:
    """Lags of a column's past that leave most steps of most series something to be judged by."""
    longest = max(np.median(steps.lengths) / 3, 1)
    return [lag for lag in sorted({1, 2, 3, season_length, season_length + 1, 2 * season_length}) if lag <= longest]


def _part(column: Column, rows: np.ndarray) -> Column:
    return Categories(column.codes[rows], column.symbols) if isinstance(column, Categories) else column[rows]


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}"
