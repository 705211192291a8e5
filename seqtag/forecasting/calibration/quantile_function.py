"""A whole distribution from a few quantiles: the probability below a value, and the value at a probability.

Between the given quantiles ``q[i]`` at levels ``a[i]`` the quantile function is a straight line in z, the normal score
of a level, as that of a normal distribution is. Beyond the outermost it has exponential tails, which go through the two
outermost quantiles on their side:

    Q(u) = q[i] + (q[i + 1] - q[i]) (z(u) - z(a[i])) / (z(a[i + 1]) - z(a[i]))
    Q(u) = q[0] + b log(u / a[0])                with b = (q[1] - q[0]) / log(a[1] / a[0])               for u < a[0]
    Q(u) = q[-1] - b log((1 - u) / (1 - a[-1]))  with b = (q[-1] - q[-2]) / log((1 - a[-2]) / (1 - a[-1]))   above

(the tails of Park et al. 2022, Learning Quantile Functions without Quantile Crossing, section 3.2). A straight line in
the level itself would make the middle of a bell too wide: between quantiles at .1, .5 and .9 of a normal distribution,
its 50% interval would hold 58%. Models that were stored with such lines go on with them (`by_score=False`).

Where the two outermost quantiles coincide, and with a single level, the tail has no width: its probability lies on the
outermost quantile.

>>> quantiles, levels = np.array([10.0, 20.0, 40.0]), (0.1, 0.5, 0.9)
>>> probabilities(np.array([10.0, 15.0, 30.0]), quantiles, levels).round(3).tolist()
[0.1, 0.261, 0.739]
>>> values_at(np.array([0.1, 0.25, 0.75]), quantiles, levels).round(3).tolist()
[10.0, 14.737, 30.526]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from seqtag.forecasting.levels import checked_levels

NEAREST = 1e-9  # probabilities are clipped this far from 0 and 1: the tails have no end


def probabilities(
    values: np.ndarray, quantiles: np.ndarray, levels: Sequence[float], by_score: bool = True
) -> np.ndarray:
    """The probability below each value (its probability integral transform, PIT).

    Where quantiles coincide, probability lies on one value. That value gets the middle of the jump, as in the
    mid-distribution function (Parzen 2004), so that probabilities of a calibrated forecast still have the mean 1/2.

    Args:
        values: ``(...)``, NaN where missing.
        quantiles: ``(..., levels)``, ascending; the shapes before the levels broadcast against those of `values`.
        levels: of the quantiles, ascending, each in (0, 1).
        by_score: whether lines between quantiles are straight in the normal score of a level, or in the level itself.

    Returns:
        ``(...)`` in [0, 1], NaN where the value is missing.

    Raises:
        ValueError: levels as of `checked_levels`, another number of quantiles, or quantiles that cross.

    Example:
        >>> probabilities(np.array([0.0, 1.0, 3.0]), np.array([0.0, 0.0, 2.0]), (0.2, 0.6, 0.8)).round(3).tolist()
        [0.3, 0.708, 0.859]
    """
    values, quantiles, at = _broadcast(values, quantiles, levels)
    below = (quantiles < values[..., None]).sum(axis=-1)
    upto = (quantiles <= values[..., None]).sum(axis=-1)
    lower_scale, upper_scale = _tail_scales(quantiles, at)
    low, high = _at(quantiles, below - 1), _at(quantiles, below)
    left, right = at[np.maximum(below - 1, 0)], at[np.minimum(below, len(at) - 1)]
    share = (values - low) / np.where(high > low, high - low, 1.0)
    start, end = _scores(left, by_score), _scores(right, by_score)
    inside = start + share * (end - start)
    inside = ndtr(inside) if by_score else inside
    lower = at[0] * _tail_share(quantiles[..., 0] - values, lower_scale)
    upper = 1 - (1 - at[-1]) * _tail_share(values - quantiles[..., -1], upper_scale)
    between = np.where(below == 0, lower, np.where(below == len(at), upper, inside))
    # On a quantile: from the level of the first that equals it to that of the last; all the tail where it lies there.
    first = np.where((below == 0) & (lower_scale == 0), 0.0, right)
    last = np.where((upto == len(at)) & (upper_scale == 0), 1.0, at[np.maximum(upto - 1, 0)])
    found = np.where(upto > below, (first + last) / 2, between)
    return np.where(np.isnan(values), np.nan, found)


def values_at(u: np.ndarray, quantiles: np.ndarray, levels: Sequence[float], by_score: bool = True) -> np.ndarray:
    """The quantile at each probability, the inverse of `probabilities`.

    With paths of probabilities ``u (windows, paths, horizon)`` of `StepDependence.probabilities`, sample paths are
    ``values_at(u, quantiles[:, None], levels)``.

    Args:
        u: ``(...)`` in [0, 1], NaN where missing; clipped to 1e-9 from 0 and 1, so that values are finite.
        quantiles: ``(..., levels)``, ascending; the shapes before the levels broadcast against those of `u`.
        levels: of the quantiles, ascending, each in (0, 1).
        by_score: as of `probabilities`.

    Returns:
        ``(...)``, ascending in `u`.

    Raises:
        ValueError: a probability outside [0, 1], or as of `probabilities`.
    """
    u, quantiles, at = _broadcast(u, quantiles, levels)
    if ((u < 0) | (u > 1)).any():
        raise ValueError(f"expected probabilities between 0 and 1, found {u[(u < 0) | (u > 1)][0]}")
    u = np.clip(u, NEAREST, 1 - NEAREST)
    above = np.searchsorted(at, u)
    left, right = at[np.maximum(above - 1, 0)], at[np.minimum(above, len(at) - 1)]
    low, high = _at(quantiles, above - 1), _at(quantiles, above)
    lower_scale, upper_scale = _tail_scales(quantiles, at)
    start, end = _scores(left, by_score), _scores(right, by_score)
    inside = low + (high - low) * (_scores(u, by_score) - start) / np.where(end > start, end - start, 1.0)
    lower = quantiles[..., 0] + lower_scale * np.log(u / at[0])
    upper = quantiles[..., -1] - upper_scale * np.log((1 - u) / (1 - at[-1]))
    found = np.where(above == 0, lower, np.where(above == len(at), upper, inside))
    return np.where(np.isnan(u), np.nan, found)


def at_levels(quantiles: np.ndarray, levels: Sequence[float], wanted: Sequence[float]) -> np.ndarray:
    """The quantiles at other levels, as `values_at` gives them, in a fraction of its time.

    At one level the value lies as far between the same two quantiles in every row, also in the tails.

    Args:
        quantiles: ``(..., levels)``, ascending.
        levels: of the quantiles, ascending, each in (0, 1).
        wanted: the levels to give, ascending, each in (0, 1).

    Returns:
        ``(..., wanted)``, ascending. A level that is among the given ones keeps its quantile bit for bit.

    Raises:
        ValueError: levels as of `checked_levels`.

    Example:
        >>> at_levels(np.array([10.0, 20.0, 40.0]), (0.1, 0.5, 0.9), (0.1, 0.25, 0.75)).round(3).tolist()
        [10.0, 14.737, 30.526]
    """
    at, asked = np.array(checked_levels(levels)), checked_levels(wanted)
    found = [_on_line(quantiles, at, min(max(level, NEAREST), 1 - NEAREST)) for level in asked]
    # Where two parts meet in a quantile they may cross by a rounding.
    return np.maximum.accumulate(np.stack(found, axis=-1), axis=-1)


def _on_line(quantiles: np.ndarray, at: np.ndarray, level: float) -> np.ndarray:
    """The value at one level: a share of the distance from one quantile to the next, below 0 or above 1 in a tail."""
    same = np.flatnonzero(at == level)
    if len(same) or len(at) == 1:
        return quantiles[..., int(same[0]) if len(same) else 0]
    if level < at[0]:
        first, share = 0, np.log(level / at[0]) / np.log(at[1] / at[0])
    elif level > at[-1]:
        first = len(at) - 2
        share = 1 + np.log((1 - at[-1]) / (1 - level)) / np.log((1 - at[-2]) / (1 - at[-1]))
    else:
        first = int(np.searchsorted(at, level)) - 1
        share = (ndtri(level) - ndtri(at[first])) / (ndtri(at[first + 1]) - ndtri(at[first]))
    low, high = quantiles[..., first], quantiles[..., first + 1]
    return low + (high - low) * share


def _broadcast(
    values: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = np.array(checked_levels(levels))
    values, quantiles = np.asarray(values, float), np.asarray(quantiles, float)
    if quantiles.shape[-1:] != at.shape:
        raise ValueError(f"expected quantiles (..., {len(at)}), found shape {quantiles.shape}")
    if (np.diff(quantiles, axis=-1) < 0).any():
        raise ValueError("expected quantiles that ascend with their levels, found some that cross")
    shape = np.broadcast_shapes(values.shape, quantiles.shape[:-1])
    return np.broadcast_to(values, shape), np.broadcast_to(quantiles, (*shape, len(at))), at


def _scores(levels: np.ndarray, by_score: bool) -> np.ndarray:
    """What a line between two quantiles is straight in."""
    return ndtri(levels) if by_score else levels


def _at(quantiles: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The quantile at an index for each place; the outermost for an index beyond them."""
    inside = np.clip(index, 0, quantiles.shape[-1] - 1)
    return np.take_along_axis(quantiles, inside[..., None], axis=-1)[..., 0]


def _tail_share(distance: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The part of a tail's probability beyond a distance; 0 where the tail has no width."""
    return np.where(scale > 0, np.exp(-np.maximum(distance, 0.0) / np.where(scale > 0, scale, 1.0)), 0.0)


def _tail_scales(quantiles: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The b of the lower and of the upper tail; zero where they have no width."""
    if len(at) == 1:
        return np.zeros(quantiles.shape[:-1]), np.zeros(quantiles.shape[:-1])
    lower = (quantiles[..., 1] - quantiles[..., 0]) / np.log(at[1] / at[0])
    upper = (quantiles[..., -1] - quantiles[..., -2]) / np.log((1 - at[-2]) / (1 - at[-1]))
    return lower, upper
