"""Reads series step by step into a state that the next forecast starts from: no step is read twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf
from keras import ops

from seqtag.forecasting.network.decoders import DecoderInputs
from seqtag.forecasting.network.network import PARTS_OF_SCALE, ForecastNetwork, ForecastOutput
from seqtag.forecasting.network.running_scale import Running
from seqtag.forecasting.network.window_scale import filled, observed_steps
from seqtag.ops.recurrence import Tensor


class Carried(NamedTuple):
    """The state of a network between steps.

    Attributes:
        seen: what has been seen of the values.
        last: float32 `(batch, 1)`, the scaled value of the newest step, 0 where it is missing.
        layers: for each recurrent layer its state, tensors `(batch, units)`.
    """

    seen: Running
    last: Tensor
    layers: tuple[tuple[Tensor, ...], ...]


def begun(network: ForecastNetwork, rows: Tensor) -> Carried:
    """The state before the first step."""
    layers = tuple(tuple(ops.zeros((rows, width)) for width in widths) for widths in network.encoder.state_widths())
    return Carried(Running.none(rows), ops.zeros((rows, 1)), layers)


def read(network: ForecastNetwork, state: Carried, batch: Mapping[str, Tensor], there: Tensor) -> Carried:
    """The state after more steps.

    Args:
        network: a stateful network.
        state: the state before them.
        batch: as the network takes it, but all arrays of steps are `(batch, time, ...)` of these steps alone.
        there: bool `(batch, time)`, False at padding before a row's first step.
    """
    values = ops.cast(batch["history"], "float64")
    observed = ops.logical_and(observed_steps(values), there)
    seen = state.seen.after(values, there)
    scaled = filled(network.scaling.scaled(filled(values, observed), seen.first, batch["series"]), observed)
    elapsed = _elapsed(state.seen.elapsed, observed, there)
    steps = network.features.history(batch, scaled, observed, elapsed, network.lookback)
    counts = state.seen.count + ops.cumsum(ops.cast(observed, "float64"), axis=1)
    real = ops.logical_and(counts > 0, there)
    steps = ops.where(real[..., None], steps, ops.zeros_like(steps))
    layers = network.encoder.advance(steps, network.features.series(batch), real, state.layers)
    last = ops.concatenate([state.last, scaled], axis=1)[:, -1:]
    return Carried(seen, last, layers)


def forecast(network: ForecastNetwork, state: Carried, batch: Mapping[str, Tensor]) -> ForecastOutput:
    """The distributions of the next steps; the arrays of known steps are those of the horizon alone."""
    static, future = network.features.series(batch), network.features.future(batch)
    inputs = DecoderInputs(state.layers[-1][0], future, static, state.last)
    raw = ops.cast(network.decoder(inputs, training=False), "float32")
    scale = network.scaling.scale_of(state.seen, batch["series"])
    return network.distribution({"raw": raw, **{name: getattr(scale, name) for name in PARTS_OF_SCALE}})


def _elapsed(before: Tensor, observed: Tensor, there: Tensor) -> Tensor:
    """Steps since the last value, float32 `(batch, time)`, from what they were before the first of these steps."""
    rows, time = tf.unstack(tf.shape(observed))
    place = tf.cumsum(tf.cast(there, tf.int32), axis=1)
    values = tf.cumsum(tf.cast(observed, tf.int32), axis=1)
    # All steps from the k-th value up to the next have k values so far; the first of them is that value.
    group = values + (time + 1) * tf.range(rows)[:, None]
    starts = tf.math.unsorted_segment_min(tf.reshape(place, [-1]), tf.reshape(group, [-1]), rows * (time + 1))
    since = place - tf.gather(starts, group)
    return tf.where(values > 0, tf.cast(since, tf.float32), tf.cast(before, tf.float32) + tf.cast(place, tf.float32))
