"""Exponential smoothing inside the network, its coefficients learned with it: the scaling of ES-RNN."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.forecasting.network.scaling import FARTHEST
from seqtag.forecasting.network.window_scale import (
    ScaleFeatures,
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
from seqtag.ops.recurrence import Tensor, iterate

_LARGEST_CHANGE = 0.7
_LEAST_CHANGE = 0.003
_LARGEST_FEATURE = 10.0
# Loops of up to this many steps are unrolled, which is faster; tracing them takes a second or two.
_UNROLLED = 160


@keras.saving.register_keras_serializable(package="seqtag")
class SmoothingScaling(keras.layers.Layer):
    """Takes level and season off by exponential smoothing; the network reads the rest (Smyl 2020, section 3.1).

    With x = log y (or, of series that are not above zero or move little beside their level, y over the mean of
    abs(y - mean) in the window), level l and the season s of m steps, over the observed steps of a window:

        d_t = x_t - s_t,    l_t = l_{t-1} + α (d_t - l_{t-1}),    s_{t+m} = s_t + γ (d_t - l_t)

    A missing value changes neither. The initial season is that of the window's classical decomposition (a centred
    moving average over m steps is taken off; the rest is averaged for each place in the season), the initial level the
    first value. α and γ are learned with the network. With `per_series` each series has learned numbers that are added
    to both, and to its initial season, as in Smyl's model. They are fitted on the futures of the series' other windows
    too, so that short series overfit: use it for long ones.

    The location is the last level plus each step's season, the scale v is the mean change from one deseasonalised
    value to the next: `z = (x - l_T - s) / v`. The network reads what that takes away as `ScaleFeatures`: v, the number
    of values, the season in units of v, and how clearly it stands out from the noise.

    Args:
        season_length: m; 1 for none.
        horizon: steps of the future.
        logarithmic: whether x is the logarithm, for series above zero.
        series: how many series training had.
        per_series: whether each series has coefficients of its own.
        centred: whether y is measured from the window's mean where x is not the logarithm, so that a level does not
            matter; without it y is divided by its mean size.
        typical: the deviation of most series in training, the unit of y where a window has too few values for its own.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        history: `(batch, lookback)`, NaN where missing.
        series: int `(batch,)`, from 1 on, 0 for a series that training did not have.

    Returns:
        A `WindowScale`, and `ScaleFeatures` for the network.
    """

    # Where scaled targets are cut off.
    farthest = FARTHEST

    def __init__(
        self,
        season_length: int,
        horizon: int,
        logarithmic: bool = True,
        series: int = 0,
        per_series: bool = False,
        centred: bool = False,
        typical: float | None = None,
        **kwargs: Any,
    ) -> None:
        # Keras would cast the values to the layer's float32.
        super().__init__(autocast=False, **kwargs)
        self.season_length = season_length
        self.horizon = horizon
        self.logarithmic = logarithmic
        self.series = series
        self.per_series = per_series
        self.centred = centred
        self.typical = typical

    @property
    def feature_widths(self) -> tuple[int, int]:
        """How many features a window and a step of its future have."""
        return (2, 0) if self.season_length == 1 else (3 + self.season_length, 1)

    def build(self, history_shape: tuple) -> None:
        """Makes the coefficients."""
        self.coefficients = self.add_weight(name="coefficients", shape=(2,), initializer=_initial_coefficients)
        if self.per_series:
            shape = (self.series + 1, 2 + (self.season_length if self.season_length > 1 else 0))
            self.adjustments = self.add_weight(name="adjustments", shape=shape, initializer="zeros")
        self.built = True

    def call(self, history: Tensor, series: Tensor) -> tuple[WindowScale, ScaleFeatures]:
        """Location and scale of windows, and their features for the network."""
        lookback = history.shape[1]
        # Padded to whole seasons, so that the future's first step has the first place in the season.
        history = ops.cast(history, "float64")
        history = ops.pad(history, [[0, 0], [-lookback % self.season_length, 0]], constant_values=float("nan"))
        observed = observed_steps(history)
        mask = ops.cast(observed, "float32")
        count = ops.sum(mask, axis=1, keepdims=True)
        base, size, varies, values = self._in_units(history, observed)
        start, strength = self._initial_season(values, mask)
        adjustments = ops.take(ops.convert_to_tensor(self.adjustments), series, axis=0) if self.per_series else None
        if adjustments is not None and self.season_length > 1:
            start = start + adjustments[:, 2:]
        level, season, seasons = self._smooth(values, mask, start, adjustments)
        constant = ops.logical_and(ops.logical_not(varies), enough_values(observed[:, -lookback:]))
        change = self._typical_change(values - seasons, mask, constant)
        ahead = ops.take(season, np.arange(self.horizon) % self.season_length, axis=1)
        location = ops.cast(level + ops.concatenate([seasons[:, -lookback:], ahead], axis=1), "float64") * size
        divisor = above_zero(change)
        in_units = ops.clip(season / divisor, -_LARGEST_FEATURE, _LARGEST_FEATURE)
        features = [ops.log(ops.maximum(change, _LEAST_CHANGE)) + 3.0, ops.log1p(count) / 2 - 2.0]
        steps = ops.clip(ahead / divisor, -_LARGEST_FEATURE, _LARGEST_FEATURE)[..., None]
        if self.season_length == 1:
            steps = steps[..., :0]
        else:
            features += [strength, in_units]
        # Between errors in units of x and errors in units of z, in which steady series would count most.
        weight = ops.where(change > 0, ops.sqrt(divisor / 0.05), ops.zeros_like(change))
        scale_features = ScaleFeatures(ops.concatenate(features, axis=1), steps, weight)
        scale = ops.cast(change, "float64") * size
        # The scale is the size of the window's changes already.
        return WindowScale(base, location, scale, ops.ones_like(scale), self.logarithmic), scale_features

    def _in_units(self, history: Tensor, observed: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The newest value, the unit of x, whether it varies, and float32 x less that of the newest value.

        Smoothing goes along with whatever is added to x.
        """
        newest = newest_value(history, observed)
        above = filled(history - newest, observed)
        own = resolved(deviation_of(above, observed), history, observed)
        if self.logarithmic:
            newest, size = above_zero(newest), ops.ones_like(newest)
            x = ops.log(filled(history / newest, observed, 1.0))
        else:
            size = self._size(history, above, own, observed)
            x = above / size
        return newest, size, own > 0, ops.cast(filled(x, ops.logical_and(observed, own > 0)), "float32")

    def _size(self, history: Tensor, above: Tensor, own: Tensor, observed: Tensor) -> Tensor:
        if not self.centred:
            return above_zero(mean_of(ops.abs(history), observed))
        away = filled(above - mean_of(above, observed), observed)
        typical = ops.full_like(own, self.typical or 1.0)
        return ops.where(own > 0, mean_of(ops.abs(away), observed), typical)

    def _initial_season(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The season that classical decomposition finds, `(batch, season)`, and its strength, `(batch, 1)`.

        The strength is the share of the season's variance that noise does not explain; noise is the variance of the
        places' means over the years.
        """
        m, zeros = self.season_length, ops.zeros_like(mask[:, :1])
        if m == 1:
            return zeros, zeros
        around = np.full(m + 1 - m % 2, 1 / m, np.float32)
        if m % 2 == 0:
            around[[0, -1]] /= 2

        def smoothed(x: Tensor) -> Tensor:
            return ops.conv(x[..., None], around[:, None, None], strides=1, padding="same")[..., 0]

        whole = mask * ops.cast(smoothed(mask) > 0.999, "float32")
        detrended = ops.clip((values - smoothed(values * mask)) * whole, -2.0, 2.0)
        years = ops.reshape(detrended, (-1, values.shape[1] // m, m))
        seen = ops.reshape(whole, (-1, values.shape[1] // m, m))
        counts = ops.sum(seen, axis=1)
        mean = ops.sum(years, axis=1) / ops.maximum(counts, 1.0)
        mean = mean - ops.mean(mean, axis=1, keepdims=True)
        left = ops.sum(ops.square((years - mean[:, None]) * seen), axis=(1, 2))[:, None]
        number = ops.sum(counts, axis=1, keepdims=True)
        per_place = ops.maximum(number / m, 1.0)
        noise = left / ops.maximum(number - m, 1.0) / per_place
        variance = ops.mean(ops.square(mean), axis=1, keepdims=True) + 1e-8
        strength = 1 - ops.minimum(noise / variance, 1.0)
        return mean, strength * ops.cast(number > 1.4 * m, "float32")

    def _smooth(
        self, values: Tensor, mask: Tensor, start: Tensor, adjustments: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The last level `(batch, 1)`, the season to come `(batch, season)`, and each step's season."""
        raw = ops.convert_to_tensor(self.coefficients)[None]
        shares = ops.sigmoid(raw if adjustments is None else raw + adjustments[:, :2])
        first = ops.cast(ops.cumsum(mask, axis=1) == 1.0, "float32") * mask
        alpha = mask * (shares[:, :1] * (1 - first) + first)
        gamma = mask * shares[:, 1:] * (1 - first) * float(self.season_length > 1)

        def step(before: tuple, t: Any) -> tuple:
            level, season, _ = before
            now = season[:, :1]
            rest = values[:, t, None] - now
            level = level + alpha[:, t, None] * (rest - level)
            after = now + gamma[:, t, None] * (rest - level)
            return level, ops.concatenate([season[:, 1:], after], axis=1), now

        zeros = ops.zeros_like(mask[:, :1])
        time = values.shape[1]
        unrolled = time <= _UNROLLED
        steps = np.arange(time) if unrolled else ops.arange(time)
        (level, season, _), (_, _, seasons) = iterate(step, (zeros, start, zeros), steps, unroll=unrolled)
        return level, season, ops.transpose(seasons[..., 0])

    def _typical_change(self, rest: Tensor, mask: Tensor, constant: Tensor) -> Tensor:
        """The mean change between neighbouring values, `(batch, 1)`, 0 in a constant window.

        Large single changes are cut off. A little is added, so that windows of steady values do not count most, and no
        more than there is, so that it does not hide small movements.
        """
        both = mask[:, 1:] * mask[:, :-1]
        change = ops.minimum(ops.abs(rest[:, 1:] - rest[:, :-1]), _LARGEST_CHANGE) * both
        pairs = ops.maximum(ops.sum(both, axis=1, keepdims=True), 1.0)
        mean = ops.sum(change, axis=1, keepdims=True) / pairs
        least = ops.full_like(mean, _LEAST_CHANGE)
        added = ops.where(mean > 0, ops.minimum(mean, least), least)
        return ops.where(constant, ops.zeros_like(mean), mean + added)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("season_length", "horizon", "logarithmic", "series", "per_series", "centred", "typical")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _initial_coefficients(shape: tuple, dtype: Any = None) -> Tensor:
    """α = .5 and γ = .12, behind the logistic function."""
    return ops.convert_to_tensor([0.0, -2.0], dtype=dtype)
