"""Blends a model with seasonal naive: weights per series and horizon step, from held-out windows.

The blend ``w f_model + (1 - w) f_naive`` has, with ``e = y - f_naive`` and ``d = f_model - f_naive``, the error
``e - w d``. Its squares, in units of each window's spread, sum to a parabola in w whose lowest point is ``N / D``:

    N = sum of e d / spread^2,    D = sum of d^2 / spread^2

(the least-squares combination of Bates and Granger 1969, and of Granger and Ramanathan 1984 with weights that sum to
one), clipped to [0, 1], which is the lowest point there too. One series alone has few windows, and one step of all
series says nothing of the single series, so that both sums enter:

    w[s, k] = clip((N_s + c N_k) / (D_s + c D_k), 0, 1)

where N_s and D_s take from each window of series s the mean over its observed steps, and N_k and D_k are the means
over the windows of all series at step k: the prior counts as much as c windows of the series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.forecasting.calibration.checks import checked_forecast, checked_target, spread_of_steps

PRIOR = 4.0


@dataclass(frozen=True, eq=False)
class BlendWeights:
    """The model's share in the blend with seasonal naive.

    Attributes:
        weights: ``(series + 1, horizon)`` in [0, 1]; row 0 is for series that were not among the fitted ones, row s
            for series s.
    """

    weights: np.ndarray

    def of(self, series_index: np.ndarray, horizon: int) -> np.ndarray:
        """The weights of windows, ``(windows, horizon)``; steps beyond the fitted horizon take those of its last.

        Args:
            series_index: the series of each window, ``(windows,)``, 0 for an unknown one.
            horizon: steps, at least 1.

        Raises:
            ValueError: an unknown series above 0, a horizon below 1.
        """
        index = _series_index(series_index, 0, len(self.weights) - 1)
        if horizon < 1:
            raise ValueError(f"expected a horizon of at least 1, found {horizon}")
        return self.weights[index][:, np.minimum(np.arange(horizon), self.weights.shape[1] - 1)]

    def blended(self, model: np.ndarray, naive: np.ndarray, series_index: np.ndarray) -> np.ndarray:
        """``w model + (1 - w) naive``; of quantiles level by level, so that ascending ones never cross.

        Args:
            model: forecasts ``(windows, steps)``, or quantiles ``(windows, steps, levels)``.
            naive: seasonal naive's, of the same shape.
            series_index: as in `of`.

        Raises:
            ValueError: shapes that do not fit, or as `of`.
        """
        model, naive = np.asarray(model, float), np.asarray(naive, float)
        if model.shape != naive.shape or model.ndim not in (2, 3):
            raise ValueError(f"expected forecasts of model and naive in one shape, found {model.shape}, {naive.shape}")
        if np.shape(series_index) != model.shape[:1]:
            raise ValueError(f"expected series_index of shape {model.shape[:1]}, found {np.shape(series_index)}")
        weights = self.of(series_index, model.shape[1]).reshape(*model.shape[:2], *[1] * (model.ndim - 2))
        return naive + weights * (model - naive)

    def to_dict(self) -> dict[str, Any]:
        """The weights as plain JSON, which `from_dict` reads back."""
        return {"weights": self.weights.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BlendWeights:
        """The weights that `to_dict` described."""
        return cls(np.array(data["weights"], float))


def fit_blend(
    target: np.ndarray,
    model_point: np.ndarray,
    naive_point: np.ndarray,
    spread: np.ndarray,
    series_index: np.ndarray,
    num_series: int,
    *,
    prior: float = PRIOR,
) -> BlendWeights:
    """The weights of least squared error on held-out windows, as the module says.

    The weight is 0 where moving from seasonal naive toward the model always makes the error larger, 1 where moving
    back from the model does, and 1 without evidence (no observed target, or two equal forecasts).

    Args:
        target: ``(windows, horizon)``, NaN where missing: left out.
        model_point: the model's point forecasts, of the same shape.
        naive_point: seasonal naive's.
        spread: how large errors are, ``(windows,)`` or ``(windows, horizon)``; steps where it is zero are left out.
        series_index: the series of each window, ``(windows,)``, 1 to `num_series`.
        num_series: the number of series.
        prior: c, how many windows of a series the evidence of all series counts as; 0 for no evidence of other series.

    Raises:
        ValueError: shapes that do not fit, forecasts that are not finite where the target is observed, a spread that
            is negative or not finite, a series outside 1 to `num_series`, a negative prior.

    Example:
        >>> target, model, naive = np.array([[4.0], [4.0]]), np.array([[5.0], [0.0]]), np.array([[1.0], [2.0]])
        >>> fit_blend(target, model, naive, np.ones(2), np.array([1, 2]), 2, prior=0).weights.tolist()
        [[0.4], [0.75], [0.0]]
    """
    if not 0 <= prior < np.inf:
        raise ValueError(f"expected prior to be finite and not negative, found {prior}")
    target = checked_target(target)
    model = checked_forecast("model_point", model_point, target)
    naive = checked_forecast("naive_point", naive_point, target)
    spread = spread_of_steps(spread, (target.shape[0], target.shape[1]))
    index = _series_index(series_index, 1, num_series)
    if index.shape != target.shape[:1]:
        raise ValueError(f"expected series_index of shape {target.shape[:1]}, found {index.shape}")
    used = ~np.isnan(target) & (spread > 0)
    unit = np.where(spread > 0, spread, 1.0)
    error = np.where(used, target - naive, 0.0) / unit
    step = np.where(used, model - naive, 0.0) / unit
    numerator = _evidence(error * step, used, index, num_series, prior)
    denominator = _evidence(step * step, used, index, num_series, prior)
    with np.errstate(divide="ignore", invalid="ignore"):
        lowest = np.clip(numerator / denominator, 0.0, 1.0)
    return BlendWeights(np.where(denominator > 0, lowest, 1.0))


def _evidence(terms: np.ndarray, used: np.ndarray, index: np.ndarray, num_series: int, prior: float) -> np.ndarray:
    """One of the two sums for each row of the weights, ``(series + 1, horizon)``."""
    by_window = terms.sum(axis=1) / np.maximum(used.sum(axis=1), 1)
    by_series = np.bincount(index, by_window, num_series + 1)
    by_step = terms.sum(axis=0) / np.maximum(used.sum(axis=0), 1)
    return np.concatenate([by_step[None], by_series[1:, None] + prior * by_step])


def _series_index(series_index: np.ndarray, least: int, most: int) -> np.ndarray:
    index = np.asarray(series_index)
    if index.ndim != 1 or (index.size and not np.issubdtype(index.dtype, np.integer)):
        raise ValueError(f"expected series_index of whole numbers (windows,), found {index.dtype} {index.shape}")
    wrong = index[(index < least) | (index > most)]
    if wrong.size:
        raise ValueError(f"expected series_index between {least} and {most}, found {wrong[0]}")
    return index.astype(np.int64)
