"""The scale of a window: between values y of the series and the scaled values z that the network reads and gives."""

from __future__ import annotations

from typing import NamedTuple

from keras import ops

from seqtag.ops.recurrence import Tensor


class WindowScale(NamedTuple):
    """How a window's values are scaled: `z = (g(y) - location) / scale`, with g the logarithm or the identity.

    Attributes:
        location: `(batch, lookback + horizon)` or `(batch, 1)`.
        scale: `(batch, 1)`, above zero.
        logarithmic: whether g is the logarithm, for series above zero.
    """

    location: Tensor
    scale: Tensor
    logarithmic: bool = False

    def history(self, values: Tensor) -> Tensor:
        """The scaled values of histories `(batch, lookback)`."""
        return self._scaled(values, self._part(slice(None, values.shape[1])))

    def future(self, values: Tensor) -> Tensor:
        """The scaled values of futures `(batch, horizon)`."""
        return self._scaled(values, self._part(slice(-values.shape[1], None)))

    def original(self, scaled: Tensor) -> Tensor:
        """Scaled values of the future `(batch, horizon, ...)` in units of the series."""
        shape = (-1, 1, *[1] * (scaled.ndim - 2))
        location = self._part(slice(-scaled.shape[1], None))
        location = ops.reshape(location, (-1, location.shape[1], *[1] * (scaled.ndim - 2)))
        values = scaled * ops.reshape(self.scale, shape) + location
        return ops.exp(values) if self.logarithmic else values

    def slope(self, scaled: Tensor) -> Tensor:
        """How much y changes with z at scaled values of the future `(batch, horizon)`."""
        slope = ops.broadcast_to(self.scale, ops.shape(scaled))
        return slope * self.original(scaled) if self.logarithmic else slope

    def _scaled(self, values: Tensor, location: Tensor) -> Tensor:
        return ((ops.log(values) if self.logarithmic else values) - location) / self.scale

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
    return steps - ops.associative_scan(ops.maximum, seen, axis=1)
