"""Lower and upper bounds of values that cannot lie beyond them, such as counts, shares or levels of a tank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from seqtag.forecasting.network.network import ForecastOutput


@dataclass(frozen=True)
class Bounds:
    """Moves what lies beyond a bound onto it, after all other corrections.

    A forecast Y becomes min(max(Y, lower), upper), so that each of its quantiles is the quantile without bounds, moved
    in the same way. Other levels and sample paths are read off the quantile function without bounds, and moved then.

    Attributes:
        lower: None for none.
        upper: None for none.

    Example:
        >>> Bounds(lower=0).moved(np.array([-1.0, 2.0, np.nan])).tolist()
        [0.0, 2.0, nan]
    """

    lower: float | None = None
    upper: float | None = None

    def moved(self, values: np.ndarray) -> np.ndarray:
        """The values, those beyond a bound moved onto it; NaN stays NaN."""
        return np.clip(values, -np.inf if self.lower is None else self.lower, self.upper)

    def apply(self, output: ForecastOutput) -> ForecastOutput:
        """The same of points and quantiles, in the graph."""
        return output._replace(point=self._moved(output.point), quantiles=self._moved(output.quantiles))

    def _moved(self, values: tf.Tensor) -> tf.Tensor:
        # Comparisons leave NaN alone, which `tf.maximum` need not.
        if self.lower is not None:
            values = tf.where(values < self.lower, tf.constant(self.lower, values.dtype), values)
        if self.upper is not None:
            values = tf.where(values > self.upper, tf.constant(self.upper, values.dtype), values)
        return values
