"""Scaling of a network that carries its state: location and unit of a series hold from its first value on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from seqtag.forecasting.network.scaling import WindowScaling
from seqtag.forecasting.network.window_scale import (
    LARGEST,
    WindowScale,
    above_zero,
    enough_of,
    filled,
    first_value,
    mean_of,
    newest_value,
    observed_steps,
    resolved_beside,
)
from seqtag.ops.recurrence import Tensor


class Running(NamedTuple):
    """What has been seen of series so far, each float64 `(batch, 1)`; zeros before the first value.

    Attributes:
        count: how many values.
        first: the first value.
        newest: the last value.
        mean: of the values, less the first.
        squares: the sum of the squared distances from the mean.
        largest: the largest absolute value.
        elapsed: steps since the last value.
    """

    count: Tensor
    first: Tensor
    newest: Tensor
    mean: Tensor
    squares: Tensor
    largest: Tensor
    elapsed: Tensor

    @classmethod
    def none(cls, rows: Tensor) -> Running:
        """Of series of which nothing has been seen."""
        return cls(*(ops.zeros((rows, 1), "float64") for _ in cls._fields))

    def after(self, values: Tensor, there: Tensor) -> Running:
        """After more steps `(batch, time)`, NaN where missing; only those that are `there` are steps of the series.

        Mean and squares of both parts are joined as in Chan, Golub and LeVeque (1979): nothing is lost beside a level.
        """
        observed = ops.logical_and(observed_steps(values), there)
        count = _counted(observed)
        some, total = count > 0, self.count + count
        first = ops.where(self.count > 0, self.first, first_value(values, observed))
        above = filled(values - first, observed)
        mean = mean_of(above, observed)
        away, share = mean - self.mean, count / above_zero(total)
        squares = ops.sum(filled(ops.square(above - mean), observed), axis=1, keepdims=True)
        # The steps from the last value on, without that one.
        after = ops.flip(ops.cumsum(ops.flip(ops.cast(observed, "int32"), 1), axis=1), 1) == 0
        sizes = ops.abs(filled(values, observed))
        passed = _counted(ops.logical_and(after, there))
        return Running(
            count=total,
            first=first,
            newest=ops.where(some, newest_value(values, observed), self.newest),
            mean=self.mean + away * share,
            squares=self.squares + squares + ops.square(away) * self.count * share,
            largest=ops.max(ops.concatenate([self.largest, sizes], axis=1), axis=1, keepdims=True),
            elapsed=ops.where(some, passed, self.elapsed + passed),
        )

    def deviation(self) -> Tensor:
        """The standard deviation of the values so far, 0 where float64 does not resolve it beside them."""
        return resolved_beside(ops.sqrt(self.squares / above_zero(self.count)), self.largest)


@keras.saving.register_keras_serializable(package="seqtag")
class RunningScaling(WindowScaling):
    """Location and unit that no later value changes, so that what was read once need not be read again.

    | kind | location | unit |
    | --- | --- | --- |
    | `none` | mean of all series in training | 1 |
    | `standard` | mean of the series in training | its deviation |
    | `standard`, of another series | its first value | deviation of most series in training |

    A series whose values so far are all the same is forecast to stay as it is, without a width, where they are enough
    to say so; with `standard`, this holds for series that training did not have. The spread is that of all values so
    far. The arguments are those of `WindowScaling`; also `lookback`, from how many equal values on a series is constant
    if these are fewer than usual.
    """

    def __init__(
        self, kind: str, moments: Sequence[Sequence[float]] | None = None, lookback: int = 8, **kwargs: Any
    ) -> None:
        super().__init__(kind, moments, **kwargs)
        self.lookback = lookback

    def call(self, history: Tensor, series: Tensor) -> tuple[WindowScale, None]:
        """The scale of windows, of which all steps are read."""
        history = ops.cast(history, "float64")
        seen = Running.none(ops.shape(history)[0]).after(history, ops.ones_like(history, "bool"))
        return self.scale_of(seen, series), None

    def scale_of(self, seen: Running, series: Tensor) -> WindowScale:
        """The scale of forecasts after what has been seen."""
        own = seen.deviation()
        location, unit, known = self._fixed(seen.first, series)
        spread = ops.where(own > 0, own / above_zero(unit), ops.ones_like(own))
        if self._from_zero:
            return WindowScale(location, location, unit, spread)
        few = seen.count < enough_of(self.lookback)
        typical = 1.0 if self.typical is None else self.typical
        varies = ops.logical_or(known, ops.logical_or(own > 0, ops.logical_and(few, typical > 0)))
        zeros = ops.zeros_like(own)
        above = ops.where(varies, location - seen.newest, zeros)
        return WindowScale(seen.newest, above, ops.where(varies, unit, zeros), spread)

    def scaled(self, values: Tensor, first: Tensor, series: Tensor) -> Tensor:
        """The values as the network reads them, float32."""
        location, unit, _ = self._fixed(first, series)
        scaled = (ops.cast(values, "float64") - location) / above_zero(unit)
        return ops.cast(ops.clip(scaled, -LARGEST, LARGEST), "float32")

    def _fixed(self, first: Tensor, series: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Location, unit, and whether they hold even where nothing has varied yet."""
        ones, nowhere = ops.ones_like(first), ops.zeros_like(first, "bool")
        if self._from_zero:
            return 0 * ones, ones, nowhere
        if self.kind == "none":
            return (0.0 if self.moments is None else self.moments[0, 0]) * ones, ones, nowhere
        typical = (self.typical or 1.0) * ones
        if self.moments is None:
            return first, typical, nowhere
        moments = ops.convert_to_tensor(np.concatenate([np.zeros((1, 2)), self.moments]))
        found = ops.take(moments, series, axis=0)
        known = found[:, 1:] > 0
        return ops.where(known, found[:, :1], first), ops.where(known, found[:, 1:], typical), known

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {**super().get_config(), "lookback": self.lookback}


def _counted(flags: Tensor) -> Tensor:
    return ops.sum(ops.cast(flags, "float64"), axis=1, keepdims=True)
