"""A small random step function whose probabilities depend on the whole history, in `keras.ops` and in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops


class RandomModel:
    """A recurrent network over symbols, of random weights: `log p(symbol | history)` is that of no short history.

    Its state is a dictionary, with the attention that three positions of a source have had so far in it.
    """

    SOURCE = 3

    def __init__(self, seed: int, rows: int = 2, vocabulary: int = 4, units: int = 5):
        random = np.random.default_rng(seed)
        self.rows, self.vocabulary = rows, vocabulary
        self.first = random.normal(size=(rows, units))
        self.embedding = random.normal(size=(vocabulary, units))
        self.recurrent = random.normal(size=(units, units))
        self.output = 1.5 * random.normal(size=(units, vocabulary))
        self.attention = 2 * random.normal(size=(units, self.SOURCE))

    def state(self):
        hidden = ops.convert_to_tensor(np.float32(self.first))
        return {"hidden": hidden, "rest": (ops.zeros((self.rows, self.SOURCE)),)}

    def step(self, symbols, state):
        embedded = ops.take(ops.convert_to_tensor(np.float32(self.embedding)), symbols, axis=0)
        hidden = ops.tanh(ops.matmul(state["hidden"], np.float32(self.recurrent)) + embedded)
        attention = ops.softmax(ops.matmul(hidden, np.float32(self.attention)))
        log_probabilities = ops.log_softmax(ops.matmul(hidden, np.float32(self.output)))
        return log_probabilities, {"hidden": hidden, "rest": (state["rest"][0] + attention,)}

    def walk(self, row: int, symbols: list[int]):
        """Log-probabilities of what follows the symbols, and the attention until then, in NumPy."""
        hidden, covered = self.first[row], np.zeros(self.SOURCE)
        for symbol in symbols:
            hidden = np.tanh(hidden @ self.recurrent + self.embedding[symbol])
            weights = np.exp(hidden @ self.attention)
            covered = covered + weights / weights.sum()
        logits = hidden @ self.output
        return logits - np.log(np.exp(logits).sum()), covered


@pytest.fixture(scope="session")
def random_model() -> type[RandomModel]:
    return RandomModel
