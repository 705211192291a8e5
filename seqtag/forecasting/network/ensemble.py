"""Several networks, of different seeds or designs, as one model whose forecast is their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from seqtag.forecasting.network.network import ForecastNetwork, ForecastOutput
from seqtag.models.ensemble import Ensemble
from seqtag.ops.recurrence import Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class ForecastEnsemble(Ensemble):
    """The mean of the members' points, quantiles and spreads, in units of the series.

    Averaging quantiles of one level (Vincentization) keeps their order, and the shape of the distributions.

    Args:
        members: fitted networks of the same horizon and levels.
        **kwargs: `name`, `dtype` and `trainable`, as in every model.
    """

    members: list[ForecastNetwork]

    def __init__(self, members: Sequence[ForecastNetwork], **kwargs: Any) -> None:
        # Keras would cast the values of series to float32.
        super().__init__(members, autocast=False, **kwargs)

    def call(self, batch: Mapping[str, Tensor], training: bool = False) -> ForecastOutput:
        """The mean of the members' forecasts."""
        return mean_output(self.outputs(batch))

    def outputs(self, batch: Mapping[str, Tensor]) -> list[ForecastOutput]:
        """The forecasts of each member."""
        return [member.forecast(batch) for member in self.members]

    def traced_outputs(self, batch: Mapping[str, Tensor]) -> list[ForecastOutput]:
        """What `outputs` gives, each member by the graph that it has for all ensembles."""
        return [member.traced_forecast(batch) for member in self.members]


def mean_output(outputs: Sequence[ForecastOutput]) -> ForecastOutput:
    """The mean of forecasts, quantile by quantile."""
    return ForecastOutput(*(ops.mean(ops.stack(parts), axis=0) for parts in zip(*outputs, strict=True)))
