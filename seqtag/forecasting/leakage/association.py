"""Measures whether a column is a function of the target, whatever the function: the variance that the target leaves.

Chatterjee (2021, A New Coefficient of Correlation) sorts the steps by the target and asks whether neighbours have the
same value of the column. Half the mean squared difference of neighbours is the residual variance of the column given
the target (Rice 1984, Bandwidth choice for nonparametric regression). It is zero for any function of the target,
monotone or not, and the column's whole variance where the column is independent of the target.

>>> steps = Steps(np.array([5]))
>>> target, column = np.array([1.0, 3.0, 2.0, 5.0, 4.0]), np.array([0.0, 0.5, 0.0, 1.0, 1.0])
>>> order = order_by(target, steps, np.random.default_rng(0))
>>> variance(column, False, steps), residual_variance(order, column, False, steps)
(0.25, 0.0625)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seqtag.data.series.covariates import Categories, Column
from seqtag.forecasting.data.moments import training_moments

MAX_CATEGORIES = 20
_RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of several series, one series after the other.

    Attributes:
        lengths: the number of steps of each series, int64 `(series,)`.
    """

    lengths: np.ndarray

    @cached_property
    def series(self) -> np.ndarray:
        """The series of each step."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def inside(self) -> np.ndarray:
        """The position of each step in its series, from 0."""
        return np.arange(len(self.series)) - self._starts

    @cached_property
    def _starts(self) -> np.ndarray:
        return (np.cumsum(self.lengths) - self.lengths)[self.series]

    def shift(self, values: np.ndarray, by: int) -> np.ndarray:
        """The `values (steps, ...)` of `by` steps later, NaN beyond the ends of a series.

        Example:
            >>> Steps(np.array([3, 2])).shift(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 1).tolist()
            [2.0, 3.0, nan, 5.0, nan]
        """
        position = self.inside + by
        within = (position >= 0) & (position < self.lengths[self.series])
        found = values[np.where(within, self._starts + position, 0)]
        found[~within] = np.nan
        return found

    def roll(self, values: np.ndarray, by: np.ndarray) -> np.ndarray:
        """The `values` shifted in a circle within each series, by `by (series,)` steps.

        Example:
            >>> Steps(np.array([3, 2])).roll(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([1, 0])).tolist()
            [3.0, 1.0, 2.0, 4.0, 5.0]
        """
        return values[self._starts + (self.inside - by[self.series]) % self.lengths[self.series]]


def codings(column: Column, steps: Steps) -> tuple[np.ndarray, ...]:
    """The codings of a column by which steps are compared, float `(steps,)` each, NaN where missing.

    Categories have one, their codes. Numbers have two: their ranks within the series, from 0 to 1, which are robust to
    outliers, and their values in standard deviations of the series, which are robust to a little noise where many
    values are equal.
    """
    if isinstance(column, Categories):
        return (np.where(column.codes >= 0, column.codes, np.nan),)
    values = np.asarray(column, float)
    return _ranks(values, steps), _standardised(values, steps)


def order_by(target: np.ndarray, steps: Steps, rng: np.random.Generator) -> np.ndarray:
    """The steps that have a target, sorted by series and then by target; equal targets are in random order."""
    observed = np.flatnonzero(~np.isnan(target))
    return observed[np.lexsort((rng.random(len(observed)), target[observed], steps.series[observed]))]


def residual_variance(
    order: np.ndarray, codes: np.ndarray, categorical: bool, steps: Steps, min_pairs: int = 1
) -> float:
    """The variance of a column given a target; NaN where there are fewer than `min_pairs` pairs of neighbours.

    For categories it is the probability that two neighbours differ, the sum of the variances of the indicators.

    Args:
        order: the steps in the order of the target, see `order_by`.
        codes: a coding of the column, see `codings`.
        categorical: whether the codes are categories.
        steps: the series.
        min_pairs: the smallest number of pairs, at least 1.
    """
    order = order[~np.isnan(codes[order])]
    same = steps.series[order[1:]] == steps.series[order[:-1]]
    difference = np.diff(codes[order])[same]
    if len(difference) < min_pairs:
        return float("nan")
    return float(np.mean(difference != 0) if categorical else np.mean(difference**2) / 2)


def least_residual_variance(codes: np.ndarray, categorical: bool, steps: Steps) -> float:
    """The smallest residual variance that a column can have, given a target that determines it.

    Neighbours of different classes are then neighbours only where one class ends and the next begins. With few steps
    in a class, this is no small part of the variance. It is taken as 0 for numbers.

    Example:
        >>> least_residual_variance(np.array([0.0, 0.0, 1.0, 1.0, 2.0]), True, Steps(np.array([5])))
        0.5
    """
    observed = ~np.isnan(codes)
    series = np.unique(steps.series[observed])
    if not categorical or observed.sum() <= len(series):
        return 0.0
    classes = np.unique(np.stack([steps.series[observed], codes[observed]]), axis=1).shape[1]
    return float((classes - len(series)) / (observed.sum() - len(series)))


def variance(codes: np.ndarray, categorical: bool, steps: Steps) -> float:
    """The variance of a column within its series; NaN where no series has two values.

    For categories it is the probability that two steps of a series differ, the sum of the variances of the indicators.
    """
    observed = ~np.isnan(codes)
    series = steps.series[observed]
    freedom = len(series) - len(np.unique(series))
    if not freedom:
        return float("nan")
    if not categorical:
        return float((_centred(codes[:, None], steps)[observed] ** 2).sum() / freedom)
    (of, _), counts = np.unique(np.stack([series, codes[observed]]), axis=1, return_counts=True)
    same = counts**2 / np.bincount(series)[of.astype(int)]
    return float((len(series) - same.sum()) / freedom)


def share_unexplained_by_past(codes: np.ndarray, categorical: bool, steps: Steps, lags: Sequence[int]) -> float:
    """The share of a column's variance that a linear regression on its lags, one for all series, does not explain.

    A lag without a value counts as the mean of the series. Of many categories, the 20 most frequent are used. The
    share is 1 where there are fewer steps than coefficients.
    """
    observed = ~np.isnan(codes)
    columns = codes[:, None]
    if categorical:
        values, counts = np.unique(codes[observed], return_counts=True)
        frequent = values[np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]]
        columns = np.where(observed[:, None], columns == frequent, np.nan)
    centred = _centred(columns, steps)
    rows = np.flatnonzero(observed & (steps.inside >= max(lags)))
    past = np.concatenate([np.nan_to_num(steps.shift(centred, -lag)[rows]) for lag in lags], axis=1)
    freedom, total = len(rows) - past.shape[1], (centred[rows] ** 2).sum()
    if freedom <= 0 or not total:
        return 1.0
    squares = past.T @ past
    squares += _RIDGE * (np.trace(squares) / len(squares) + _RIDGE) * np.eye(len(squares))
    residual = centred[rows] - past @ np.linalg.solve(squares, past.T @ centred[rows])
    return float(min((residual**2).sum() / freedom * len(rows) / total, 1.0))


def effective_values(column: Column) -> float:
    """The effective number of different values, the inverse Simpson index: k where k values are equally frequent.

    Example:
        >>> effective_values(np.array([1.0, 1.0, 2.0, 2.0, np.nan]))
        2.0
    """
    values = column.codes[column.codes >= 0] if isinstance(column, Categories) else column[~np.isnan(column)]
    counts = np.unique(values, return_counts=True)[1]
    return float(counts.sum() ** 2 / (counts.astype(float) ** 2).sum()) if len(counts) else 0.0


def _ranks(values: np.ndarray, steps: Steps) -> np.ndarray:
    """Ranks within each series, divided by the number of its values; equal values share their mean rank."""
    observed = np.flatnonzero(~np.isnan(values))
    order = observed[np.lexsort((values[observed], steps.series[observed]))]
    series, ordered = steps.series[order], values[order]
    ranks = np.full(len(values), np.nan)
    if len(order):
        starts = np.concatenate([[True], (np.diff(ordered) != 0) | (np.diff(series) != 0)])
        tie = np.cumsum(starts) - 1
        place = (np.bincount(tie, np.arange(len(order))) / np.bincount(tie))[tie]
        counts = np.bincount(series, minlength=len(steps.lengths))
        ranks[order] = (place - (np.cumsum(counts) - counts)[series] + 0.5) / counts[series]
    return ranks


def _standardised(values: np.ndarray, steps: Steps) -> np.ndarray:
    """Values in standard deviations from the mean of their series; 0 where the series is constant up to rounding."""
    mean, deviation = training_moments(np.asarray(values, float), np.r_[0, np.cumsum(steps.lengths)]).T
    return (values - mean[steps.series]) / np.where(deviation > 0, deviation, np.inf)[steps.series]


def _centred(columns: np.ndarray, steps: Steps) -> np.ndarray:
    """Columns `(steps, columns)` minus the mean of their series, NaN where missing."""
    return columns - _means(columns, steps)[steps.series]


def _means(columns: np.ndarray, steps: Steps) -> np.ndarray:
    """The means of each series, `(series, columns)`; steps that are NaN, in all columns or in none, do not count."""
    observed = ~np.isnan(columns[:, 0])
    series, number = steps.series[observed], len(steps.lengths)
    sums = np.stack([np.bincount(series, values, number) for values in columns[observed].T], axis=1)
    return sums / np.maximum(np.bincount(series, minlength=number), 1)[:, None]
