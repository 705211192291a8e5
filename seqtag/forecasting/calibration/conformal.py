"""Conformal correction of quantiles: on held-out windows, each quantile is moved until the right share lies below it.

A held-out window's score at a step and level is how far its target lies above the quantile, in units of the window's
spread:

    score = (y - q) / spread,    corrected q = q + offset * spread

and the offset is the score of the rank that split conformal prediction takes (Lei et al. 2018, section 2.2; for
quantiles, Romano, Patterson and Candès 2019, Conformalized Quantile Regression, section 4, each tail separately).
If the windows to come are exchangeable with the n held-out ones, the corrected quantile of a level a > 1/2 has at
least a, and at most a + 1/(n + 1), of the targets at or below it; levels below 1/2 mirror that. Windows of a time
series are exchangeable only as far as the series goes on as it was (Barber et al. 2023, Conformal prediction beyond
exchangeability): measure coverage on later windows, see `coverage_by_step`.

A point forecaster is the case in which all quantiles are its forecast: the offsets are quantiles of its residuals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.forecasting.calibration.checks import checked_forecast, checked_target, spread_of_steps
from seqtag.forecasting.evaluation.metrics import central_intervals, coverage
from seqtag.forecasting.levels import checked_levels

MIN_SCORES = 100


@dataclass(frozen=True, eq=False)
class ConformalOffsets:
    """What is added to quantiles, in units of a window's spread.

    Attributes:
        levels: of the quantiles, ascending.
        offsets: ``(horizon, levels)``.
    """

    levels: tuple[float, ...]
    offsets: np.ndarray

    def corrected(self, quantiles: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Quantiles moved by the offsets, and sorted, so that they never cross.

        Sorting never moves them away from the true ones (Chernozhukov, Fernández-Val and Galichon 2010). Steps
        beyond the fitted horizon take the offsets of its last.

        Args:
            quantiles: ``(windows, steps, levels)``.
            spread: ``(windows,)`` or ``(windows, steps)``, of the kind that the offsets were fitted with.

        Raises:
            ValueError: shapes that do not fit, a spread that is negative or not finite.
        """
        quantiles = np.asarray(quantiles, float)
        if quantiles.ndim != 3 or quantiles.shape[2] != len(self.levels):
            raise ValueError(f"expected quantiles (windows, steps, {len(self.levels)}), found {quantiles.shape}")
        steps = np.minimum(np.arange(quantiles.shape[1]), len(self.offsets) - 1)
        width = spread_of_steps(spread, quantiles.shape[:2])
        return np.sort(quantiles + self.offsets[steps] * width[..., None], axis=2)

    def to_dict(self) -> dict[str, Any]:
        """The offsets as plain JSON, which `from_dict` reads back."""
        return {"levels": list(self.levels), "offsets": self.offsets.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ConformalOffsets:
        """The offsets that `to_dict` described."""
        levels = checked_levels(data["levels"])
        return cls(levels, np.array(data["offsets"], float).reshape(-1, len(levels)))


def fit_offsets(
    target: np.ndarray,
    quantiles: np.ndarray,
    spread: np.ndarray,
    levels: Sequence[float],
    *,
    min_scores: int = MIN_SCORES,
) -> ConformalOffsets:
    """The offsets that put the right share of held-out targets below each quantile.

    Of n scores, a level a > 1/2 takes the one of rank ``ceil((n + 1) a)``, a level below 1/2 that of rank
    ``floor((n + 1) a)``, and 1/2 the mean of both, the median. Where no such rank exists (``n + 1 < 1 / a``), no
    offset guarantees the level: it is the outermost score, and zero where that would draw the quantile inwards. A step
    without a score gets zeros.

    A step with fewer than `min_scores` scores is pooled with its neighbours: with as many steps on either side, within
    the horizon, as it takes. Errors that grow with the horizon are then pooled with smaller and with larger ones,
    unless the spread grows with them: with few windows, give a spread for each step, such as the width of the
    quantiles themselves.

    Args:
        target: ``(windows, horizon)``, NaN where missing: left out.
        quantiles: the forecasts of the same steps, ``(windows, horizon, levels)``; all equal for a point forecaster.
        spread: how large errors are, ``(windows,)`` or ``(windows, horizon)``; where it is zero there is no score.
        levels: of the quantiles, ascending, each in (0, 1).
        min_scores: how many scores a step needs to be fitted alone.

    Raises:
        ValueError: shapes that do not fit, an infinite target, quantiles that are not finite where the target is
            observed, a spread that is negative or not finite, `min_scores` below 1.

    Example:
        >>> target = np.arange(1.0, 10.0)[:, None]
        >>> fitted = fit_offsets(target, np.zeros((9, 1, 3)), np.ones(9), (0.1, 0.5, 0.8))
        >>> fitted.offsets.tolist()
        [[1.0, 5.0, 8.0]]
    """
    levels = checked_levels(levels)
    if min_scores < 1:
        raise ValueError(f"expected min_scores to be at least 1, found {min_scores}")
    target = checked_target(target)
    quantiles = checked_forecast("quantiles", quantiles, target, len(levels))
    spread = spread_of_steps(spread, (target.shape[0], target.shape[1]))
    used = ~np.isnan(target) & (spread > 0)
    counts = used.sum(axis=0)
    offsets = np.zeros((target.shape[1], len(levels)))
    for step in range(target.shape[1]):
        near = pooled_steps(counts, step, min_scores)
        chosen = used[:, near]
        scores = (target[:, near, None] - quantiles[:, near])[chosen] / spread[:, near][chosen][:, None]
        if len(scores):
            ordered = np.sort(scores, axis=0)
            offsets[step] = [_offset(ordered[:, column], level) for column, level in enumerate(levels)]
    return ConformalOffsets(levels, offsets)


def pooled_steps(counts: np.ndarray, step: int, min_scores: int) -> slice:
    """The steps around one that have `min_scores` scores together, or all steps.

    Example:
        >>> pooled_steps(np.array([4, 4, 4, 4, 4]), step=1, min_scores=10)
        slice(0, 3, None)
    """
    for radius in range(len(counts)):
        near = slice(max(step - radius, 0), min(step + radius + 1, len(counts)))
        if counts[near].sum() >= min_scores:
            return near
    return slice(0, len(counts))


def coverage_by_step(target: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> dict[float, np.ndarray]:
    """The share of targets within each central interval at each step.

    Args:
        target: ``(windows, horizon)``, NaN where missing.
        quantiles: ``(windows, horizon, levels)``.
        levels: of the quantiles.

    Returns:
        Nominal coverage to shares ``(horizon,)``, NaN where a step has no target, widest interval first.

    Example:
        >>> quantiles = np.broadcast_to([1.0, 3.0], (2, 2, 2))
        >>> coverage_by_step(np.array([[0.0, 1.0], [2.0, 3.0]]), quantiles, (0.1, 0.9))
        {0.8: array([0.5, 1. ])}
    """
    steps = range(np.shape(target)[1])
    return {
        nominal: np.array([coverage(target[:, k], quantiles[:, k, low], quantiles[:, k, high]) for k in steps])
        for nominal, (low, high) in central_intervals(levels).items()
    }


def _offset(ordered: np.ndarray, level: float) -> float:
    """The score of the level's rank, outwards of the exact one."""
    exact = round((len(ordered) + 1) * level, 9)  # 10 * 0.7 is more than 7 in floating point
    up, down = math.ceil(exact), math.floor(exact)
    if level == 0.5:
        return float(ordered[[max(down, 1) - 1, min(up, len(ordered)) - 1]].mean())
    if level > 0.5:
        return float(ordered[up - 1]) if up <= len(ordered) else max(float(ordered[-1]), 0.0)
    return float(ordered[down - 1]) if down >= 1 else min(float(ordered[0]), 0.0)
