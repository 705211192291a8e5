"""Scaling by the last season: windows less what repeating it gives, in units of the change from season to season."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.forecasting.network.scaling import FARTHEST
from seqtag.forecasting.network.window_scale import (
    WindowScale,
    above_zero,
    enough_values,
    filled,
    mean_of,
    observed_steps,
    resolved,
)
from seqtag.forecasting.rules.naive import newest, seasonal_naive
from seqtag.ops.recurrence import Tensor

# With fewer pairs of seasons than these, changes from step to step have a say in the unit.
_ENOUGH_PAIRS = 8


@keras.saving.register_keras_serializable(package="seqtag")
class SeasonalScaling(keras.layers.Layer):
    """Measures a window from its last season, in units of its mean change from one season to the next.

    With m steps in a season, and b_t the newest value of the window at the place of step t in the season:

        z_t = (y_t - b_t) / u,    u = mean of abs(y_t - y_{t-m})

    A network whose answer is z = 0 repeats the last season (with m = 1 the last value), and u is the unit of MASE
    (Hyndman and Koehler 2006). A place without a value has the newest value of all. Missing values are left out. Where
    a window has n < 8 pairs of seasons, u is (n u + (8 - n) v) / 8 with the mean change v from step to step; the scale
    is `typical` where nothing varies in a window of few values, and 0 where nothing varies in one of many: its
    forecast repeats the season, without a width.

    Args:
        season_length: m.
        horizon: steps of the future.
        typical: the deviation of most series in training; without it, the size of a window's values, or 1.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        history: `(batch, lookback)`, NaN where missing.
        series: int `(batch,)`; not read.

    Returns:
        A `WindowScale`, and no `ScaleFeatures`.
    """

    logarithmic = False
    feature_widths = (0, 0)
    # Where scaled targets are cut off.
    farthest = FARTHEST

    def __init__(self, season_length: int, horizon: int, typical: float | None = None, **kwargs: Any) -> None:
        # Keras would cast the values to the layer's float32.
        super().__init__(autocast=False, **kwargs)
        self.season_length = season_length
        self.horizon = horizon
        self.typical = typical

    def call(self, history: Tensor, series: Tensor) -> tuple[WindowScale, None]:
        """Location and scale of windows."""
        history = ops.cast(history, "float64")
        level = newest(history)
        above = history - level
        profile = seasonal_naive(above, self.season_length, self.season_length)
        places = np.arange(-history.shape[1], self.horizon) % self.season_length
        scale = _unit(history, above, self.season_length, self.typical)
        return WindowScale(level, ops.take(profile, places, axis=1), scale, ops.ones_like(scale)), None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("season_length", "horizon", "typical")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def window_unit(history: Tensor, season_length: int, typical: float | None = None) -> Tensor:
    """The unit u of each window, float64 `(batch, 1)`, as `SeasonalScaling` says.

    Args:
        history: `(batch, lookback)`, NaN where missing.
        season_length: m.
        typical: the unit of a window of few values in which nothing varies.
    """
    history = ops.cast(history, "float64")
    return _unit(history, history - newest(history), season_length, typical)


def _unit(history: Tensor, above: Tensor, season_length: int, typical: float | None) -> Tensor:
    """`window_unit` of histories of which what lies above their newest value is known."""
    observed = observed_steps(history)
    unit, pairs = mean_change(above, season_length)
    if season_length > 1:
        share = ops.minimum(pairs / _ENOUGH_PAIRS, ops.ones_like(pairs))
        unit = share * unit + (1 - share) * mean_change(above, 1)[0]
    unit = resolved(unit, history, observed)
    if typical is None:
        other = above_zero(ops.max(ops.abs(filled(history, observed)), axis=1, keepdims=True))
    else:
        other = ops.full_like(unit, typical)
    return ops.where(ops.logical_or(unit > 0, enough_values(observed)), unit, other)


def mean_change(values: Tensor, lag: int) -> tuple[Tensor, Tensor]:
    """The mean of abs(y_t - y_{t-lag}) of each row and the number of such pairs, both `(batch, 1)`; 0 where none is.

    Args:
        values: `(batch, time)`, NaN where missing.
        lag: steps between two values.
    """
    change = ops.abs(values[:, lag:] - values[:, :-lag])
    both = observed_steps(change)
    return mean_of(change, both), ops.sum(ops.cast(both, values.dtype), axis=1, keepdims=True)
