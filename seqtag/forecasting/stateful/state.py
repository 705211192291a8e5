"""The state of a stateful forecaster: all that its next forecast needs to know of a series, as one tensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from seqtag.forecasting.cold_start.pool import Seen
from seqtag.forecasting.network import carried
from seqtag.forecasting.network.ensemble import mean_output
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.network.running_scale import Running
from seqtag.forecasting.stateful.unit_moments import UnitMoments

if TYPE_CHECKING:
    from seqtag.forecasting.model import ForecastingModel

Batch = Mapping[str, tf.Tensor]
# The float arrays of a step, which may hold an infinity.
NUMBERS = ("history", "past", "known")


class _State(NamedTuple):
    """What is carried on from step to step.

    Attributes:
        seen: the values so far, in the series' own units.
        infinite: float64 `(batch, 1)`, 1 where an infinite value or covariate was read.
        members: the states of the networks.
    """

    seen: Running
    infinite: tf.Tensor
    members: tuple[carried.Carried, ...]


class StatefulForecast:
    """Reads steps of series into a state `(batch, width)`, float64, and forecasts from it.

    The state after any steps is the same however they were divided. Reading a step costs the same however many were
    read before, and a forecast costs the decoder alone.

    Args:
        model: a model of stateful networks.

    Attributes:
        width: of a state.
    """

    def __init__(self, model: ForecastingModel) -> None:
        self._model = model
        template = self._begun(1)
        self._template = template
        parts = tf.nest.flatten(template)
        self._widths = [int(part.shape[1]) for part in parts]
        self._dtypes = [part.dtype for part in parts]
        self.width = sum(self._widths)

    def begun(self, rows: Any) -> tf.Tensor:
        """The states of series before their first step."""
        return self._packed(self._begun(rows))

    def read(self, state: tf.Tensor, batch: Batch, there: tf.Tensor) -> tf.Tensor:
        """The states after more steps; see `network.carried.read`."""
        before, inside = self._unpacked(state), self._in_units(batch)
        infinite = [tf.math.is_inf(batch[name]) for name in NUMBERS if batch[name].shape[-1] != 0]
        any_of_row = [tf.reduce_any(part & _as_mask(there, part), axis=range(1, part.shape.rank)) for part in infinite]
        networks = zip(self._model.ensemble.members, before.members, strict=True)
        return self._packed(
            _State(
                seen=before.seen.after(batch["history"], there),
                infinite=tf.maximum(before.infinite, tf.cast(tf.reduce_any(any_of_row, axis=0)[:, None], tf.float64)),
                members=tuple(carried.read(network, member, inside, there) for network, member in networks),
            )
        )

    def forecast(self, state: tf.Tensor, batch: Batch) -> ForecastOutput:
        """The forecasts from states, before bounds; the batch has what is known of the horizon and of the series."""
        model, now = self._model, self._unpacked(state)
        networks = zip(model.ensemble.members, now.members, strict=True)
        output = mean_output([carried.forecast(network, member, batch) for network, member in networks])
        output = model.corrections.apply([output], batch, model.season_length)
        if model.units is not None:
            output = UnitMoments.of(model.units, model.encoder.ids, batch["series"]).original(output)
        if model.pool is None:
            return output
        return model.pool.apply(output, self.seen(state), batch["static_codes"], model.lookback)

    def seen(self, state: tf.Tensor) -> Seen:
        """How many values the series have had, the newest, and the steps since."""
        seen = self._unpacked(state).seen
        return Seen(tf.cast(seen.count[:, 0], tf.int32), seen.newest[:, 0], tf.cast(seen.elapsed[:, 0], tf.int32))

    def infinite(self, state: tf.Tensor) -> tf.Tensor:
        """Where an infinite value or covariate was read, bool `(batch,)`."""
        return self._unpacked(state).infinite[:, 0] > 0

    def _in_units(self, batch: Batch) -> Batch:
        model = self._model
        if model.units is None:
            return batch
        units = UnitMoments.of(model.units, model.encoder.ids, batch["series"])
        return {**batch, "history": units.standard(batch["history"])}

    def _begun(self, rows: Any) -> _State:
        members = tuple(carried.begun(network, rows) for network in self._model.ensemble.members)
        return _State(Running.none(rows), tf.zeros([rows, 1], tf.float64), members)

    def _packed(self, state: _State) -> tf.Tensor:
        return tf.concat([tf.cast(part, tf.float64) for part in tf.nest.flatten(state)], axis=1)

    def _unpacked(self, state: tf.Tensor) -> _State:
        parts = zip(tf.split(state, self._widths, axis=1), self._dtypes, strict=True)
        found: _State = tf.nest.pack_sequence_as(self._template, [tf.cast(part, dtype) for part, dtype in parts])
        return found


def _as_mask(there: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    return there if part.shape.rank == 2 else there[..., None]
