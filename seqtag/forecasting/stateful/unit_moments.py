"""The units of standardised series in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.forecasting.data.units import SeriesUnits
from seqtag.forecasting.network.network import ForecastOutput


class UnitMoments(NamedTuple):
    """Mean and deviation that standardise each row, float64 `(batch, 1)`; NaN for a series without units."""

    mean: tf.Tensor
    deviation: tf.Tensor

    @classmethod
    def of(cls, units: SeriesUnits, ids: Sequence[str], series: tf.Tensor) -> UnitMoments:
        """Those of the series of rows, `(batch,)`."""
        # Row 0 stands for series that were not there in training: see `EncodedSeries.series`.
        rows = np.vstack([[np.nan, np.nan], units.of(list(ids))])
        moments = tf.gather(tf.constant(rows, tf.float64), series)
        return cls(moments[:, 0:1], moments[:, 1:2])

    def standard(self, values: tf.Tensor) -> tf.Tensor:
        """Values `(batch, time)` of series as the networks read them."""
        return (values - self.mean) / self.deviation

    def original(self, output: ForecastOutput) -> ForecastOutput:
        """Forecasts in the series' own units."""
        return ForecastOutput(
            point=output.point * self.deviation + self.mean,
            quantiles=output.quantiles * self.deviation[..., None] + self.mean[..., None],
            spread=output.spread * self.deviation,
        )
