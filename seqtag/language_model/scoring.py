"""How likely each symbol of a corpus is, in bounded memory and in batches of like lengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqtag.data.text.vocabulary import BOUNDARY
from seqtag.language_model.data.corpus import Corpus
from seqtag.language_model.network.cached import CachedNetwork, CachedState

# A document longer than this is scored in pieces side by side, so many at most. Each piece first reads so many symbols
# of what comes before it, so that its state is that of the whole document but for what it has forgotten.
LONGEST, PIECES, WARM_UP = 20_000, 32, 1_000
# Rows of a batch, and symbols that are read at once in each row.
ROWS, STEPS = 32, 256


class Window(NamedTuple):
    """Symbols that a row reads, `start ... stop - 1`, of which those from `scored` on predict the next one."""

    start: int
    scored: int
    stop: int


def windows_of(corpus: Corpus, memory: int = 0) -> list[Window]:
    """The windows that score each target of a corpus once, by a model whose cache reaches so many symbols back.

    >>> corpus = Corpus(np.zeros(6, np.int32), np.array([0, 3]), np.array([2, 5]))
    >>> windows_of(corpus)
    [Window(start=0, scored=0, stop=2), Window(start=3, scored=3, stop=5)]
    """
    found = []
    for start, stop in zip(corpus.starts.tolist(), corpus.stops.tolist(), strict=True):
        size = stop - start if stop - start <= LONGEST else -(-(stop - start) // PIECES)
        for first in range(start, stop, max(size, 1)):
            found.append(Window(max(start, first - WARM_UP - memory), first, min(first + size, stop)))
    return found


class Scorer:
    """Scores corpora by a network and its cache, by one graph.

    Args:
        network: the network with its cache.
    """

    def __init__(self, network: CachedNetwork) -> None:
        self.network = network
        self._graph: Any = None

    def log_probabilities(self, corpus: Corpus) -> np.ndarray:
        """The log-probability of each target, float32 `(targets,)`, in the order of the row.

        The symbols of a document are scored from all of it before them; of one longer than 20,000 symbols, from 1,000
        or more, and from a full cache.
        """
        found = np.zeros(len(corpus.row), np.float32)
        for batch in _batches(windows_of(corpus, self.network.cache.size)):
            for places, values in self._scored(corpus.row, batch):
                found[places] = values
        return found[corpus.inputs]

    def _scored(self, row: np.ndarray, batch: list[Window]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Places of inputs in the row, and the log-probabilities of the symbols after them."""
        start, scored, stop = np.array(batch).T
        state = self.network.begin(len(batch))
        for offset in range(0, int((stop - start).max()), STEPS):
            width = min(STEPS, int((stop - start).max()) - offset)
            places = start[:, None] + offset + np.arange(width)
            real = places < stop[:, None]
            held = np.minimum(places, len(row) - 2)
            symbols = np.where(real, row[held], BOUNDARY)
            values, state = self._run(symbols, np.where(real, row[held + 1], BOUNDARY), state)
            wanted = real & (places >= scored[:, None])
            yield places[wanted], values.numpy()[wanted]

    def _run(self, symbols: np.ndarray, targets: np.ndarray, state: CachedState) -> Any:
        if self._graph is None:
            self._graph = tf.function(self.network.score, autograph=False, reduce_retracing=True)
            free = tf.TensorSpec([None, None], tf.int32)
            specs = keras.tree.map_structure(lambda value: tf.TensorSpec([None, *value.shape[1:]], value.dtype), state)
            self._graph = self._graph.get_concrete_function(free, free, specs)
        flat = keras.tree.flatten(state)
        return self._graph(tf.constant(symbols, tf.int32), tf.constant(targets, tf.int32), *flat)


def _batches(windows: list[Window]) -> Iterator[list[Window]]:
    """Windows of like lengths side by side."""
    ordered = sorted(windows, key=lambda window: window.stop - window.start)
    for first in range(0, len(ordered), ROWS):
        yield ordered[first : first + ROWS]
