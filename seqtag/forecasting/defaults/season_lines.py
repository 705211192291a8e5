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
    steps = rows.shape[1]
    bins = np.arange(steps // 2 + 1)
    free = _free_bins(steps, taken)
    lines, around, usable = _lines(cycles, free)
    if not len(lines):
        nothing = np.zeros(len(rows))
        return Evidence(nothing - HIGHEST_SCORE, nothing, nothing)
    power = np.abs(np.fft.rfft(rows)) ** 2
    of_changes = 4 * np.sin(np.pi * bins / steps) ** 2
    changes = power * of_changes
    compared = usable.sum(axis=1)
    level = np.where(usable, changes[:, around], 0.0).sum(axis=2) / compared
    # The highest bin of an even number of steps has one degree of freedom, the others have two.
    freedom = np.where(2 * bins == steps, 1.0, 2.0)
    ratio = _ratio(changes[:, lines[:LINES]], level[:, :LINES])
    score = _score(special.fdtrc(freedom[lines[:LINES]], 2 * compared[:LINES], ratio))
    above = ((changes[:, lines] - level) * (freedom[lines] / of_changes[lines])).sum(axis=1)
    # What is slower than half the season's rate is trend.
    total = (power * freedom * free)[:, cycles // 2 + 1 :].sum(axis=1)
    return Evidence(score, _ratio(above, total, 0.0), _ratio(above, (changes * freedom).sum(axis=1), 0.0))


def _lines(cycles: int, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bins of the lines, those around each, and which of these are there and free.

    Shapes are `(lines,)` and twice `(lines, bins around a line)`.
    """
    reach = min(cycles // 2, REACH)
    lines = np.arange(cycles, len(free), cycles)
    around = lines[:, None] + np.r_[-reach:0, 1 : reach + 1]
    there = around < len(free)
    around = np.where(there, around, 0)
    usable = there & free[around]
    kept = free[lines] & usable.any(axis=1)
    return lines[kept], around[kept], usable[kept]


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
    that is a straight line within float64's resolution gives zeros. Of a row above zero that doubles or halves, the
    logarithms are taken: its season is likely to grow with it.
    """
    rows = _in_ratios(rows)
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


def _in_ratios(rows: np.ndarray) -> np.ndarray:
    """The rows, with those above zero that double or halve from the first to the last third as logarithms."""
    third = max(1, rows.shape[1] // 3)
    first, last = np.median(rows[:, :third], axis=1), np.median(rows[:, -third:], axis=1)
    grows = (rows.min(axis=1) > 0) & ((last >= 2 * first) | (first >= 2 * last))
    return np.where(grows[:, None], np.log(np.where(grows[:, None], rows, 1.0)), rows)


def without_line(rows: np.ndarray) -> np.ndarray:
    """The rows less their straight lines of least squares."""
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
