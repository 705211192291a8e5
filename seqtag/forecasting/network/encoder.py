"""The encoder of a forecaster: points or segments of the history through a recurrent stack to one context vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from seqtag.layers import Bidirectional
from seqtag.models.recurrent import recurrent_layer
from seqtag.ops.recurrence import Tensor
from seqtag.ops.scan import ScanOptions


class HistoryEncoder(keras.layers.Layer):
    """Reads the features of a history and gives the context that decoders start from.

    With `segment` w > 1, w steps become one vector `relu(W [x_{t-w+1}; ...; x_t] + b)`, so that the recurrence runs
    through lookback / w of them (SegRNN, Lin et al. 2023, section 3.2); the history is padded on the left to whole
    segments. A layer of dilation d runs d recurrences over every d-th step (Chang et al. 2017); from the second layer
    on a residual stack adds a layer's input to its output (as in Smyl 2020). A step before the series' first
    value is masked: the state does not change.

    Args:
        cell, units: of the recurrent layers.
        dilations: of each layer, from the first on.
        segment: steps of a segment; 1 reads points.
        residual: whether layers from the second on have a skip connection.
        bidirectional: whether layers run both ways, with a learned projection of both back to `units`; in the last
            layer it reads each direction's final state, at the newest step and at the oldest.
        dropout: share of a layer's outputs to drop before the next layer, the same for all steps of a window (Gal and
            Ghahramani 2016).
        recurrent_dropout: share of the hidden state to drop before the next step.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        features: `(batch, lookback, features)`.
        static: `(batch, static features)`, read with every step.
        real: bool `(batch, lookback)`, False before the series begins.

    Returns:
        The context `(batch, units)`.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        dilations: Sequence[int] = (1,),
        segment: int = 1,
        residual: bool = False,
        bidirectional: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.dilations = tuple(dilations)
        self.segment = segment
        policy = self.dtype_policy
        dense = keras.layers.Dense
        self.projection = dense(units, activation="relu", dtype=policy, name="segments") if segment > 1 else None
        top = len(self.dilations) - 1
        self.layers = [
            self._layer(
                cell,
                n,
                bidirectional,
                return_sequences=n < top,
                residual=residual and 0 < n < top,
                recurrent_dropout=recurrent_dropout,
            )
            for n in range(top + 1)
        ]
        self.top_residual = residual and top > 0
        between = range(1, len(self.dilations))
        self.between = [keras.layers.SpatialDropout1D(dropout, dtype=policy, name=f"dropout_{n}") for n in between]

    def _layer(self, cell: str, number: int, bidirectional: bool, **options: Any) -> Any:
        name = f"{cell}_{number}"
        layer = recurrent_layer(cell, self.units, dtype=self.dtype_policy, name=name, **options)
        if not bidirectional:
            return layer
        return Bidirectional(layer, merge_mode="learned", dtype=self.dtype_policy, name=f"both_{name}")

    def build(self, features_shape: tuple, static_shape: tuple) -> None:
        """Makes the weights for `(batch, lookback, features)` and `(batch, static features)`."""
        width = self.segment * features_shape[-1] + static_shape[-1]
        if self.projection is not None:
            self.projection.build((None, None, width))
            width = self.units
        for layer in self.layers:
            layer.build((None, None, width))
            width = self.units
        self.built = True

    def call(self, features: Tensor, static: Tensor, real: Tensor, training: bool = False) -> Tensor:
        """The context of each window."""
        steps, real = self._segments(features, real)
        count = steps.shape[1]
        repeated = ops.repeat(static[:, None], count, axis=1)
        steps = ops.concatenate([steps, repeated], axis=-1)
        if self.projection is not None:
            steps = self.projection(steps)
        for layer, dilation, dropout in zip(self.layers, self.dilations, self.between, strict=False):
            steps = dropout(_dilated(layer, steps, real, dilation, training), training=training)
        context = _newest(self.layers[-1], steps, real, self.dilations[-1], training)
        return context + steps[:, -1] if self.top_residual else context

    def state_widths(self) -> list[list[int]]:
        """For each layer how wide the tensors of its state are."""
        return [[self.units] * len(layer.cell.state_type._fields) for layer in self.layers]

    def advance(
        self, features: Tensor, static: Tensor, real: Tensor, states: Sequence[tuple[Tensor, ...]]
    ) -> tuple[tuple[Tensor, ...], ...]:
        """The state of each layer after more steps, of any number: for plain layers that run forwards over points.

        Args:
            features: of these steps, `(batch, time, features)`.
            static: `(batch, static features)`.
            real: bool `(batch, time)`; other steps change nothing.
            states: of each layer before them, tensors `(batch, units)`. The context is the first of the last layer.
        """
        repeated = ops.repeat(static[:, None], ops.shape(features)[1], axis=1)
        steps, found = ops.concatenate([features, repeated], axis=-1), []
        by_time = ScanOptions(mask=ops.transpose(real)[..., None])
        for layer, state in zip(self.layers, states, strict=True):
            steps, last = layer.cell.run(steps, layer.cell.state_type(*state), by_time)
            found.append(tuple(last))
        return tuple(found)

    def _segments(self, features: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Steps side by side, `(batch, segments, segment x features)`; a segment is real where one of its steps is."""
        if self.segment == 1:
            return features, real
        lookback, width = features.shape[1:]
        missing = -lookback % self.segment
        count = (lookback + missing) // self.segment
        features = ops.pad(features, [[0, 0], [missing, 0], [0, 0]])
        real = ops.pad(real, [[0, 0], [missing, 0]], constant_values=False)
        features = ops.reshape(features, (-1, count, self.segment * width))
        return features, ops.any(ops.reshape(real, (-1, count, self.segment)), axis=-1)


def _dilated(layer: Any, steps: Tensor, real: Tensor, dilation: int, training: bool) -> Tensor:
    """Runs a layer over every `dilation`-th step, one row for each phase, and puts its outputs back in order."""
    if dilation == 1:
        return layer(steps, mask=real, training=training)
    time = steps.shape[1]
    missing = -time % dilation
    count = (time + missing) // dilation
    by_phase = _phases(ops.pad(steps, [[0, 0], [missing, 0], [0, 0]]), count, dilation)
    mask = _phases(ops.pad(real, [[0, 0], [missing, 0]], constant_values=False)[..., None], count, dilation)[..., 0]
    outputs = layer(by_phase, mask=mask, training=training)
    width = outputs.shape[-1]
    outputs = ops.transpose(ops.reshape(outputs, (-1, dilation, count, width)), (0, 2, 1, 3))
    return ops.reshape(outputs, (-1, count * dilation, width))[:, missing:]


def _newest(layer: Any, steps: Tensor, real: Tensor, dilation: int, training: bool) -> Tensor:
    """A layer's final state over the last step and every `dilation`-th before it; backwards it ends at the first."""
    phase = slice((steps.shape[1] - 1) % dilation, None, dilation)
    return layer(steps[:, phase], mask=real[:, phase], training=training)


def _phases(steps: Tensor, count: int, dilation: int) -> Tensor:
    """`(batch, count x dilation, width)` to `(batch x dilation, count, width)`."""
    width = steps.shape[-1]
    apart = ops.transpose(ops.reshape(steps, (-1, count, dilation, width)), (0, 2, 1, 3))
    return ops.reshape(apart, (-1, count, width))
