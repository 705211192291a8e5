"""The training windows of a forecaster as an endless stream of batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, islice

import numpy as np
import tensorflow as tf

from seqtag.forecasting.data.window_reader import WindowReader


class WindowBatches:
    """Windows in random order, pass after pass, each in another order; an epoch is a fixed number of batches.

    Args:
        reader: gathers them.
        series: the series of each window, `(windows,)`.
        batch_windows: how many make a batch.
        per_epoch: how many make an epoch, drawn without repetition until all have been seen; None for all.
        balanced: whether every series is drawn as often as every other, its windows at random; else a pass holds
            every window once, and long series count for more.
        seed: with the number of the pass, decides its order.
    """

    unit = "windows"

    def __init__(
        self,
        reader: WindowReader,
        series: np.ndarray,
        batch_windows: int,
        per_epoch: int | None,
        seed: int,
        balanced: bool = False,
    ) -> None:
        self.reader = reader
        self.windows = windows = len(series)
        self.batch_windows = min(batch_windows, windows)
        self.items = min(per_epoch or windows, windows)
        self.steps = -(-self.items // self.batch_windows)
        self.seed = seed
        counts = np.bincount(series)
        self.shares = 1 / (counts[series] * np.count_nonzero(counts)) if balanced else None

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
        rng = np.random.default_rng([self.seed, number])
        if self.shares is None:
            return rng.permutation(self.windows)
        return rng.choice(self.windows, self.windows, p=self.shares)
