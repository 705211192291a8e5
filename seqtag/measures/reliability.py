"""Whether the probabilities of answers say how often they are right.

>>> round(calibration_error(np.array([0.9, 0.9, 0.9, 0.9]), np.array([True, True, True, False])), 6)
0.15
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

BINS = 10


def calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error (Guo et al. 2017), with ten bins of the same width.

    It is the mean over answers of the distance between how often the answers of a bin are right, and the mean of
    their probabilities. Guo et al. take 15 bins; ten leave more answers in each, since a test file has but hundreds of
    entities. It is 0 for no answers.

    Args:
        probabilities: `(answers,)`.
        right: `(answers,)` bool.
    """
    return float(_by_bin(probabilities, right - probabilities).sum() / max(1, len(right)))


def error_by_chance(probabilities: np.ndarray) -> float:
    """The calibration error that is to be expected of as many answers even where the probabilities are true.

    How many answers of a bin are right varies by chance, about normally with the variance `sum p (1 - p)`; the mean
    distance of a normal variable from its mean is `sqrt(2 / pi)` of its standard deviation.
    """
    variances = _by_bin(probabilities, probabilities * (1 - probabilities))
    return float(np.sqrt(2 / np.pi * variances).sum() / max(1, len(probabilities)))


def _by_bin(probabilities: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The distance from 0 of the sum of the values of each bin's answers."""
    return np.abs(np.bincount(_bin_numbers(probabilities), weights=values, minlength=BINS))


def _bin_numbers(probabilities: np.ndarray) -> np.ndarray:
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)


class Bin(NamedTuple):
    """Answers of nearly the same probability: how many, their mean probability, and the share that is right."""

    answers: int
    probability: float
    right: float


def reliability_bins(probabilities: np.ndarray, right: np.ndarray) -> list[Bin]:
    """The bins that hold any answers, from the least probable one on.

    >>> reliability_bins(np.array([0.90625, 0.96875, 0.5]), np.array([True, False, True]))
    [Bin(answers=1, probability=0.5, right=1.0), Bin(answers=2, probability=0.9375, right=0.5)]
    """
    numbers = _bin_numbers(probabilities)
    counts, sums, rights = (
        np.bincount(numbers, weights, minlength=BINS) for weights in (None, probabilities, right.astype(float))
    )
    return [Bin(int(n), float(p / n), float(r / n)) for n, p, r in zip(counts, sums, rights, strict=True) if n]


class Answers(NamedTuple):
    """Answers of one kind with their probabilities; all are `(answers,)`.

    Attributes:
        right: bool, which are right.
        before: of a temperature of 1, the network's own.
        after: of the temperature of the model, as it gives them.
    """

    right: np.ndarray
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class Reliability:
    """The calibration of answers of one kind.

    Attributes:
        error: the expected calibration error of the probabilities that the model gives.
        error_before: that of the network's own, of temperature 1.
        by_chance: what is to be expected of true probabilities of as many answers.
        answers: how many there are.
    """

    error: float
    error_before: float
    by_chance: float
    answers: int

    @classmethod
    def of(cls, answers: Answers) -> Reliability:
        """The calibration of these answers."""
        error, before = (calibration_error(p, answers.right) for p in (answers.after, answers.before))
        return cls(error, before, error_by_chance(answers.after), len(answers.right))

    def to_metrics(self) -> dict[str, Any]:
        """The figures for ``metrics.json``."""
        return {
            "ece": self.error,
            "ece_before": self.error_before,
            "ece_by_chance": self.by_chance,
            "count": self.answers,
        }
