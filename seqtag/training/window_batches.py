"""The training windows of a forecaster as an endless stream of batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, islice

import numpy as np
import tensorflow as tf

from seqtag.data.time_series.batching import WindowReader


class WindowBatches:
    """Windows in random order, pass after pass, each in another order; an epoch is a fixed number of batches.

    Args:
        reader: gathers them.
        windows: how many there are.
        batch_windows: how many make a batch.
        per_epoch: how many make an epoch, drawn without repetition until all have been seen; None for all.
        seed: with the number of the pass, decides its order.
    """

    unit = "windows"

    def __init__(
        self, reader: WindowReader, windows: int, batch_windows: int, per_epoch: int | None, seed: int
    ) -> None:
        self.reader = reader
        self.windows = windows
        self.batch_windows = min(batch_windows, windows)
        self.items = min(per_epoch or windows, windows)
        self.steps = -(-self.items // self.batch_windows)
        self.seed = seed

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream without its first batches, as Keras's `fit` takes it."""
        return self.reader.dataset(lambda: self.after(first_step))

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The windows' numbers of each batch, without the first `steps` batches."""
        skipped = steps * self.batch_windows
        first_pass, inside = divmod(skipped, self.windows)
        numbers = islice(chain.from_iterable(map(self._pass, count(first_pass))), inside, None)
        while True:
            yield np.fromiter(islice(numbers, self.batch_windows), np.int64, self.batch_windows)

    def _pass(self, number: int) -> np.ndarray:
        return np.random.default_rng([self.seed, number]).permutation(self.windows)
