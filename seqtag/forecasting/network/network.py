"""The network of a forecaster: scaling, features, encoder, decoder and head, from windows to distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from seqtag.forecasting.network.anchor import LinearAnchor
from seqtag.forecasting.network.decoders import DecoderInputs, DirectDecoder, ParallelDecoder, RecursiveDecoder
from seqtag.forecasting.network.encoder import HistoryEncoder
from seqtag.forecasting.network.features import StepFeatures
from seqtag.forecasting.network.heads import head_named
from seqtag.forecasting.network.running_scale import RunningScaling
from seqtag.forecasting.network.scaling import WindowScaling
from seqtag.forecasting.network.seasonal_scaling import SeasonalScaling
from seqtag.forecasting.network.smoothing import SmoothingScaling
from seqtag.forecasting.network.window_scale import WindowScale, filled, first_value, observed_steps
from seqtag.keras_internals import set_untracked
from seqtag.models.traced import Traced
from seqtag.ops.recurrence import Tensor

# How many of the last scaled values join the context, where smoothing has taken the season off them.
NEWEST = 6
# What the network's output keeps of a `WindowScale`.
PARTS_OF_SCALE = ("level", "location", "scale", "spread")


class ForecastOutput(NamedTuple):
    """The distributions of futures in units of the series, float64.

    Attributes:
        point: `(batch, horizon)`.
        quantiles: `(batch, horizon, levels)`, rising.
        spread: `(batch, horizon)`, how large the changes within the window are; the size of its errors follows it.
    """

    point: Tensor
    quantiles: Tensor
    spread: Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class ForecastNetwork(keras.Model):
    """Windows of series to distributions of their next steps.

    The values of a history are scaled in float64, each window by its own location and scale. A missing value becomes 0
    beside a mask and the time since the last one. An encoder reads them with covariates and calendar; a decoder gives
    raw numbers for every step of the horizon, and a head turns them into a distribution of scaled values. What
    exponential smoothing took off a window, and its newest values, join the context through a layer of their own before
    decoding. With an anchor, the network's centre is what it adds to a linear map of the scaled window.

    Args:
        lookback, horizon: steps of history and future.
        inputs: the description of the inputs, from `SeriesEncoder.inputs`.
        cell, units: of encoder and decoder.
        dilations: of each recurrent layer.
        residual, bidirectional: see `HistoryEncoder`.
        segment: steps that the encoder reads at once, and the decoder writes.
        stateful: whether `carried.read` may carry the state from window to window, so that a forecast follows from all
            steps of a series; windows are then scaled by `RunningScaling`.
        output: `"parallel"`, `"direct"` or `"recursive"`, see the decoders.
        scaling, centred, typical: see `WindowScaling`, for `"seasonal"` `SeasonalScaling`, for `"es_rnn"`
            `SmoothingScaling`.
        season_length: steps of the season that `"seasonal"` takes off.
        anchor: whether the centre starts from a `LinearAnchor`; not for `"recursive"`, nor for counts.
        head: `"quantiles"`, `"student_t"`, `"negative_binomial"`, `"point_mse"`, `"point_mae"` or `"point_huber"`.
        levels: of the quantiles.
        moments: mean and deviation of each series in training, for the scalings that look them up; see `WindowScaling`.
        smoothing: arguments of `SmoothingScaling`.
        series_width: width of the learned vector of each series; 0 for none.
        dropout, recurrent_dropout: see `HistoryEncoder`; the first acts on the decoder's output too.
        **kwargs: `name`, `dtype` and `trainable`, as in every model.

    Call arguments:
        batch: `history (batch, lookback)`, NaN where missing; `calendar`, `known`, `known_codes` `(batch, lookback +
            horizon, ...)`; `past`, `past_codes` `(batch, lookback, ...)`; `static`, `static_codes` `(batch, ...)`;
            `series (batch,)`; in training `target (batch, horizon)`, NaN where missing.

    Returns:
        The numbers `raw (batch, horizon, head.size)`, the `weight` of each window in the loss, and `level`, `location`,
        `scale` and `spread` of its `WindowScale`.
    """

    def __init__(
        self,
        *,
        lookback: int,
        horizon: int,
        inputs: Mapping[str, Any],
        cell: str = "gru",
        units: int = 64,
        dilations: Sequence[int] = (1,),
        residual: bool = False,
        bidirectional: bool = False,
        segment: int = 1,
        stateful: bool = False,
        output: str = "parallel",
        scaling: str = "revin",
        season_length: int = 1,
        anchor: bool = False,
        centred: bool = False,
        typical: float | None = None,
        head: str = "quantiles",
        levels: Sequence[float] = (0.1, 0.5, 0.9),
        moments: Sequence[Sequence[float]] | None = None,
        smoothing: Mapping[str, Any] | None = None,
        series_width: int = 0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        # A half dtype cannot hold values of a series, their location and scale: it is for encoder and decoder alone.
        super().__init__(autocast=False, **kwargs)
        self.config = {
            "lookback": lookback,
            "horizon": horizon,
            "inputs": inputs,
            "cell": cell,
            "units": units,
            "dilations": list(dilations),
            "residual": residual,
            "bidirectional": bidirectional,
            "segment": segment,
            "stateful": stateful,
            "output": output,
            "scaling": scaling,
            "season_length": season_length,
            "anchor": anchor,
            "centred": centred,
            "typical": typical,
            "head": head,
            "levels": list(levels),
            "moments": moments,
            "smoothing": smoothing,
            "series_width": series_width,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
        }
        self.lookback = lookback
        self.horizon = horizon
        self.segment = segment
        self.levels = tuple(levels)
        self.head = head_named(head, levels)
        self.scaling: Any
        options: dict[str, Any] = {"typical": typical, "dtype": "float32", "name": "scaling"}
        if scaling == "es_rnn":
            options |= {"horizon": horizon, "series": inputs["series"], **(smoothing or {})}
            self.scaling = SmoothingScaling(centred=centred, **options)
        elif stateful:
            self.scaling = RunningScaling(scaling, moments, lookback, centred=centred, **options)
        elif scaling == "seasonal":
            self.scaling = SeasonalScaling(season_length, horizon, **options)
        else:
            self.scaling = WindowScaling(scaling, moments, centred=centred, **options)
        self.features = StepFeatures(inputs, series_width, dtype="float32", name="features")
        self.encoder = HistoryEncoder(
            cell,
            units,
            dilations,
            segment,
            residual,
            bidirectional,
            dropout,
            recurrent_dropout,
            dtype=self.dtype_policy,
            name="encoder",
        )
        self.decoder = self._decoder(output, cell, units, dropout)
        self.anchor: Any = LinearAnchor(horizon, dtype="float32", name="anchor") if anchor else None
        # The loss after each epoch, all corrections and all forecasts ask for the same.
        set_untracked(self, "call_graph", Traced(lambda batch: self(batch, training=False)))
        set_untracked(self, "forecast_graph", Traced(self._forecast))
        self.bridge = None
        if self.scaling.feature_widths[0]:
            self.bridge = keras.layers.Dense(units, "tanh", dtype=self.dtype_policy, name="bridge")

    def _decoder(self, output: str, cell: str, units: int, dropout: float) -> Any:
        if output == "direct":
            return DirectDecoder(self.horizon, self.head.size, units, dropout, dtype=self.dtype_policy, name="decoder")
        options: dict[str, Any] = {"horizon": self.horizon, "size": self.head.size, "cell": cell, "units": units}
        options |= {"segment": self.segment, "dropout": dropout, "dtype": self.dtype_policy, "name": "decoder"}
        if output == "parallel":
            return ParallelDecoder(**options)
        return RecursiveDecoder(point=lambda raw: self.head.point(raw, 1.0), **options)

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.scaling.build((None, self.lookback))
        self.features.build()
        if self.anchor is not None:
            self.anchor.build((None, self.lookback))
        history, future, static = self.features.widths()
        series_features, step_features = self.scaling.feature_widths
        future, static = future + step_features, static + series_features
        self.encoder.build((None, self.lookback, history), (None, static))
        if self.bridge is not None:
            self.bridge.build((None, self.encoder.units + static + min(NEWEST, self.lookback)))
        self.decoder.build((None, self.encoder.units), (None, self.horizon, future), (None, static))
        self.built = True

    def call(self, batch: Mapping[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """Raw numbers of the horizon's steps, with location and scale of their windows."""
        window_scale, scale_features, scaled, observed = self._scaled(batch)
        steps, future, static = self.features(batch, scaled, observed)
        if scale_features is not None:
            static = ops.concatenate([static, scale_features.series], axis=-1)
            future = ops.concatenate([future, scale_features.steps], axis=-1)
        # Padding, and steps before a series' first value, are not read.
        real = ops.cumsum(ops.cast(observed, "int32"), axis=1) > 0
        steps = ops.where(real[..., None], steps, ops.zeros_like(steps))
        context = self.encoder(steps, static, real, training=training)
        if self.bridge is not None:
            context = self.bridge(ops.concatenate([context, static, scaled[:, -NEWEST:]], axis=-1))
        target, observed_target = self._target(batch, window_scale) if training and "target" in batch else (None, None)
        inputs = DecoderInputs(context, future, static, scaled[:, -self.segment :], target, observed_target)
        raw = ops.cast(self.decoder(inputs, training=training), "float32")
        if self.anchor is not None:
            # The first number of a step is its centre.
            raw = raw + ops.pad(self.anchor(scaled)[..., None], [[0, 0], [0, 0], [0, self.head.size - 1]])
        weight = ops.ones_like(raw[:, :1, 0]) if scale_features is None else scale_features.weight
        return {"raw": raw, "weight": weight, **{name: getattr(window_scale, name) for name in PARTS_OF_SCALE}}

    def _history(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The histories, float64, NaN where missing; a value without a logarithm is missing where one is taken."""
        history = ops.cast(batch["history"], "float64")
        return ops.where(history > 0, history, ops.full_like(history, np.nan)) if self.scaling.logarithmic else history

    def _scaled(self, batch: Mapping[str, Tensor]) -> tuple[WindowScale, Any, Tensor, Tensor]:
        """The scale of the windows, what the network reads of it, their scaled values, 0 where missing, and a mask."""
        history = self._history(batch)
        observed = observed_steps(history)
        window_scale, scale_features = self.scaling(history, batch["series"])
        # What stands for a missing value must have a logarithm.
        values = filled(history, observed, 1.0)
        if self.config["stateful"]:
            # What a state carries on was scaled when it was read.
            scaled = self.scaling.scaled(values, first_value(values, observed), batch["series"])
        else:
            scaled = window_scale.history(values)
        return window_scale, scale_features, filled(scaled, observed), observed

    def scaled_windows(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scaled histories and futures, 0 where missing, where futures are observed, and which windows vary."""
        window_scale, _, scaled, _ = self._scaled(batch)
        target, observed = self._target(batch, window_scale)
        return scaled, target, observed, window_scale.scale[:, 0] > 0

    def _target(self, batch: Mapping[str, Tensor], window_scale: WindowScale) -> tuple[Tensor, Tensor]:
        """The scaled true values, 0 where missing, and where they are observed."""
        observed = observed_steps(batch["target"])
        scaled = filled(window_scale.future(filled(batch["target"], observed, 1.0)), observed)
        farthest = self.scaling.farthest
        return scaled if farthest is None else ops.clip(scaled, -farthest, farthest), observed

    def _window_scale(self, output: Mapping[str, Tensor]) -> WindowScale:
        level, location, scale, spread = (output[name] for name in PARTS_OF_SCALE)
        return WindowScale(level, location, scale, spread, self.scaling.logarithmic)

    def counted(self, batch: Mapping[str, Tensor], output: Mapping[str, Tensor]) -> Tensor:
        """Which targets count in the loss, bool `(batch, horizon)`: those observed, in windows that vary."""
        return ops.logical_and(observed_steps(batch["target"]), output["scale"] > 0)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> tf.Tensor:
        """The head's mean loss over the values of the batch's targets that count, in the scaled space."""
        window_scale = self._window_scale(y_pred)
        target, _ = self._target(x, window_scale)
        losses = self.head.loss(y_pred["raw"], target, ops.broadcast_to(window_scale.unit(), ops.shape(target)))
        counted = self.counted(x, y_pred)
        count = ops.maximum(ops.sum(ops.cast(counted, losses.dtype)), 1.0)
        loss = ops.sum(filled(losses * y_pred["weight"], counted)) / count
        return loss + ops.sum(self.losses) if self.losses else loss

    def forecast(self, batch: Mapping[str, Tensor]) -> ForecastOutput:
        """The distributions of a batch's futures, in units of the series; NaN where logarithms leave no value."""
        return self._forecast(batch, self(batch, training=False))

    def traced_call(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What `call` gives without training, by a graph that is traced once for batches of any size."""
        inputs = {name: part for name, part in batch.items() if name != "target"}
        found: dict[str, Tensor] = self.call_graph(inputs)
        return found

    def traced_forecast(self, batch: Mapping[str, Tensor]) -> ForecastOutput:
        """What `forecast` gives, by the graph of `traced_call`."""
        return ForecastOutput(*self.forecast_graph({"history": batch["history"]}, self.traced_call(batch)))

    def _forecast(self, batch: Mapping[str, Tensor], output: Mapping[str, Tensor]) -> ForecastOutput:
        found = self.distribution(output)
        if not self.scaling.logarithmic:
            return found
        seen = ops.any(observed_steps(self._history(batch)), axis=1)
        return ForecastOutput(*(_where(seen, part) for part in found))

    def distribution(self, output: Mapping[str, Tensor]) -> ForecastOutput:
        """The distributions that raw numbers mean, in units of the series."""
        window_scale = self._window_scale(output)
        unit = ops.broadcast_to(window_scale.unit(), ops.shape(output["raw"])[:2])
        point = self.head.point(output["raw"], unit)
        quantiles = self.head.quantiles(output["raw"], self.levels, unit)
        return ForecastOutput(
            window_scale.original(point),
            window_scale.original(quantiles),
            window_scale.slope(point) * window_scale.spread,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), **self.config}


def _where(rows: Tensor, values: Tensor) -> Tensor:
    """The values of these rows, NaN in the others."""
    rows = ops.reshape(rows, (-1, *[1] * (values.ndim - 1)))
    return ops.where(rows, values, ops.full_like(values, np.nan))
