"""The corrections of forecasts that are fitted on held-out windows: blending with rules, offsets, dependence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.forecasting.calibration.conformal import ConformalOffsets
from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.calibration.guard import Guard
from seqtag.forecasting.network.ensemble import mean_output
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.models.traced import Traced

# The smallest share of its distance from the median that a quantile keeps.
LEAST_DISTANCE = 0.25
KINDS: dict[str, Any] = {"blend": Guard, "offsets": ConformalOffsets, "dependence": StepDependence}


@dataclass(frozen=True)
class Corrections:
    """Corrects forecasts in the graph, so that a served model is the one that was scored.

    Attributes:
        blend: of the networks with the rules; None for the mean of the networks alone.
        offsets: of the quantiles, in units of the forecast's spread; None for none.
        dependence: between the steps of a forecast, for sample paths.
    """

    blend: Guard | None = None
    offsets: ConformalOffsets | None = None
    dependence: StepDependence | None = None

    def apply(
        self, outputs: Sequence[ForecastOutput], batch: Mapping[str, tf.Tensor], season_length: int
    ) -> ForecastOutput:
        """Blends the networks' outputs with the rules, then adds the offsets."""
        blended = mean_output(outputs) if self.blend is None else self.blend.blended(outputs, batch, season_length)
        return self.with_offsets(blended)

    def with_offsets(self, output: ForecastOutput) -> ForecastOutput:
        """Adds the offsets to what is blended; the median stays the median.

        An offset that suits most windows may be wider than the whole distribution of a narrow one. A quantile keeps at
        least a quarter of its distance from the median, so that no distribution collapses into a point.
        """
        if self.offsets is None:
            return output
        levels = self.offsets.levels
        moved = output.quantiles + tf.constant(self.offsets.offsets, tf.float64) * output.spread[..., None]
        middle = levels.index(0.5)
        median = moved[..., middle : middle + 1]
        least = median + LEAST_DISTANCE * (output.quantiles - output.quantiles[..., middle : middle + 1])
        lower = tf.sort(tf.minimum(moved, least)[..., :middle], axis=-1)
        upper = tf.sort(tf.maximum(moved, least)[..., middle + 1 :], axis=-1)
        return output._replace(quantiles=tf.concat([lower, median, upper], axis=-1))

    def traced_apply(
        self, outputs: Sequence[ForecastOutput], batch: Mapping[str, tf.Tensor], season_length: int
    ) -> ForecastOutput:
        """What `apply` gives, by a graph that is traced once for batches of any size."""
        if season_length not in self._graphs:
            self._graphs[season_length] = Traced(lambda outputs, batch: self.apply(outputs, batch, season_length))
        read = {name: batch[name] for name in ("history", "series")}
        return ForecastOutput(*self._graphs[season_length](list(outputs), read))

    @cached_property
    def _graphs(self) -> dict[int, Traced]:
        return {}

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        parts = {kind: getattr(self, kind) for kind in KINDS}
        return {kind: None if part is None else part.to_dict() for kind, part in parts.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Corrections:
        """The corrections that `to_dict` described."""
        return cls(**{kind: None if data[kind] is None else part.from_dict(data[kind]) for kind, part in KINDS.items()})


def without_median(offsets: ConformalOffsets) -> ConformalOffsets:
    """The offsets with zero at 0.5: the median was fitted itself, and a bias on held-out windows seldom lasts."""
    moved = np.where(np.array(offsets.levels) == 0.5, 0.0, offsets.offsets)
    return ConformalOffsets(offsets.levels, moved)
