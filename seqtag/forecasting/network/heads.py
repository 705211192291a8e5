"""Heads: how the network's raw numbers of a horizon step become a distribution in the scaled space z.

A head holds no weights; its name and levels define it. `raw` is `(..., size)`, `target` `(...)` and finite, and
`scale` `(...)` the units of y that one unit of z stands for (it broadcasts). What a head gives is float32 whatever the
dtype policy, but for quantiles of counts, float64, so that large ones stay whole. Raw numbers near zero give a centre
near zero (counts: near one) and a spread of order one.

>>> head = head_named("quantiles", levels=(0.1, 0.5, 0.9))
>>> print(head.quantiles(tf.zeros((1, head.size)), levels=(0.1, 0.5, 0.9), scale=tf.ones(1)).numpy())
[[-1.2815516  0.         1.2815516]]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from scipy.special import ndtri

from seqtag.errors import did_you_mean
from seqtag.forecasting.levels import checked_levels
from seqtag.forecasting.network.distributions import (
    interpolated_quantiles,
    negative_binomial_loss,
    negative_binomial_quantiles,
    pinball_loss,
    student_t_loss,
    student_t_quantiles,
)

POINT_LOSSES = ("mse", "mae", "huber")


class Head(Protocol):
    """What every head offers.

    Attributes:
        name: its name, from which `head_named` makes it.
        size: how many raw numbers a step has.
        counts: whether z times the scale is a count; then values may be scaled but not shifted.
    """

    name: str
    size: int
    counts: bool

    def loss(self, raw: Any, target: Any, scale: Any) -> Any:
        """The loss of each target, float32 `(...)`."""

    def point(self, raw: Any, scale: Any) -> Any:
        """The point forecast in z, float32 `(...)`."""

    def quantiles(self, raw: Any, levels: Sequence[float], scale: Any) -> Any:
        """Quantiles in z at rising levels in (0, 1), `(..., levels)`, non-decreasing; float32, of counts float64."""


class QuantileHead:
    """Quantiles that cannot cross: the centre, and gaps above zero outward from it.

    The centre is level 0.5, else the middle one (the lower of two); q_c = raw_0 + n_c, and the gap between the levels
    i and i+1 is softplus(raw_{1+i}) / log 2 (n_{i+1} - n_i), where n are the standard normal's quantiles: raw zeros
    are the standard normal. The loss is `pinball_loss`, the point forecast the median. Quantiles at
    other levels are interpolated, see `interpolated_quantiles`.

    Args:
        levels: rising, in (0, 1).

    Raises:
        ValueError: levels that are not.
    """

    name = "quantiles"
    counts = False

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = checked_levels(levels)
        self.size = len(self.levels)
        self._centre = self.levels.index(0.5) if 0.5 in self.levels else (self.size - 1) // 2

    def loss(self, raw: Any, target: Any, scale: Any) -> Any:
        """Twice the pinball loss, mean over the head's levels."""
        return pinball_loss(self._own(raw), target, self.levels)

    def point(self, raw: Any, scale: Any) -> Any:
        """The median."""
        return self.quantiles(raw, (0.5,), scale)[..., 0]

    def quantiles(self, raw: Any, levels: Sequence[float], scale: Any) -> Any:
        """The head's quantiles; other levels are linear between and beyond them."""
        return interpolated_quantiles(self._own(raw), self.levels, checked_levels(levels))

    def _own(self, raw: Any) -> Any:
        raw = tf.cast(raw, tf.float32)
        normal = ndtri(self.levels).astype(np.float32)
        centre = raw[..., :1] + normal[self._centre]
        gaps = tf.nn.softplus(raw[..., 1:]) * (np.diff(normal) / math.log(2))
        below = centre - tf.cumsum(gaps[..., : self._centre], axis=-1, reverse=True)
        above = centre + tf.cumsum(gaps[..., self._centre :], axis=-1)
        return tf.concat([below, centre, above], axis=-1)


class StudentTHead:
    """Student's t in z: location raw_0, scale softplus(raw_1) + 1e-4, degrees of freedom 2 + softplus(raw_2).

    Above two degrees of freedom the variance is finite. The loss is the exact negative log-likelihood of z.
    """

    name = "student_t"
    size = 3
    counts = False
    _least_scale = 1e-4  # keeps the likelihood of a constant series bounded

    def loss(self, raw: Any, target: Any, scale: Any) -> Any:
        """The negative log-likelihood."""
        return student_t_loss(target, *self._parameters(raw))

    def point(self, raw: Any, scale: Any) -> Any:
        """The location: mean, median and mode."""
        return self._parameters(raw)[0]

    def quantiles(self, raw: Any, levels: Sequence[float], scale: Any) -> Any:
        """The inverse distribution function."""
        location, spread, df = self._parameters(raw)
        return location[..., None] + spread[..., None] * student_t_quantiles(df, checked_levels(levels))

    def _parameters(self, raw: Any) -> tuple[Any, Any, Any]:
        location, spread, df = tf.unstack(tf.cast(raw, tf.float32), num=self.size, axis=-1)
        return location, tf.nn.softplus(spread) + self._least_scale, 2 + tf.nn.softplus(df)


class NegativeBinomialHead:
    """The negative binomial of the counts y = z scale, whose variance is mean + dispersion mean^2.

    The mean is softplus(raw_0) + 1e-6 in z, so times the scale in y; the dispersion softplus(raw_1) + 1e-6 is the
    squared coefficient of variation beyond Poisson's and has no unit. The loss is the exact negative log-likelihood
    of y >= 0, the point forecast the mean, and quantiles are counts over the scale (Salinas et al. 2020, section 3).
    """

    name = "negative_binomial"
    size = 2
    counts = True
    _least = 1e-6  # keeps logarithms finite where softplus underflows

    def loss(self, raw: Any, target: Any, scale: Any) -> Any:
        """The negative log-likelihood of the counts."""
        mean, dispersion, scale = self._parameters(raw, scale)
        return negative_binomial_loss(tf.cast(target, tf.float64) * scale, mean * scale, dispersion)

    def point(self, raw: Any, scale: Any) -> Any:
        """The mean."""
        return tf.cast(self._parameters(raw, scale)[0], tf.float32)

    def quantiles(self, raw: Any, levels: Sequence[float], scale: Any) -> Any:
        """The smallest counts that reach the levels, divided by the scale."""
        mean, dispersion, scale = self._parameters(raw, scale)
        return negative_binomial_quantiles(mean * scale, dispersion, checked_levels(levels)) / scale[..., None]

    def _parameters(self, raw: Any, scale: Any) -> tuple[Any, Any, Any]:
        mean, dispersion = tf.unstack(tf.nn.softplus(tf.cast(raw, tf.float32)), num=self.size, axis=-1)
        return tf.cast(mean + self._least, tf.float64), dispersion + self._least, tf.cast(scale, tf.float64)


class PointHead:
    """One number a step: the mean (`mse`), the median (`mae`), or between them (`huber`, linear beyond an error of 1).

    It has no spread: every quantile is the point.

    Args:
        loss: `mse` e^2, `mae` |e|, `huber` e^2/2 up to |e| = 1 and |e| - 1/2 beyond, with e = target - point.

    Raises:
        ValueError: another loss.
    """

    size = 1
    counts = False

    def __init__(self, loss: str = "mse") -> None:
        if loss not in POINT_LOSSES:
            raise ValueError(f"expected loss 'mse', 'mae' or 'huber', found {loss!r}")
        self.name = f"point_{loss}"
        self._loss = loss

    def loss(self, raw: Any, target: Any, scale: Any) -> Any:
        """The loss of the error in z."""
        error = tf.cast(target, tf.float32) - self.point(raw, scale)
        if self._loss == "mse":
            return tf.square(error)
        size = tf.abs(error)
        square_part = tf.minimum(size, 1)
        return size if self._loss == "mae" else square_part * (size - square_part / 2)

    def point(self, raw: Any, scale: Any) -> Any:
        """The raw number."""
        return tf.cast(raw, tf.float32)[..., 0]

    def quantiles(self, raw: Any, levels: Sequence[float], scale: Any) -> Any:
        """The point at every level."""
        return tf.repeat(tf.cast(raw, tf.float32), len(checked_levels(levels)), axis=-1)


HEADS = ("quantiles", "student_t", "negative_binomial", *(f"point_{loss}" for loss in POINT_LOSSES))


def head_named(name: str, levels: Sequence[float] = ()) -> Head:
    """The head of a name.

    Args:
        name: `quantiles`, `student_t`, `negative_binomial`, or `point_mse`, `point_mae`, `point_huber`.
        levels: of the quantiles that the head `quantiles` learns; the other heads need none.

    Raises:
        ValueError: an unknown name; levels that do not rise within (0, 1); none for `quantiles`.
    """
    if name not in HEADS:
        raise ValueError(f"unknown head {name!r}{did_you_mean(name, HEADS, 'heads')}")
    if name == "quantiles":
        return QuantileHead(levels)
    if len(levels):
        checked_levels(levels)
    if name == "student_t":
        return StudentTHead()
    return NegativeBinomialHead() if name == "negative_binomial" else PointHead(name.removeprefix("point_"))
