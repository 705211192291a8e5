"""Dependence between horizon steps: what turns quantiles of each step into paths.

Quantiles say how each step is distributed, not whether a forecast that is too low tomorrow is too low the day after.
Held-out windows show that: the probabilities u of their targets under the forecasts
(`quantile_function.probabilities`) are turned into normal scores, and these are correlated from step to step. A
Gaussian copula keeps that correlation and leaves every step's own distribution alone (Pinson et al. 2009, From
probabilistic forecasts to statistical scenarios of short-term wind power production, section 3). Here the correlation
depends on the lag between two steps alone (a Toeplitz matrix), so that few windows suffice to
estimate it, and steps beyond the fitted ones have one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

PRIOR = 20.0
OUTERMOST = 1e-3
_LEAST_POWER = 1e-3


@dataclass(frozen=True, eq=False)
class StepDependence:
    """A Gaussian copula with a stationary correlation between steps.

    Attributes:
        correlation: ``(lags,)`` from lag 0, which is 1; its Toeplitz matrix is positive definite.
    """

    correlation: np.ndarray

    def matrix(self, horizon: int) -> np.ndarray:
        """The correlation of normal scores between steps, ``(horizon, horizon)``, positive definite.

        Lags beyond the fitted ones follow from these by the autoregression that they imply, the extension of
        maximum entropy (Burg 1975): it adds no assumption, and correlation fades with the lag.

        Raises:
            ValueError: a horizon below 1.
        """
        if horizon < 1:
            raise ValueError(f"expected a horizon of at least 1, found {horizon}")
        found = list(self.correlation[:horizon])
        order = len(self.correlation) - 1
        if horizon > len(found) and order:
            weights = np.linalg.solve(_toeplitz(self.correlation[:-1]), self.correlation[1:])
            while len(found) < horizon:
                found.append(weights @ found[: -order - 1 : -1])
        return _toeplitz(np.array([*found, *[0.0] * (horizon - len(found))]))

    def probabilities(self, normal: np.ndarray) -> np.ndarray:
        """Probabilities, each uniform on (0, 1), that depend on each other along the horizon.

        Args:
            normal: standard normal draws, independent along the horizon, ``(windows, paths, horizon)``. The horizon may
                have more steps than were fitted. Any dependence between windows stays.

        Returns:
            ``(windows, paths, horizon)``; `quantile_function.values_at` turns them into sample paths.

        Raises:
            ValueError: a horizon below 1.
        """
        return ndtr(normal @ np.linalg.cholesky(self.matrix(normal.shape[-1])).T)

    def to_dict(self) -> dict[str, Any]:
        """The correlation as plain JSON, which `from_dict` reads back."""
        return {"correlation": self.correlation.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StepDependence:
        """The dependence that `to_dict` described."""
        return cls(np.array(data["correlation"], float))


INDEPENDENT = StepDependence(np.ones(1))


def fit_dependence(u: np.ndarray, *, prior: float = PRIOR) -> StepDependence:
    """The correlation of held-out probabilities by lag, pooled over windows and steps.

    With normal scores z, lag l has over the n pairs of steps that are both observed

        r[l] = sum of z[t] z[t + l] / sqrt(sum of z[t]^2  sum of z[t + l]^2),   tapered to  r[l] n / (n + prior)

    No mean is subtracted: scores of calibrated forecasts have mean zero, and with few windows a mean cannot be told
    from dependence. The taper changes little where there are many windows, and shrinks long lags, which have few pairs,
    toward independence. The result may be no correlation: the spectrum of the circulant matrix that it is embedded in
    may be negative somewhere. It becomes one by raising the spectrum to at least a thousandth of its mean.

    Args:
        u: the probability of each target under its forecast, ``(windows, steps)``, NaN where missing. Those nearer
            than .001 to 0 or 1 count as .001 from it: a target beyond all quantiles has no score of its own.
        prior: how many pairs independence counts for.

    Raises:
        ValueError: another shape, a probability outside [0, 1], a negative prior.
    """
    u = np.asarray(u, float)
    if u.ndim != 2 or not u.shape[1]:
        raise ValueError(f"expected probabilities (windows, steps), found shape {u.shape}")
    if ((u < 0) | (u > 1)).any():
        raise ValueError(f"expected probabilities between 0 and 1, found {u[(u < 0) | (u > 1)][0]}")
    if not 0 <= prior < np.inf:
        raise ValueError(f"expected prior to be finite and not negative, found {prior}")
    seen = ~np.isnan(u)
    scores = np.where(seen, ndtri(np.clip(u, OUTERMOST, 1 - OUTERMOST)), 0.0)
    lags = [_at_lag(scores, seen, lag, prior) for lag in range(1, u.shape[1])]
    return StepDependence(_positive_definite(np.array([1.0, *lags])))


def _at_lag(scores: np.ndarray, seen: np.ndarray, lag: int, prior: float) -> float:
    both = seen[:, :-lag] & seen[:, lag:]
    early, late = scores[:, :-lag][both], scores[:, lag:][both]
    size = np.sqrt((early @ early) * (late @ late))
    return float(early @ late / size * len(early) / (len(early) + prior)) if size > 0 else 0.0


def _positive_definite(correlation: np.ndarray) -> np.ndarray:
    """The correlation whose circulant embedding has a spectrum above zero, by cutting off what lies below."""
    if len(correlation) == 1:
        return correlation
    period = 2 * (len(correlation) - 1)
    spectrum = np.fft.rfft([*correlation, *correlation[-2:0:-1]]).real
    mended = np.fft.irfft(np.maximum(spectrum, _LEAST_POWER), period)[: len(correlation)]
    return mended / mended[0]


def _toeplitz(correlation: np.ndarray) -> np.ndarray:
    step = np.arange(len(correlation))
    return correlation[np.abs(step[:, None] - step)]
