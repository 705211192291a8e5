"""The answers of an exported forecaster that reads a window: its state is the window."""

from __future__ import annotations

import tensorflow as tf

from seqtag.forecasting.cold_start.pool import Seen
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.serving.inputs import ForecastInputs, Raw, Tensors, only_where, rows_with_infinity
from seqtag.forecasting.serving.stream_state import STEP_PADDING, StreamState
from seqtag.models.traced import Traced

# The float inputs, which may hold an infinity.
NUMBERS = ("history", "past", "known", "static")


class WindowAnswers:
    """What the signatures of a model answer whose forecast follows from the last `lookback` steps.

    Args:
        model: the fitted model.
        inputs: its inputs.
    """

    def __init__(self, model: ForecastingModel, inputs: ForecastInputs) -> None:
        self._model = model
        self._inputs = inputs
        # Two signatures forecast, and share its graph.
        self._forecast_batch = Traced(model.forecast_batch)
        self._state = StreamState(model.lookback, inputs.widths())
        self.width = self._state.width

    def serve(self, **raw: tf.Tensor) -> Tensors:
        """Forecasts after histories."""
        return self._forecasts(self._window(raw, self._model.horizon))

    def initial(self, **raw: tf.Tensor) -> Tensors:
        """States after histories."""
        return {"state": self._state.pack(self._window(raw, 0))}

    def update(self, **raw: tf.Tensor) -> Tensors:
        """States after one more step."""
        shape = tf.shape(raw["y"])
        known = self._inputs.known(raw, "time", shape)
        step = {"history": raw["y"], **self._inputs.past(raw, shape), **known}
        return {"state": self._state.advance(raw["state"], step)}

    def forecast(self, **raw: tf.Tensor) -> Tensors:
        """Forecasts from states."""
        window = self._state.unpack(raw["state"])
        shape = tf.stack([tf.shape(raw["state"])[0], self._model.horizon])
        future = self._inputs.known(raw, "times", shape)
        return self._forecasts(window | {name: tf.concat([window[name], future[name]], axis=1) for name in future})

    def _window(self, raw: Raw, beyond: int) -> Tensors:
        """The batch of the last `lookback` steps of histories, and of `beyond` steps of what is known after them."""
        inputs, lookback = self._inputs, self._model.lookback
        rows, time = tf.unstack(tf.shape(raw["history"]))
        raw = inputs.checked(raw, beyond)
        newest = {name: raw[name][:, -lookback:] for name in ("history", *inputs.past_specs([None, None]))}
        newest |= {name: raw[name][:, -lookback - beyond :] for name in inputs.known_specs([None, None], "times")}
        time = tf.minimum(time, lookback)
        past = {"history": newest["history"], **inputs.past(newest, tf.stack([rows, time]))}
        known = inputs.known(newest, "times", tf.stack([rows, time + beyond]))
        return {
            **{name: _padded(array, lookback, STEP_PADDING[name]) for name, array in past.items()},
            **{name: _padded(array, lookback + beyond, STEP_PADDING[name]) for name, array in known.items()},
            **inputs.series(raw, rows),
        }

    def _forecasts(self, batch: Tensors) -> Tensors:
        model, count = self._model, Seen.of(batch["history"]).count
        pooled = model.pooled(count)
        usable = (pooled | (count > 0)) & ~rows_with_infinity(batch, NUMBERS)
        if model.logarithmic:
            usable &= pooled | ~tf.reduce_any(batch["history"] <= 0, axis=1)
        # Unusable rows are set to NaN before the network: a head may search as long as its widest row needs.
        output = self._forecast_batch(batch | {"history": only_where(usable, batch["history"])})
        return {"quantiles": only_where(usable, output.quantiles), "forecast": only_where(usable, output.point)}


def _padded(array: tf.Tensor, steps: int, padding: float) -> tf.Tensor:
    """Pads with steps at the front, up to `steps` of them."""
    missing = [[0, 0], [steps - tf.shape(array)[1], 0], *[[0, 0]] * (array.shape.rank - 2)]
    padded = tf.pad(array, missing, constant_values=tf.cast(padding, array.dtype))
    padded.set_shape([None, steps, *array.shape[2:]])
    return padded
