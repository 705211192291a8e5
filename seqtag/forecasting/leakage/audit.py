"""Audits covariates that are declared as known for the future: does one of them hold the target itself?

Such a column is the target under another name: scaled, rounded, put into classes, or shifted so that it has
tomorrow's value. It makes every backtest look perfect, and is not available when a forecast is made (Kaufman et al.
2012, Leakage in data mining). It can be recognised because it is a *function of the target alone*: when the steps of
a series are sorted by the target, the column hardly changes from one to the next. A real covariate influences the
target, but level, season and noise influence it too, so that the same target occurs with many values of the
covariate.

`seqtag.forecasting.leakage.association` measures this. For each column the audit compares the variance that the
target leaves, at the same step and some steps before and after, with two others: the variance of the column, and the
variance that the column's own past leaves, its innovation. The second is needed because two smooth columns, or two
that follow the calendar, look like functions of each other although neither says anything new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seqtag.data.series.covariates import Categories, Column
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.config import ForecastingConfig
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
from seqtag.forecasting.leakage.report import ColumnAudit, LeakageReport, Verdict

EXPLAINED = 0.95
INNOVATION_EXPLAINED = 0.8
MIN_VALUES = 3.5
MAX_P_VALUE = 0.02
MIN_STEPS = 30
CONSTANT = 1e-9
PERMUTATIONS = 99
MAX_STEPS = 20_000
MAX_STEPS_OF_A_SERIES = 2_000


def audit_known(table: SeriesTable, config: ForecastingConfig) -> LeakageReport | None:
    """Whether a known covariate holds the target; None where there is no known covariate.

    Args:
        table: the series.
        config: the settings, with a season.
    """
    if not table.known:
        return None
    season_length = config.model.season_length
    return audit_leakage(table, season_length=season_length, seed=config.seed, horizon=config.model.horizon)


def audit_leakage(table: SeriesTable, *, season_length: int, seed: int = 0, horizon: int = 1) -> LeakageReport:
    """Finds known-future columns that hold the target.

    A column leaks where, for one form of the target (its value at the same step, up to three steps and a season
    before and after, its change since the last step and since the last season, its mean over the last season):

    - a function of it explains at least 95% of the column's variance within the series,
    - and at least 80% of its innovation variance, which a linear regression on the column's lags 1, 2, 3, one season,
      one season and one step, and two seasons does not explain,
    - at most one of 99 random circular shifts of the column within its series, by a quarter of the series or more,
      explains as much by any form: a permutation test that keeps the autocorrelation of both,
    - the form uses a step that is not known when the forecast is made: one not older than `horizon`,
    - the column has at least 3.5 different values in effect (see `effective_values`), or half as many as the target:
      a flag or a holiday may be visible in the target, but cannot hold it.

    Numbers are judged by their ranks and by their values, and the stronger result counts; categories by whether steps
    of almost the same target have the same category. Of large tables, the newest 2,000 steps of a series at most are
    used, and about 20,000 in all, of series chosen at random.

    The audit does not find: the target with noise of more than a fifth of its standard deviation, or of more than half
    the standard deviation of its innovation; combinations of many of its values other than those named; fewer than
    four classes; and leaks in fewer than 30 steps. A covariate that determines nearly all of a target, almost without
    level, season and noise, cannot be told from the target and is reported.

    Args:
        table: the series; its `known` columns are judged.
        season_length: the season length of the target, in steps; at least 1.
        seed: of the random shifts and of the choice of steps; the same seed gives the same report.
        horizon: how many steps ahead the columns have to be known; with 1, a column may hold yesterday's target.

    Raises:
        ValueError: a season length or horizon below 1.

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
    rows, steps = _chosen_steps(table, rng)
    target = table.values[rows].astype(float)
    forms = tuple(_target_forms(target, steps, season_length, rng)) if table.known else ()
    coarsest = min(MIN_VALUES, effective_values(target) / 2)
    auditor = _Auditor(steps, forms, _lags(steps, season_length), horizon, coarsest, rng)
    columns = tuple(auditor.audit(name, _part(column, rows)) for name, column in table.known.items())
    return LeakageReport(columns, season_length, horizon, len(rows), len(table.values))


@dataclass(frozen=True, eq=False)
class _TargetForm:
    """A form of the target that a column might hold.

    Attributes:
        name: as the report prints it.
        newest: the newest step that it is computed from, relative to the column's step.
        order: the steps sorted by this form.
    """

    name: str
    newest: int
    order: np.ndarray


@dataclass(frozen=True, eq=False)
class _Auditor:
    """Audits the columns of one table."""

    steps: Steps
    forms: tuple[_TargetForm, ...]
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
        """The audit without its permutation test, and the newest step of the form that explains best."""
        total = variance(codes, categorical, self.steps)
        left = self._residual_variances(codes, categorical)
        if total < CONSTANT or np.isnan(total) or np.isnan(left).all():
            verdict: Verdict = "constant" if total < CONSTANT else "too few values"
            return ColumnAudit(name, "-", np.nan, np.nan, np.nan, verdict), 0
        best = int(np.nanargmin(left))
        innovation = total * share_unexplained_by_past(codes, categorical, self.steps, self.lags)
        least = least_residual_variance(codes, categorical, self.steps)
        explained, of_innovation = (_explained(left[best] - least, of - least) for of in (total, innovation))
        form = self.forms[best]
        return ColumnAudit(name, form.name, explained, of_innovation, np.nan, "clear"), form.newest

    def _residual_variances(self, codes: np.ndarray, categorical: bool) -> np.ndarray:
        """The variance that each form of the target leaves; NaN where too few steps have both."""
        return np.array(
            [residual_variance(form.order, codes, categorical, self.steps, MIN_STEPS) for form in self.forms]
        )

    def _p_value(self, codes: np.ndarray, categorical: bool) -> float:
        """The share of random shifts, with no shift as one of them, that leave as little variance."""
        left = np.nanmin(self._residual_variances(codes, categorical))
        quarter = np.maximum(self.steps.lengths // 4, 1)
        as_good = 1
        for _ in range(PERMUTATIONS):
            shift = self.rng.integers(quarter, np.maximum(self.steps.lengths - quarter, quarter), endpoint=True)
            as_good += bool((self._residual_variances(self.steps.roll(codes, shift), categorical) <= left).any())
        return as_good / (PERMUTATIONS + 1)


def _holds_target(audit: ColumnAudit) -> bool:
    return audit.explained >= EXPLAINED and audit.innovation_explained >= INNOVATION_EXPLAINED


def _explained(left: float, of: float) -> float:
    return float(np.clip(1 - left / of, 0.0, 1.0)) if of > 0 else 0.0


def _chosen_steps(table: SeriesTable, rng: np.random.Generator) -> tuple[np.ndarray, Steps]:
    """The flat rows that are used: the newest of each series, of as many series as the limit allows."""
    lengths = np.minimum(table.lengths, MAX_STEPS_OF_A_SERIES)
    shuffled = rng.permutation(len(table))
    fit = np.cumsum(lengths[shuffled]) <= MAX_STEPS
    series = np.sort(shuffled[fit])
    rows = [
        np.arange(end - length, end) for end, length in zip(table.offsets[1:][series], lengths[series], strict=True)
    ]
    return np.concatenate(rows), Steps(lengths[series])


def _target_forms(
    target: np.ndarray, steps: Steps, season_length: int, rng: np.random.Generator
) -> Iterator[_TargetForm]:
    """The forms of the target that a column might hold."""
    for by in sorted({0, 1, 2, 3, season_length, -1, -2, -3, -season_length}, key=abs):
        yield _TargetForm(_shift_name(by), by, order_by(steps.shift(target, by), steps, rng))
    yield _TargetForm("change of y since the step before", 0, order_by(target - steps.shift(target, -1), steps, rng))
    if season_length > 1:
        change = target - steps.shift(target, -season_length)
        yield _TargetForm("change of y since the season before", 0, order_by(change, steps, rng))
        yield _TargetForm(
            "mean of y over the last season", 0, order_by(_season_mean(target, steps, season_length), steps, rng)
        )


def _season_mean(target: np.ndarray, steps: Steps, season_length: int) -> np.ndarray:
    """The mean of the values of the last `season_length` steps; NaN where fewer than half of these have one."""
    total, count = np.zeros(len(target)), np.zeros(len(target))
    for lag in range(season_length):
        values = steps.shift(target, -lag)
        total += np.nan_to_num(values)
        count += ~np.isnan(values)
    return np.where(2 * count >= season_length, total, np.nan) / np.maximum(count, 1)


def _shift_name(by: int) -> str:
    if not by:
        return "y at the same step"
    return f"y {abs(by)} step{'s' if abs(by) > 1 else ''} {'ahead' if by > 0 else 'before'}"


def _lags(steps: Steps, season_length: int) -> list[int]:
    """The lags of a column's past that are short enough for most series."""
    longest = max(np.median(steps.lengths) / 3, 1)
    return [lag for lag in sorted({1, 2, 3, season_length, season_length + 1, 2 * season_length}) if lag <= longest]


def _part(column: Column, rows: np.ndarray) -> Column:
    return Categories(column.codes[rows], column.symbols) if isinstance(column, Categories) else column[rows]
