"""Batches of windows: read in the graph from arrays that are held once, and drawn in random order for training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice

import numpy as np
import tensorflow as tf

from seqtag.forecasting.data.encoding import EncodedSeries
from seqtag.forecasting.data.windows import Windows

Batch = dict[str, tf.Tensor]


class WindowReader:
    """Reads windows of encoded series as the inputs of a forecaster's network.

    Args:
        encoded: the arrays; they are not copied window by window.
        windows: all windows that a batch may have.
        with_target: whether batches hold the values of the future.
    """

    def __init__(self, encoded: EncodedSeries, windows: Windows, with_target: bool = True) -> None:
        self.windows = windows
        self.lookback, self.horizon = windows.lookback, windows.horizon
        self.with_target = with_target
        self._values = tf.constant(encoded.values)
        self._of_steps = {name: tf.constant(array) for name, array in encoded.steps().items()}
        of_series = {"static": encoded.static, "static_codes": encoded.static_codes, "series": encoded.series}
        self._of_series = {name: tf.constant(array) for name, array in of_series.items()}
        self._series = tf.constant(windows.series)
        self._ends = tf.constant(windows.ends)
        self._first = tf.constant(windows.first)
        self._last = tf.constant(encoded.ends[windows.series] - 1)

    def batch(self, chosen: tf.Tensor) -> Batch:
        """The windows of these numbers, with NaN and category 0 before a series starts and after it ends."""
        arrays = (self._series, self._ends, self._first, self._last)
        series, end, first, last = (tf.gather(array, chosen) for array in arrays)
        wanted = end[:, None] + tf.range(-self.lookback, self.horizon, dtype=tf.int64)
        steps = tf.clip_by_value(wanted, first[:, None], last[:, None])
        real = steps == wanted
        past, past_real = steps[:, : self.lookback], real[:, : self.lookback]
        batch = {name: tf.gather(array, series) for name, array in self._of_series.items()}
        batch["history"] = _read(self._values, past, past_real, np.nan)
        for name, array in self._of_steps.items():
            where = (past, past_real) if name.startswith("past") else (steps, real)
            batch[name] = _read(array, *where, padding=np.nan if name in ("past", "known") else 0)
        if self.with_target:
            batch["target"] = _read(self._values, steps[:, self.lookback :], real[:, self.lookback :], np.nan)
        return batch

    def dataset(self, plan: Callable[[], Iterable[np.ndarray]], size: int | None = None) -> tf.data.Dataset:
        """A dataset of batches; `plan()` gives the numbers of each batch's windows, and is called for every pass.

        Where all batches have one `size`, the graph of what reads them is built for it, which saves some time.
        """
        spec = tf.TensorSpec((size,), tf.int64)
        return tf.data.Dataset.from_generator(plan, output_signature=spec).map(self.batch).prefetch(2)


class StepReader:
    """Reads steps of encoded series for a network that carries its state on from step to step.

    Args:
        encoded: the arrays.
    """

    def __init__(self, encoded: EncodedSeries) -> None:
        self._values = tf.constant(encoded.values)
        self._of_steps = {name: tf.constant(array) for name, array in encoded.steps().items()}
        of_series = {"static": encoded.static, "static_codes": encoded.static_codes, "series": encoded.series}
        self._of_series = {name: tf.constant(array) for name, array in of_series.items()}
        self._last = encoded.ends - 1

    def steps(self, series: np.ndarray, first: np.ndarray, end: np.ndarray) -> Batch:
        """The flat steps from `first` up to `end` of these series, padded before the first of them to equal numbers.

        `there (batch, time)` is False at the padding.
        """
        wanted = end[:, None] + np.arange(-max(int((end - first).max(initial=0)), 1), 0)
        there = wanted >= first[:, None]
        steps = tf.constant(np.where(there, wanted, np.minimum(first, self._last[series])[:, None]))
        arrays = {"history": self._values, **self._of_steps}
        read = {name: tf.gather(array, steps) for name, array in arrays.items()}
        return {**read, "there": tf.constant(there), **self.series(series)}

    def future(self, series: np.ndarray, end: np.ndarray, horizon: int) -> Batch:
        """What is known of the steps after `end`, with NaN and category 0 after the end of a series."""
        wanted = end[:, None] + np.arange(horizon)
        steps = np.minimum(wanted, self._last[series][:, None])
        at, real = tf.constant(steps), tf.constant(steps == wanted)
        known = {name: array for name, array in self._of_steps.items() if not name.startswith("past")}
        read = {name: _read(array, at, real, np.nan if name == "known" else 0) for name, array in known.items()}
        return {**read, **self.series(series)}

    def series(self, series: np.ndarray) -> Batch:
        """The arrays of these series."""
        return {name: tf.gather(array, series) for name, array in self._of_series.items()}


class WindowBatches:
    """Training windows in random order, as an endless stream of batches; an epoch is a fixed number of them.

    Every pass over the windows has another order.

    Args:
        reader: reads the windows.
        series: the series of each window, `(windows,)`.
        batch_windows: the windows of a batch.
        per_epoch: the windows of an epoch; None for all. No window is drawn again before all others were drawn.
        seed: decides the order of a pass, together with the number of the pass.
        balanced: whether every series is drawn equally often, its windows at random. Otherwise a pass holds every
            window once, so that long series count for more.
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
        self.probabilities = 1 / (counts[series] * np.count_nonzero(counts)) if balanced else None

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream from batch number `first_step` on, as Keras's `fit` takes it."""
        return self.reader.dataset(lambda: self.after(first_step), self.batch_windows)

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The numbers of each batch's windows, without the first `steps` batches."""
        skipped = steps * self.batch_windows
        first_pass, inside = divmod(skipped, self.windows)
        numbers = islice(chain.from_iterable(map(self._pass, count(first_pass))), inside, None)
        while True:
            yield np.fromiter(islice(numbers, self.batch_windows), np.int64, self.batch_windows)

    def _pass(self, number: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, number])
        if self.probabilities is None:
            return rng.permutation(self.windows)
        return rng.choice(self.windows, self.windows, p=self.probabilities)


def _read(array: tf.Tensor, steps: tf.Tensor, real: tf.Tensor, padding: float) -> tf.Tensor:
    found = tf.gather(array, steps)
    real = tf.reshape(real, tf.concat([tf.shape(real), tf.ones(array.shape.rank - 1, tf.int32)], axis=0))
    return tf.where(real, found, tf.cast(padding, found.dtype))
