"""Fits the linear anchor of a network: a ridge regression over the scaled windows of all series."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from seqtag.forecasting.data.batches import WindowReader
from seqtag.forecasting.data.windows import even_numbers
from seqtag.forecasting.network.network import ForecastNetwork

# Penalties that are tried, as shares of the mean square of a scaled value.
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
MAX_WINDOWS = 30_000
_BATCH = 1024
# One jump after a window that hardly moves must not outweigh all other windows.
_FARTHEST = 50.0


def fit_anchor(network: ForecastNetwork, fitted: WindowReader, scored: WindowReader) -> None:
    """Gives the network's anchor its weights.

    With the scaled windows Z `(windows, lookback + 1)`, 0 where missing and with a column of ones, and their scaled
    futures Y `(windows, horizon)`:

        W = (Z'Z / n + p d I)^-1 Z'Y / n

    where d is the mean square of a scaled value. The bias has no penalty. Of the penalties p that are tried, the one
    with the least mean absolute error on the scored windows is taken. A future value that is missing is taken as the
    map's own answer, from a first solution in which it is 0. Windows in which nothing varies are left out.

    Args:
        network: a built network with an anchor.
        fitted: reads the windows to fit on; 30,000 at even distances where there are more.
        scored: reads the windows that choose the penalty.
    """
    history, future, seen = _windows(network, fitted)
    if not len(history):
        return
    scored_history, scored_future, scored_seen = _windows(network, scored)
    solutions = _Solutions(history)
    best = (np.inf, solutions.of(future, PENALTIES[-1]))
    for penalty in PENALTIES:
        weights = solutions.of(future, penalty)
        if not seen.all():
            weights = solutions.of(np.where(seen, future, history @ weights), penalty)
        away = np.abs(scored_history @ weights - scored_future)[scored_seen]
        error = float(away.mean()) if away.size else np.inf
        if error < best[0]:
            best = (error, weights)
    network.anchor.set(best[1][:-1], best[1][-1])


class _Solutions:
    """Ridge regressions on the same windows."""

    def __init__(self, history: np.ndarray) -> None:
        self.history = history
        square = history.T.astype(np.float64) @ history / len(history)
        self.size = float(np.mean(np.diag(square)[:-1])) or 1.0
        self.square = square

    def of(self, future: np.ndarray, penalty: float) -> np.ndarray:
        """The weights `(lookback + 1, horizon)`; the last row is the bias."""
        diagonal = np.full(len(self.square), penalty * self.size)
        diagonal[-1] = 1e-9
        return np.linalg.solve(self.square + np.diag(diagonal), self.history.T @ future / len(self.history))


def _windows(network: ForecastNetwork, reader: WindowReader) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scaled histories with a column of ones, futures with 0 where missing, and where these are observed."""
    parts = list(_scaled_parts(network, reader))
    history, future, seen, varies = (np.concatenate(part) for part in zip(*parts, strict=True))
    history = np.concatenate([history, np.ones((len(history), 1))], axis=1)[varies]
    return history, np.clip(future, -_FARTHEST, _FARTHEST)[varies], seen[varies]


def _scaled_parts(network: ForecastNetwork, reader: WindowReader) -> Iterator[tuple[np.ndarray, ...]]:
    numbers = even_numbers(len(reader.windows), MAX_WINDOWS)
    for start in range(0, len(numbers), _BATCH):
        parts = network.scaled_windows(reader.batch(tf.constant(numbers[start : start + _BATCH])))
        yield tuple(part.numpy() for part in parts)
