"""Tests whether series have a season of a given length, beside white noise, red noise, trends and random walks.

A season of `m` whole cycles in `n` steps is a set of lines in the periodogram, at the bins `m, 2 m, 3 m, ...`. Noise,
trends and level shifts have power there too, but as much at the bins in between. So each line is compared with the
bins around it, by an F test (as Fisher's and Siegel's tests, with a background that is local); nothing needs to be
known about the noise, but that its spectrum is smooth. The periodogram is that of the changes from step to step: that
of a random walk is flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

# Lines that are tested, from the lowest: higher ones rarely add anything, and weaken the test of the others.
LINES = 12
# Bins on each side of a line that it is compared with, at most.
REACH = 12
# Deviations (by the median) from the trend beyond which a value is an outlier, and is cut.
OUTLIER = 5.0
# Scores beyond this say no more: one series must not outweigh the others.
HIGHEST_SCORE = 6.0


class Evidence(NamedTuple):
    """What some series say about a season.

    Attributes:
        score: `(series,)`, standard normal without a season, large with one.
        strength: `(series,)`, the season's share of the variance that is neither trend nor another season; about 0
            without a season.
        size: `(series,)`, the season's variance as a share of that of the changes from step to step, for comparisons
            between seasons.
    """

    score: np.ndarray
    strength: np.ndarray
    size: np.ndarray


def evidence(rows: np.ndarray, cycles: int, taken: Sequence[float] = ()) -> Evidence:
    """Compares the lines of a season with their surroundings.

    Args:
        rows: `(series, steps)`, without NaN and without trend: `cycles` whole cycles of the season.
        cycles: the number of cycles, at least 2.
        taken: the lengths of seasons, in steps, that are taken off the rows already. Lines of the season that are
            theirs too are not tested.
    """
    series, steps = rows.shape
    power = np.abs(np.fft.rfft(rows)) ** 2
    free = _free_bins(steps, taken)
    lines = np.arange(cycles, steps // 2 + 1, cycles)
    around = lines[:, None] + _offsets(cycles)
    usable = (around >= 1) & (around <= steps // 2)
    around = np.where(usable, around, 0)
    usable &= free[around]
    kept = free[lines] & usable.any(axis=1)
    lines, around, usable = lines[kept], around[kept], usable[kept]
    if not len(lines):
        nothing = np.zeros(series)
        return Evidence(nothing - HIGHEST_SCORE, nothing, nothing)
    changes = 4 * np.sin(np.pi * np.arange(steps // 2 + 1) / steps) ** 2
    whitened = power * changes
    bins = usable.sum(axis=1)
    level = np.where(usable, whitened[:, around], 0.0).sum(axis=2) / bins
    counts = np.where(2 * np.arange(steps // 2 + 1) == steps, 1.0, 2.0)
    total = (power * counts * free)[:, cycles // 2 + 1 :].sum(axis=1)
    above = ((whitened[:, lines] - level) * (counts / np.maximum(changes, 1e-300))[lines]).sum(axis=1)
    ratio = _ratio(whitened[:, lines[:LINES]], level[:, :LINES])
    score = _score(special.fdtrc(counts[lines[:LINES]], 2 * bins[:LINES], ratio))
    return Evidence(score, _ratio(above, total, 0.0), _ratio(above, (whitened * counts).sum(axis=1), 0.0))


def _offsets(cycles: int) -> np.ndarray:
    """The bins around a line, counted from it."""
    reach = min(cycles // 2, REACH)
    return np.r_[-reach:0, 1 : reach + 1]


def _free_bins(steps: int, taken: Sequence[float]) -> np.ndarray:
    """Which bins are not those of a season that is taken off, bool `(steps // 2 + 1,)`."""
    bins = np.arange(steps // 2 + 1)
    free = bins > 0
    for length in taken:
        cycles = steps / length
        nearest = np.maximum(np.round(bins / cycles), 1) * cycles
        free &= np.abs(bins - nearest) >= 0.5
    return free


def _ratio(above: np.ndarray, below: np.ndarray, without: float = 1.0) -> np.ndarray:
    """The ratio of two powers; `without` where both are zero."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.where(above > 0, 1e300, without))


def _score(p_values: np.ndarray) -> np.ndarray:
    """The lines' p-values `(series, lines)` as one normal score for each series.

    Fisher's sum serves seasons with many lines, the least p-value those with one; Cauchy's combination (Liu and Xie
    2020) takes the two together.
    """
    lines = p_values.shape[1]
    p_values = np.clip(p_values, 1e-30, 1.0)
    fisher = special.chdtrc(2 * lines, -2 * np.log(p_values).sum(axis=1))
    least = -np.expm1(lines * np.log1p(-np.minimum(p_values.min(axis=1), 1 - 1e-12)))
    both = np.clip(np.stack([fisher, least]), 1e-12, 1 - 1e-12)
    together = np.clip(0.5 - np.arctan(np.mean(1 / np.tan(np.pi * both), axis=0)) / np.pi, 1e-12, 1 - 1e-12)
    return np.clip(-special.ndtri(together), -HIGHEST_SCORE, HIGHEST_SCORE)


def without_trend(rows: np.ndarray) -> np.ndarray:
    """The rows `(series, steps)` less their trends, in units of their largest deviation, with outliers cut.

    The trend is a straight line through the medians of the first and the last third, which outliers hardly move. A row
    that is a straight line within float64's resolution gives zeros.
    """
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scaled = rows / np.where(largest > 0, largest, 1.0)
    scaled = scaled - np.median(scaled, axis=1, keepdims=True)
    third = max(1, rows.shape[1] // 3)
    first, last = (np.median(part, axis=1, keepdims=True) for part in (scaled[:, :third], scaled[:, -third:]))
    place = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    slope = (last - first) / max(1, rows.shape[1] - third)
    left = scaled - slope * place
    left -= np.median(left, axis=1, keepdims=True)
    away = np.abs(left)
    middle = np.median(away, axis=1, keepdims=True)
    bound = OUTLIER * 1.4826 * np.where(middle > 0, middle, away.mean(axis=1, keepdims=True))
    left = np.clip(left, -bound, bound)
    highest = np.abs(left).max(axis=1, keepdims=True)
    return np.where(highest > 16 * np.finfo(float).eps, left / np.where(highest > 0, highest, 1.0), 0.0)


def without_line(rows: np.ndarray) -> np.ndarray:
    """The rows less the straight lines of least squares."""
    place = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows - (rows @ place / max(1.0, float(place @ place)))[:, None] * place


def without_season(rows: np.ndarray, length: int) -> np.ndarray:
    """The rows less the mean of each step of a season."""
    steps = rows.shape[1]
    whole = -(-steps // length) * length
    padded = np.pad(rows, ((0, 0), (0, whole - steps))).reshape(len(rows), -1, length)
    count = np.bincount(np.arange(steps) % length, minlength=length)
    means = padded.sum(axis=1) / np.maximum(count, 1)
    return rows - np.tile(means, (1, whole // length))[:, :steps]
