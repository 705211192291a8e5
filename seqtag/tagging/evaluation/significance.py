"""Whether one system is better than another on the same sentences, or only lucky with them.

Both tests read counts of each sentence, such as `(correct, predicted, gold)` spans, and a measure of their sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Of sentences times samples, so many at a time are drawn: 80 MB.
BLOCK = 10_000_000
# Bounds of the interval, in percent.
INTERVAL = 2.5, 97.5

Measure = Callable[[np.ndarray], np.ndarray]


class Difference(NamedTuple):
    """How much better the second system is than the first one.

    Attributes:
        value: the difference of the measure, second less first.
        low, high: the 95% interval of the bootstrap.
        bootstrap: two-sided p-value of the paired bootstrap.
        randomisation: two-sided p-value of approximate randomisation.
    """

    value: float
    low: float
    high: float
    bootstrap: float
    randomisation: float


def f1(sums: np.ndarray) -> np.ndarray:
    """F1 of sums of `(correct, predicted, gold)` along the last axis; 0 where nothing is predicted or gold.

    >>> f1(np.array([[1, 2, 1], [0, 0, 0]])).round(4).tolist()
    [0.6667, 0.0]
    """
    correct, predicted, gold = np.moveaxis(sums, -1, 0)
    return 2 * correct / np.maximum(predicted + gold, 1e-9)


def accuracy(sums: np.ndarray) -> np.ndarray:
    """The share of sums of `(correct, all)` along the last axis."""
    correct, every = np.moveaxis(sums, -1, 0)
    return correct / np.maximum(every, 1e-9)


def compare_counts(first: np.ndarray, second: np.ndarray, measure: Measure, samples: int, seed: int) -> Difference:
    """Compares two systems, each of one or several fits with different seeds.

    The measure of a system is that of the counts of all its fits together. The paired bootstrap (Efron and Tibshirani
    1993, chapter 13; Berg-Kirkpatrick, Burkett and Klein 2012) draws sentences with replacement, and with several fits
    also fits of each system, since another seed may differ more than another system does (Reimers and Gurevych 2017).
    Its p-value is twice the share of samples on the other side of zero. Approximate randomisation (Noreen 1989;
    Yeh 2000) swaps the answers of the systems in each sentence with probability 1/2: its p-value is the share of
    differences that are then as great. The second asks about these fits alone.

    Args:
        first, second: `(fits, sentences, counts)`, of the same sentences.
        measure: of sums `(samples, counts)`.
        samples: of each test.
        seed: draws the same samples each time.

    Raises:
        ValueError: the systems have other numbers of sentences.
    """
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"expected the same sentences, found {first.shape[1]} and {second.shape[1]}")
    rng = np.random.default_rng(seed)
    value = _of_all(second, measure) - _of_all(first, measure)
    drawn = _bootstrap(first, second, measure, samples, rng)
    low, high = np.percentile(drawn, INTERVAL)
    beyond = min(np.sum(drawn <= 0), np.sum(drawn >= 0))
    swapped = _randomised(first.mean(0), second.mean(0), measure, samples, rng)
    # What was observed is one of the samples; rounding must not hide an equal one.
    as_great = np.sum(np.abs(swapped) >= abs(value) - 1e-12)
    return Difference(
        value,
        float(low),
        float(high),
        float(min(2 * (beyond + 1) / (samples + 1), 1.0)),
        float((as_great + 1) / (samples + 1)),
    )


def _of_all(counts: np.ndarray, measure: Measure) -> float:
    return float(measure(counts.sum((0, 1))))


def _blocks(samples: int, sentences: int) -> list[int]:
    """How many samples are drawn at a time."""
    size = max(BLOCK // max(sentences, 1), 1)
    return [min(size, samples - start) for start in range(0, samples, size)]


def _bootstrap(
    first: np.ndarray, second: np.ndarray, measure: Measure, samples: int, rng: np.random.Generator
) -> np.ndarray:
    sentences = first.shape[1]
    share = np.full(sentences, 1 / max(sentences, 1))
    found = []
    for size in _blocks(samples, sentences):
        times = rng.multinomial(sentences, share, size=size).astype(float)
        of_systems = []
        for counts in (first, second):
            sums = np.stack([times @ fit for fit in counts], axis=1)
            chosen = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=size)
            of_systems.append(measure(np.einsum("sf,sfc->sc", chosen, sums)))
        found.append(of_systems[1] - of_systems[0])
    return np.concatenate(found)


def _randomised(
    first: np.ndarray, second: np.ndarray, measure: Measure, samples: int, rng: np.random.Generator
) -> np.ndarray:
    gain, whole = second - first, first.sum(0) + second.sum(0)
    found = []
    for size in _blocks(samples, len(first)):
        swaps = rng.integers(0, 2, (size, len(first))).astype(float)
        of_second = second.sum(0) - swaps @ gain
        found.append(measure(of_second) - measure(whole - of_second))
    return np.concatenate(found)
