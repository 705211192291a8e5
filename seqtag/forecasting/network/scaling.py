"""Scaling inside the model: the history is scaled before the network reads it, and its forecast is scaled back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.forecasting.network.window_scale import WindowScale, filled, observed_steps
from seqtag.ops.recurrence import Tensor

# Below this share of the size of its values, a window's deviation is rounding error: the window is constant.
_CONSTANT = 1e-5


@keras.saving.register_keras_serializable(package="seqtag")
class WindowScaling(keras.layers.Layer):
    """Location m and scale s of windows, so that the network sees `z = (y - m) / s`.

    | kind | location | scale |
    | --- | --- | --- |
    | `none` | 0 | 1 |
    | `mean` | 0 | mean of abs(y) over the window's history (Salinas et al. 2020, section 3.3) |
    | `last` | its last value (Lin et al. 2023) | deviation of the series in training |
    | `standard` | mean of the series in training | its deviation |
    | `revin` | mean of the history | its deviation, both behind a learned affine map (Kim et al. 2022) |

    `standard` and `last` look up the moments of a series; for a series that training did not have, and without
    `moments`, they take the window's own mean and deviation. Missing values are left out. The scale of a constant
    window is the size of its values, or 1 where they are zero.

    Args:
        kind: one of the table's.
        moments: for `standard` and `last`, mean and deviation in training of each series.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        history: `(batch, lookback)`, NaN where missing.
        series: int `(batch,)`, from 1 on, 0 for a series that training did not have.

    Returns:
        A `WindowScale`, and no `ScaleFeatures`.
    """

    logarithmic = False
    feature_widths = (0, 0)

    def __init__(self, kind: str, moments: Sequence[Sequence[float]] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.moments = None if moments is None else np.asarray(moments, np.float32).reshape(-1, 2)

    def build(self, history_shape: tuple) -> None:
        """Makes the gain and shift of `revin`."""
        if self.kind == "revin":
            self.gain = self.add_weight(name="gain", shape=(), initializer="ones")
            self.shift = self.add_weight(name="shift", shape=(), initializer="zeros")
        self.built = True

    def call(self, history: Tensor, series: Tensor) -> tuple[WindowScale, None]:
        """Location and scale of windows."""
        observed = observed_steps(history)
        values = filled(history, observed)
        count = ops.maximum(ops.sum(ops.cast(observed, values.dtype), axis=1, keepdims=True), 1.0)
        zeros = ops.zeros_like(count)
        if self.kind == "none":
            return WindowScale(zeros, zeros + 1), None
        if self.kind == "mean":
            size = ops.sum(ops.abs(values), axis=1, keepdims=True) / count
            return WindowScale(zeros, _above_zero(size, zeros)), None
        mean = ops.sum(values, axis=1, keepdims=True) / count
        largest = ops.max(ops.abs(values), axis=1, keepdims=True)
        variance = ops.sum(ops.square(filled(history - mean, observed)), axis=1, keepdims=True) / count
        deviation = ops.sqrt(ops.maximum(variance, 1e-30))
        varies = variance > ops.square(_CONSTANT * largest)
        deviation = ops.where(varies, deviation, _above_zero(largest, zeros))
        if self.kind == "revin":
            # z = gain (y - mean) / deviation + shift, written as one affine map.
            # A gain below zero would reverse the order of the quantiles.
            gain = ops.maximum(self.gain, 1e-2)
            return WindowScale(mean - self.shift * deviation / gain, deviation / gain), None
        if self.moments is not None:
            table = ops.convert_to_tensor(np.concatenate([np.zeros((1, 2), np.float32), self.moments]))
            known = ops.take(table, series, axis=0)
            is_known = (series > 0)[:, None]
            mean = ops.where(is_known, known[:, :1], mean)
            deviation = ops.where(is_known, known[:, 1:], deviation)
        return WindowScale(_last(values, observed) if self.kind == "last" else mean, deviation), None

    def spread(self, scaled: Tensor, observed: Tensor) -> Tensor:
        """The deviation of a window's scaled values, `(batch, 1)`, 1 where they do not differ.

        The size of errors follows it: on ETTh1, intervals in its units keep their coverage in the year after the one
        that they were fitted on (.80; in units of the whole series it is .88).
        """
        count = ops.maximum(ops.sum(ops.cast(observed, scaled.dtype), axis=1, keepdims=True), 1.0)
        mean = ops.sum(filled(scaled, observed), axis=1, keepdims=True) / count
        variance = ops.sum(ops.square(filled(scaled - mean, observed)), axis=1, keepdims=True) / count
        return ops.where(variance > 1e-10, ops.sqrt(ops.maximum(variance, 1e-10)), ops.ones_like(variance))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        moments = None if self.moments is None else self.moments.tolist()
        return {**super().get_config(), "kind": self.kind, "moments": moments}


def _above_zero(size: Tensor, zeros: Tensor) -> Tensor:
    return ops.where(size > 0, size, zeros + 1)


def _last(values: Tensor, observed: Tensor) -> Tensor:
    """The last observed value of each row, `(batch, 1)`; zero where there is none."""
    steps = ops.arange(1, values.shape[1] + 1, dtype="int32")
    last = ops.max(ops.where(observed, steps, ops.zeros_like(steps)), axis=1, keepdims=True)
    return ops.sum(ops.where(steps == last, values, ops.zeros_like(values)), axis=1, keepdims=True)


def training_moments(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each series, float32 `(series, 2)`; NaN is left out.

    The deviation of a constant series is the size of its values, or 1 where they are zero.
    """
    moments = np.empty((len(offsets) - 1, 2), np.float32)
    for series, (start, end) in enumerate(pairwise(offsets)):
        seen = values[start:end][~np.isnan(values[start:end])].astype(np.float64)
        mean, deviation, largest = (seen.mean(), seen.std(), np.abs(seen).max()) if seen.size else (0.0, 0.0, 0.0)
        moments[series] = mean, deviation if deviation > _CONSTANT * largest else largest or 1.0
    return moments
