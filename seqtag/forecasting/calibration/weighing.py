"""Weighs forecasts of several sources by held-out windows: all series together, and each by itself where that tells.

A blend with the weights w of sources f_1, f_2, ... on the simplex has the error ``sum of w_i (y - f_i)``, so its mean
absolute error is a convex function of w. It is minimised with a price on the distance from weights that are taken
without evidence (Kullback and Leibler's divergence), by mirror descent (Beck and Teboulle 2003):

    w = argmin  n L(w) / L(v) + c KL(w || v)

* of all series together, v are the prior weights, and n is the number of held-out horizons that tell something of
  their own. Series of one file move together: at a correlation r between their errors, S of them tell as much as
  ``S / (1 + (S - 1) r)`` that do not (Kish 1965). With few of them, sources that are nearly as good share the weight,
  which is hard to beat (the forecast combination puzzle, Smith and Wallis 2009). The steps of the horizon have weights
  in up to four groups, one for 25 held-out horizons.
* of one series, v are the weights of all, and n is the number of its held-out horizons. The price c is the one whose
  weights, from the older half of the held-out windows, have the least error on the newer half; where no series holds
  out two horizons there is no such evidence, and all series keep the weights of all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# The price of a distance from the prior weights, in held-out horizons.
PRIOR = 0.4
# How far the errors of a file's series move together.
CORRELATION = 0.2
# The prices of a distance from the weights of all series that are tried; without a price that helps there is no move.
PRICES = (8.0, 2.0, 0.5, 0.125)
# Steps are weighed in up to so many groups, one for so many held-out horizons.
MAX_GROUPS, HORIZONS_OF_GROUP = 4, 25
# More steps of a window than these tell little more.
_MAX_STEPS = 16
_ITERATIONS = 120
_RATE = 1.0
_LEAST = 1e-300


class HeldOutErrors(NamedTuple):
    """Errors of several sources on held-out windows.

    Attributes:
        errors: ``(sources, windows, horizon)``, target less forecast in units of the window, NaN where one is missing.
        series: int ``(windows,)``, the series of each window, from 1 on.
        age: int ``(windows,)``, how many steps each window ends before the newest one of its series.
    """

    errors: np.ndarray
    series: np.ndarray
    age: np.ndarray

    def take(self, chosen: np.ndarray) -> HeldOutErrors:
        """The errors of some windows."""
        return HeldOutErrors(self.errors[:, chosen], self.series[chosen], self.age[chosen])

    @property
    def horizon(self) -> int:
        """Steps of a forecast."""
        return self.errors.shape[2]

    def groups(self, num_series: int) -> int:
        """In how many groups the steps are weighed."""
        horizons = int(self.horizons(num_series).sum())
        return max(1, min(MAX_GROUPS, self.horizon, horizons // HORIZONS_OF_GROUP))

    def horizons(self, num_series: int) -> np.ndarray:
        """How many horizons are held out of each series, ``(series + 1,)``, 0 for row 0."""
        oldest = np.full(num_series + 1, -np.inf)
        np.maximum.at(oldest, self.series, self.age)
        return np.where(oldest < 0, 0.0, 1 + np.maximum(oldest, 0) / self.horizon)

    def own_horizons(self, num_series: int) -> float:
        """How many horizons of series that do not move together would tell as much."""
        horizons = self.horizons(num_series)
        return float(horizons.sum() / (1 + max((horizons > 0).sum() - 1, 0) * CORRELATION))


def group_of_step(horizon: int, groups: int) -> np.ndarray:
    """The group of each step, int ``(horizon,)``: as many groups of about the same size, in order."""
    return np.arange(horizon) * groups // horizon


def fit_weights(held_out: HeldOutErrors, num_series: int, prior: np.ndarray) -> np.ndarray:
    """The weights of the sources, ``(series + 1, groups, sources)``; row 0 is for series that were not held out.

    Args:
        held_out: the errors.
        num_series: the number of series.
        prior: ``(sources,)``, the weights that are taken without evidence, adding to one.

    Example:
        >>> errors = np.stack([np.full((8, 1), 1.0), np.full((8, 1), -1.0), np.full((8, 1), 9.0)])
        >>> fit_weights(HeldOutErrors(errors, np.arange(1, 9), np.zeros(8, int)), 8, np.full(3, 1 / 3)).shape
        (9, 1, 3)
    """
    groups = held_out.groups(num_series)
    price = _best_price(held_out, num_series, prior, groups)
    pooled = _pooled(held_out, num_series, prior, groups)
    return pooled[None].repeat(num_series + 1, 0) if price is None else _by_series(held_out, num_series, pooled, price)


def _best_price(held_out: HeldOutErrors, num_series: int, prior: np.ndarray, groups: int) -> float | None:
    """The price of a series' own weights with the least error on windows newer than those they are fitted on."""
    horizon = held_out.horizon
    oldest = np.zeros(num_series + 1)
    np.maximum.at(oldest, held_out.series, held_out.age)
    half = ((oldest + horizon) // 2)[held_out.series]
    older = held_out.take(np.flatnonzero(held_out.age >= np.maximum(half, horizon)))
    newer = held_out.take(np.flatnonzero(held_out.age < half))
    if not len(older.series) or not len(newer.series):
        return None
    pooled = _pooled(older, num_series, prior, groups)
    best: tuple[float, float | None] = (_error(newer, pooled[None].repeat(num_series + 1, 0)), None)
    for price in PRICES:
        error = _error(newer, _by_series(older, num_series, pooled, price))
        if error < best[0]:
            best = (error, price)
    return best[1]


def _error(held_out: HeldOutErrors, weights: np.ndarray) -> float:
    by_step = weights[held_out.series][:, group_of_step(held_out.horizon, weights.shape[1])]
    blended = np.einsum("swk,wks->wk", np.nan_to_num(held_out.errors), by_step)
    return float(np.abs(blended).mean(where=~np.isnan(held_out.errors[0])))


def _pooled(held_out: HeldOutErrors, num_series: int, prior: np.ndarray, groups: int) -> np.ndarray:
    """The weights of all series together, ``(groups, sources)``."""
    errors, window, group = _flat(held_out, groups)
    start = prior[None].repeat(groups, 0)
    price = PRIOR / max(held_out.own_horizons(num_series), 1.0)
    # Every series counts the same, however many windows it has.
    share = (1 / np.bincount(held_out.series)[held_out.series])[window]
    return _descend(errors, group, share, start, np.full(groups, price))


def _by_series(held_out: HeldOutErrors, num_series: int, pooled: np.ndarray, price: float) -> np.ndarray:
    """The weights of each series, ``(series + 1, groups, sources)``."""
    errors, window, group = _flat(held_out, len(pooled))
    start = pooled[None].repeat(num_series + 1, 0)
    number = held_out.horizons(num_series)
    prices = np.where(number > 0, price / np.maximum(number, 1e-9), np.inf)
    owner = held_out.series[window] * len(pooled) + group
    flat = start.reshape(-1, len(errors))
    return _descend(errors, owner, np.ones(len(owner)), flat, prices.repeat(len(pooled))).reshape(start.shape)


def _flat(held_out: HeldOutErrors, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors ``(sources, values)`` of the steps that count, and the window and the group of each value."""
    horizon = held_out.horizon
    steps = np.unique(np.linspace(0, horizon - 1, min(horizon, _MAX_STEPS)).round().astype(int))
    errors = held_out.errors[:, :, steps]
    window, step = np.nonzero(~np.isnan(errors).any(axis=0))
    return errors[:, window, step], window, group_of_step(horizon, groups)[steps][step]


def _descend(
    errors: np.ndarray, owner: np.ndarray, share: np.ndarray, start: np.ndarray, price: np.ndarray
) -> np.ndarray:
    """Mirror descent from `start (owners, sources)`; an owner without a value, or of infinite price, stays there."""
    order = np.argsort(owner, kind="stable")
    errors, owner, share = errors[:, order], owner[order], share[order]
    at_start = np.bincount(owner, share * np.abs(_blended(errors, start, owner)), len(start))
    moves = (at_start > 0) & np.isfinite(price)
    unit = np.where(moves, at_start, 1.0)
    price = np.where(moves, price, 0.0)[:, None]
    log_start = np.log(np.maximum(start, _LEAST))
    logits, best = log_start.copy(), start.copy()
    lowest = np.where(moves, 1.0, -np.inf)
    for number in range(_ITERATIONS):
        weights = _softmax(logits)
        blended = _blended(errors, weights, owner)
        loss = np.bincount(owner, share * np.abs(blended), len(start)) / unit
        loss += (price * weights * (np.log(np.maximum(weights, _LEAST)) - log_start)).sum(axis=1)
        better = moves & (loss < lowest)
        lowest, best = np.where(better, loss, lowest), np.where(better[:, None], weights, best)
        signed = share * np.sign(blended)
        slope = np.stack([np.bincount(owner, signed * error, len(start)) for error in errors], axis=1) / unit[:, None]
        rate = _RATE / np.sqrt(1 + number)
        # Implicit in the price, so that a high one is stable.
        logits = (logits - rate * slope + rate * price * log_start) / (1 + rate * price)
    return best


def _blended(errors: np.ndarray, weights: np.ndarray, owner: np.ndarray) -> np.ndarray:
    return np.einsum("sv,vs->v", errors, weights[owner])


def _softmax(logits: np.ndarray) -> np.ndarray:
    away = np.exp(logits - logits.max(axis=1, keepdims=True))
    return away / away.sum(axis=1, keepdims=True)
