"""Scaling inside the model: the history is scaled before the network reads it, and its forecast is scaled back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.forecasting.network.window_scale import (
    WindowScale,
    above_zero,
    deviation_of,
    enough_values,
    filled,
    mean_of,
    newest_value,
    observed_steps,
    resolved,
)
from seqtag.ops.recurrence import Tensor

# Scaled targets beyond it are cut off: one jump after a window that hardly moves must not outweigh all other windows.
FARTHEST = 1e4


@keras.saving.register_keras_serializable(package="seqtag")
class WindowScaling(keras.layers.Layer):
    """Location m and scale s of windows, so that the network sees `z = (y - m) / s`.

    | kind | location | scale |
    | --- | --- | --- |
    | `none` | mean of all series in training | 1 |
    | `mean` | mean of the history | mean of abs(y - m) over the history |
    | `mean`, of counts | 0 | mean of abs(y) over the history (Salinas et al. 2020, section 3.3), 1 where it is 0 |
    | `last` | its last value (Lin et al. 2023) | deviation of the series in training |
    | `standard` | mean of the series in training | its deviation |
    | `revin` | mean of the history | its deviation, both behind a learned affine map (Kim et al. 2022) |

    `standard` and `last` look up the moments of a series; for a series that training did not have or in which nothing
    varied, and without `moments`, they take the window's own mean and deviation. Missing values are left out.

    A number that is added to all values of all series is added to the forecast, and changes nothing else. Counts alone
    have a zero that means something. All is computed in float64: see `WindowScale`.

    The scale of a constant window is 0, so that its forecast is its value, without a width. Where it has too few values
    to be called constant, the scale is `typical`.

    Args:
        kind: one of the table's.
        moments: for `standard` and `last`, mean and deviation in training of each series; for `none`, a single row
            whose mean is that of all series.
        centred: whether `mean` has the mean of the history as its location. Without it, and for `none` without
            `moments`, values are measured from zero.
        typical: the deviation of most series in training; without it, the size of a window's values, or 1.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        history: `(batch, lookback)`, NaN where missing.
        series: int `(batch,)`, from 1 on, 0 for a series that training did not have.

    Returns:
        A `WindowScale`, and no `ScaleFeatures`.
    """

    logarithmic = False
    feature_widths = (0, 0)

    def __init__(
        self,
        kind: str,
        moments: Sequence[Sequence[float]] | None = None,
        centred: bool = False,
        typical: float | None = None,
        **kwargs: Any,
    ) -> None:
        # Keras would cast the values to the layer's float32.
        super().__init__(autocast=False, **kwargs)
        self.kind = kind
        self.moments = None if moments is None else np.asarray(moments, np.float64).reshape(-1, 2)
        self.centred = centred
        self.typical = typical

    @property
    def farthest(self) -> float | None:
        """Where scaled targets are cut off; None where z is no number of deviations."""
        return None if self.kind == "none" or self._from_zero else FARTHEST

    @property
    def _from_zero(self) -> bool:
        return self.moments is None if self.kind == "none" else self.kind == "mean" and not self.centred

    def build(self, history_shape: tuple) -> None:
        """Makes the gain and shift of `revin`."""
        if self.kind == "revin":
            self.gain = self.add_weight(name="gain", shape=(), initializer="ones")
            self.shift = self.add_weight(name="shift", shape=(), initializer="zeros")
        self.built = True

    def call(self, history: Tensor, series: Tensor) -> tuple[WindowScale, None]:
        """Location and scale of windows."""
        history = ops.cast(history, "float64")
        observed = observed_steps(history)
        newest = newest_value(history, observed)
        above = filled(history - newest, observed)
        own = resolved(deviation_of(above, observed), history, observed)
        if self._from_zero:
            level = location = ops.zeros_like(newest)
            sized = self.kind == "mean"
            scale = above_zero(mean_of(ops.abs(history), observed)) if sized else ops.ones_like(newest)
        else:
            few = ops.logical_not(enough_values(observed))
            deviation = ops.where(ops.logical_and(own == 0, few), self._typical(history, observed), own)
            level = newest
            location, scale = self._location_and_scale(above, observed, newest, deviation, series)
        spread = ops.where(own > 0, own / above_zero(scale), ops.ones_like(own))
        return WindowScale(level, location, scale, spread), None

    def _location_and_scale(
        self, above: Tensor, observed: Tensor, newest: Tensor, deviation: Tensor, series: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Both from what lies above the newest value; the scale is 0 where the deviation is."""
        mean, zeros, varies = mean_of(above, observed), ops.zeros_like(newest), deviation > 0
        if self.kind == "none" and self.moments is not None:
            return ops.where(varies, self.moments[0, 0] - newest, zeros), ops.cast(varies, "float64")
        if self.kind == "mean":
            size = mean_of(ops.abs(filled(above - mean, observed)), observed)
            return mean, ops.where(varies, ops.where(size > 0, size, deviation), zeros)
        if self.kind == "revin":
            # z = gain (y - mean) / deviation + shift, written as one affine map.
            # A gain below zero would reverse the order of the quantiles.
            gain = ops.cast(ops.maximum(self.gain, 1e-2), "float64")
            return mean - ops.cast(self.shift, "float64") * deviation / gain, deviation / gain
        mean, deviation = self._looked_up(newest, mean, deviation, series)
        return zeros if self.kind == "last" else mean, deviation

    def _typical(self, history: Tensor, observed: Tensor) -> Tensor:
        if self.typical is not None:
            return ops.full_like(history[:, :1], self.typical)
        return above_zero(ops.max(ops.abs(filled(history, observed)), axis=1, keepdims=True))

    def _looked_up(self, newest: Tensor, mean: Tensor, deviation: Tensor, series: Tensor) -> tuple[Tensor, Tensor]:
        """Mean, above the newest value, and deviation of the series in training; the window's own where unknown."""
        if self.moments is None:
            return mean, deviation
        known = ops.take(ops.convert_to_tensor(np.concatenate([np.zeros((1, 2)), self.moments])), series, axis=0)
        varied = known[:, 1:] > 0
        return ops.where(varied, known[:, :1] - newest, mean), ops.where(varied, known[:, 1:], deviation)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        moments = None if self.moments is None else self.moments.tolist()
        own = {"kind": self.kind, "moments": moments, "centred": self.centred, "typical": self.typical}
        return {**super().get_config(), **own}
