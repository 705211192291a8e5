"""The scale of a window: between values y of the series and the scaled values z that the network reads and gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from keras import ops

from seqtag.ops.recurrence import Tensor

# The largest scaled value: sums of its products with weights are finite in float32.
LARGEST = 1e30
# A window in which all values are the same is a constant one from this many values on, or from a whole lookback.
_ENOUGH_VALUES = 8
_RESOLUTION = float(np.finfo(np.float64).eps)


class WindowScale(NamedTuple):
    """How a window's values are scaled: `z = (x - location) / scale`, with `x = y - level` or `x = log(y / level)`.

    All but z are float64: the level is taken off before anything is float32, so that a small movement on a large level
    is not lost. The level is a value of the window, from which float64 has the others' differences as they are.

    Attributes:
        level: `(batch, 1)`.
        location: `(batch, lookback + horizon)` or `(batch, 1)`, in units of x.
        scale: `(batch, 1)`, 0 where nothing varies: there z is 0, and every forecast is the location.
        spread: `(batch, 1)`, how large the changes within the window are in units of z.
        logarithmic: whether x is the logarithm, for series above zero.
    """

    level: Tensor
    location: Tensor
    scale: Tensor
    spread: Tensor
    logarithmic: bool = False

    def history(self, values: Tensor) -> Tensor:
        """The scaled values of histories `(batch, lookback)`, float32."""
        return self._scaled(values, self._part(slice(None, values.shape[1])))

    def future(self, values: Tensor) -> Tensor:
        """The scaled values of futures `(batch, horizon)`, float32."""
        return self._scaled(values, self._part(slice(-values.shape[1], None)))

    def original(self, scaled: Tensor) -> Tensor:
        """Scaled values of the future `(batch, horizon, ...)` in units of the series, float64."""
        ones = [1] * (scaled.ndim - 2)
        location = self._part(slice(-scaled.shape[1], None))
        location = ops.reshape(location, (-1, location.shape[1], *ones))
        scale, level = (ops.reshape(part, (-1, 1, *ones)) for part in (self.scale, self.level))
        values = ops.cast(scaled, "float64") * scale + location
        return level * ops.exp(values) if self.logarithmic else level + values

    def slope(self, scaled: Tensor) -> Tensor:
        """How much y changes with z at scaled values of the future `(batch, horizon)`."""
        slope = ops.broadcast_to(self.scale, ops.shape(scaled))
        return slope * self.original(scaled) if self.logarithmic else slope

    def unit(self) -> Tensor:
        """The scale, 1 where it is 0: for what divides by it."""
        return above_zero(self.scale)

    def _scaled(self, values: Tensor, location: Tensor) -> Tensor:
        values = ops.cast(values, "float64")
        x = ops.log(values / self.level) if self.logarithmic else values - self.level
        z = (x - location) / self.unit()
        z = ops.where(self.scale > 0, z, ops.zeros_like(z))
        return ops.cast(ops.clip(z, -LARGEST, LARGEST), "float32")

    def _part(self, steps: slice) -> Tensor:
        return self.location if self.location.shape[1] == 1 else self.location[:, steps]


class ScaleFeatures(NamedTuple):
    """What the network reads of a window's scale, beside the scaled values.

    Attributes:
        series: `(batch, features)`, of the window.
        steps: `(batch, horizon, features)`, of the steps to come.
        weight: `(batch, 1)`, how much the window's loss counts.
    """

    series: Tensor
    steps: Tensor
    weight: Tensor


def observed_steps(values: Tensor) -> Tensor:
    """Which steps have a value, bool."""
    return ops.logical_not(ops.isnan(values))


def filled(values: Tensor, observed: Tensor, other: float = 0.0) -> Tensor:
    """The values where they are observed, elsewhere a number that a mask keeps out of every sum."""
    return ops.where(observed, values, ops.full_like(values, other))


def since_seen(observed: Tensor) -> Tensor:
    """Steps since the last value, float32 `(batch, time)`: 0 where there is one, then 1, 2, ...

    Before a window's first value it counts from the start.
    """
    steps = ops.arange(1, observed.shape[1] + 1, dtype="float32")
    seen = ops.where(observed, steps, ops.zeros_like(steps))
    # The newest of the 2, 4, 8, ... steps up to each; Keras's scan builds ten times as many operations.
    reach = 1
    while reach < observed.shape[1]:
        seen = ops.maximum(seen, ops.pad(seen[:, :-reach], [[0, 0], [reach, 0]]))
        reach *= 2
    return steps - seen


def above_zero(size: Tensor) -> Tensor:
    """The sizes, 1 where they are 0."""
    return ops.where(size > 0, size, ops.ones_like(size))


def newest_value(values: Tensor, observed: Tensor) -> Tensor:
    """The last observed value of each row, `(batch, 1)`; zero where there is none."""
    steps = ops.arange(1, ops.shape(values)[1] + 1, dtype="int32")
    last = ops.max(ops.where(observed, steps, ops.zeros_like(steps)), axis=1, keepdims=True)
    newest = ops.where(ops.logical_and(steps == last, observed), values, ops.zeros_like(values))
    return ops.sum(newest, axis=1, keepdims=True)


def first_value(values: Tensor, observed: Tensor) -> Tensor:
    """The first observed value of each row, `(batch, 1)`; zero where there is none."""
    return newest_value(ops.flip(values, 1), ops.flip(observed, 1))


def mean_of(values: Tensor, observed: Tensor) -> Tensor:
    """The mean of the observed values of each row, `(batch, 1)`; 0 where there is none."""
    values = filled(values, observed)
    count = ops.sum(ops.cast(observed, values.dtype), axis=1, keepdims=True)
    return ops.sum(values, axis=1, keepdims=True) / ops.maximum(count, ops.ones_like(count))


def deviation_of(values: Tensor, observed: Tensor) -> Tensor:
    """The standard deviation of the observed values of each row, `(batch, 1)`.

    Squares are those of shares of the largest, so that they neither overflow nor vanish.
    """
    away = filled(values - mean_of(values, observed), observed)
    largest = ops.max(ops.abs(away), axis=1, keepdims=True)
    return largest * ops.sqrt(mean_of(ops.square(away / above_zero(largest)), observed))


def resolved(size: Tensor, values: Tensor, observed: Tensor) -> Tensor:
    """The size of a movement, 0 where float64 does not resolve it beside the values."""
    return resolved_beside(size, ops.max(ops.abs(filled(values, observed)), axis=1, keepdims=True))


def resolved_beside(size: Tensor, largest: Tensor) -> Tensor:
    """The size of a movement, 0 where float64 does not resolve it beside the largest absolute value."""
    return ops.where(size > _RESOLUTION * largest, size, ops.zeros_like(size))


def enough_values(observed: Tensor) -> Tensor:
    """Whether a row has so many values that equal ones are no accident, bool `(batch, 1)`."""
    count = ops.sum(ops.cast(observed, "int32"), axis=1, keepdims=True)
    return count >= enough_of(observed.shape[1])


def enough_of(lookback: int) -> int:
    """From how many values on equal ones are no accident: a whole short window is enough."""
    return min(_ENOUGH_VALUES, lookback)
