"""What held-out windows taught about a network's answers: shares beside seasonal naive, offsets of the quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.forecasting.calibration.blending import BlendWeights
from seqtag.forecasting.calibration.conformal import ConformalOffsets
from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.network.network import Answer
from seqtag.forecasting.network.seasonal_naive import seasonal_naive

# The share of a quantile's distance from the median that offsets leave it at least.
LEAST_DISTANCE = 0.25
KINDS: dict[str, Any] = {"blend": BlendWeights, "offsets": ConformalOffsets, "dependence": StepDependence}


@dataclass(frozen=True)
class Corrections:
    """Applied to answers in the graph, so that a served model is the one that was scored.

    Attributes:
        blend: the model's share beside seasonal naive; None leaves the model alone.
        offsets: of the quantiles, in units of the answer's spread; None corrects nothing.
        dependence: between the steps of a forecast, for sample paths.
    """

    blend: BlendWeights | None = None
    offsets: ConformalOffsets | None = None
    dependence: StepDependence | None = None

    def apply(self, answer: Answer, batch: Mapping[str, tf.Tensor], season: int) -> Answer:
        """Points and quantiles drawn toward seasonal naive, then the quantiles moved; the median stays the median.

        An offset that suits most windows may be wider than the whole distribution of a sure one. So that none
        collapses into a point, a quantile keeps a quarter of its distance from the median at least.
        """
        if self.blend is not None:
            answer = self._blended(answer, batch, season)
        if self.offsets is None:
            return answer
        levels = self.offsets.levels
        moved = answer.quantiles + tf.constant(self.offsets.offsets, tf.float32) * answer.spread[..., None]
        middle = levels.index(0.5)
        median = moved[..., middle : middle + 1]
        least = median + LEAST_DISTANCE * (answer.quantiles - answer.quantiles[..., middle : middle + 1])
        lower = tf.sort(tf.minimum(moved, least)[..., :middle], axis=-1)
        upper = tf.sort(tf.maximum(moved, least)[..., middle + 1 :], axis=-1)
        return answer._replace(quantiles=tf.concat([lower, median, upper], axis=-1))

    def _blended(self, answer: Answer, batch: Mapping[str, tf.Tensor], season: int) -> Answer:
        assert self.blend is not None
        naive = seasonal_naive(batch["history"], answer.point.shape[1], season)
        share = tf.gather(tf.constant(self.blend.weights, tf.float32), batch["series"])
        shift = (1 - share) * (naive - answer.point)
        return answer._replace(point=answer.point + shift, quantiles=answer.quantiles + shift[..., None])

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        parts = {kind: getattr(self, kind) for kind in KINDS}
        return {kind: None if part is None else part.to_dict() for kind, part in parts.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Corrections:
        """The corrections that `to_dict` described."""
        return cls(**{kind: None if data[kind] is None else part.from_dict(data[kind]) for kind, part in KINDS.items()})


def without_median(offsets: ConformalOffsets) -> ConformalOffsets:
    """The offsets with none at 0.5: the median is what was fitted, and a held-out bias seldom lasts."""
    moved = np.where(np.array(offsets.levels) == 0.5, 0.0, offsets.offsets)
    return ConformalOffsets(offsets.levels, moved)
