"""Batches of windows, gathered in the graph from arrays that are held once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from seqtag.forecasting.data.encoding import EncodedSeries
from seqtag.forecasting.data.windows import Windows

Batch = dict[str, tf.Tensor]


class WindowReader:
    """Reads windows of encoded series as the inputs of a forecaster's network.

    Args:
        encoded: the arrays, which are not copied window by window.
        windows: all windows that may be asked for.
        with_target: whether batches hold the values of the future.
    """

    def __init__(self, encoded: EncodedSeries, windows: Windows, with_target: bool = True) -> None:
        self.lookback, self.horizon = windows.lookback, windows.horizon
        self.with_target = with_target
        self._values = tf.constant(encoded.values)
        self._steps = {name: tf.constant(array) for name, array in encoded.steps().items()}
        each = {"static": encoded.static, "static_codes": encoded.static_codes, "series": encoded.series}
        self._each = {name: tf.constant(array) for name, array in each.items()}
        self._series = tf.constant(windows.series)
        self._ends = tf.constant(windows.ends)
        self._first = tf.constant(windows.first)
        self._last = tf.constant(encoded.ends[windows.series] - 1)

    def batch(self, chosen: tf.Tensor) -> Batch:
        """The windows of these numbers: NaN, and category 0, before a series starts and after it ends."""
        arrays = (self._series, self._ends, self._first, self._last)
        series, end, first, last = (tf.gather(array, chosen) for array in arrays)
        wanted = end[:, None] + tf.range(-self.lookback, self.horizon, dtype=tf.int64)
        steps = tf.clip_by_value(wanted, first[:, None], last[:, None])
        real = steps == wanted
        past, past_real = steps[:, : self.lookback], real[:, : self.lookback]
        batch = {name: tf.gather(array, series) for name, array in self._each.items()}
        batch["history"] = _read(self._values, past, past_real, np.nan)
        for name, array in self._steps.items():
            of = (past, past_real) if name.startswith("past") else (steps, real)
            batch[name] = _read(array, *of, padding=np.nan if name in ("past", "known") else 0)
        if self.with_target:
            batch["target"] = _read(self._values, steps[:, self.lookback :], real[:, self.lookback :], np.nan)
        return batch

    def dataset(self, plan: Callable[[], Iterable[np.ndarray]]) -> tf.data.Dataset:
        """A dataset of batches; `plan` is asked anew for the windows' numbers at the start of every pass."""
        spec = tf.TensorSpec((None,), tf.int64)
        return tf.data.Dataset.from_generator(plan, output_signature=spec).map(self.batch).prefetch(2)


def _read(array: tf.Tensor, steps: tf.Tensor, real: tf.Tensor, padding: float) -> tf.Tensor:
    found = tf.gather(array, steps)
    real = tf.reshape(real, tf.concat([tf.shape(real), tf.ones(array.shape.rank - 1, tf.int32)], axis=0))
    return tf.where(real, found, tf.cast(padding, found.dtype))
