"""What is fitted on dev after the parts of a classifier: how much each part counts, and from where on labels are given.

Networks that were trained by likelihood are mostly too sure of what they did not see (Guo et al. 2017); a temperature
divides their scores. Where n-grams score labels too, each part has a factor of its own: the weights of a sum of scores
that makes the labels of dev most probable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

# Stands for the probability 0, whose logarithm there is none of.
TINY = 1e-7
THRESHOLDS = np.linspace(0.05, 0.95, 19)


def probabilities_of(scores: np.ndarray, several: bool) -> np.ndarray:
    """Softmax over the labels, or a sigmoid of each, `(sequences, labels)` in float64.

    >>> probabilities_of(np.array([[0.0, 0.0]]), several=False).tolist()
    [[0.5, 0.5]]
    """
    scores = scores.astype(np.float64)
    if several:
        return 1 / (1 + np.exp(-np.clip(scores, -700, 700)))
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def log_loss(probabilities: np.ndarray, targets: np.ndarray, several: bool) -> float:
    """The mean of `-log p` of the right label; of several the mean over all labels of whether each is right.

    A sequence whose label is not known, a row of zeros, has the probability 0. There is 0 for no sequences.

    Args:
        probabilities, targets: `(sequences, labels)`.
        several: whether a sequence may have several labels.
    """
    if not len(targets):
        return 0.0
    right = (
        np.where(targets > 0, probabilities, 1 - probabilities) if several else (probabilities * targets).sum(axis=1)
    )
    return float(-np.log(np.maximum(right, TINY)).mean())


def fit_factors(parts: Sequence[np.ndarray], targets: np.ndarray, several: bool) -> np.ndarray:
    """The factors on the scores of the parts whose sum gives `targets` the least log loss.

    The logarithm of each factor has a normal prior around an equal share of the whole, worth as much as one sequence:
    where all of a small dev is right, ever larger factors would make it more probable.

    Args:
        parts: the scores of each part, `(sequences, labels)`.
        targets: the labels of dev.
        several: whether a sequence may have several labels.

    Scores that are too sure of three right answers and a wrong one:

    >>> factors = fit_factors([np.array([[9.0, 0.0]] * 4)], np.array([[1, 0]] * 3 + [[0, 1]]), several=False)
    >>> bool(0.1 < factors[0] < 0.3)
    True
    """
    stacked = np.stack(parts).astype(np.float64)
    start = np.full(len(parts), -np.log(len(parts)))

    def loss(logs: np.ndarray) -> float:
        found = probabilities_of(np.tensordot(np.exp(logs), stacked, 1), several)
        prior = np.sum((logs - start) ** 2) / 2 / max(1, len(targets))
        return log_loss(found, targets, several) + float(prior)

    found = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-7, "maxiter": 500})
    return np.exp(found.x)


def fit_threshold(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """The probability from which on labels are given, for the best mean F1 of the labels; the middle one of the best.

    >>> fit_threshold(np.array([[0.4], [0.3], [0.1]]), np.array([[1], [1], [0]]))
    0.2
    """
    scores = np.array([_mean_f1(probabilities >= threshold, targets > 0) for threshold in THRESHOLDS])
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return round(float(THRESHOLDS[best[(len(best) - 1) // 2]]), 2)


def _mean_f1(given: np.ndarray, gold: np.ndarray) -> float:
    right = (given & gold).sum(axis=0)
    total = given.sum(axis=0) + gold.sum(axis=0)
    return float(np.mean(2 * right / np.maximum(total, 1)))
