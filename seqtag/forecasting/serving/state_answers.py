"""The answers of an exported forecaster that is stateful: no step is read twice."""

from __future__ import annotations

import tensorflow as tf

from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.serving.inputs import ForecastInputs, Raw, Tensors, only_where, rows_with_infinity
from seqtag.forecasting.serving.stream_state import SeriesPart
from seqtag.forecasting.stateful.state import StatefulForecast


class StateAnswers:
    """What the signatures of a stateful model answer.

    Args:
        model: the fitted model.
        inputs: its inputs.
    """

    def __init__(self, model: ForecastingModel, inputs: ForecastInputs) -> None:
        self._model = model
        self._inputs = inputs
        self._forecaster = StatefulForecast(model)
        self._series = SeriesPart(inputs.widths())
        self.width = self._forecaster.width + self._series.width

    def serve(self, **raw: tf.Tensor) -> Tensors:
        """Forecasts after histories."""
        steps, future, series = self._arrays(raw, self._model.horizon)
        return self._forecasts(self._after(steps, series), future, series)

    def initial(self, **raw: tf.Tensor) -> Tensors:
        """States after histories."""
        steps, _, series = self._arrays(raw, 0)
        return {"state": tf.concat([self._after(steps, series), self._series.pack(series)], axis=1)}

    def update(self, **raw: tf.Tensor) -> Tensors:
        """States after one more step."""
        state, series = self._apart(raw["state"])
        shape = tf.shape(raw["y"])
        known = self._inputs.known(raw, "time", shape)
        step = {"history": raw["y"], **self._inputs.past(raw, shape), **known}
        batch = {name: array[:, None] for name, array in step.items()} | series
        after = self._forecaster.read(state, batch, tf.ones([shape[0], 1], tf.bool))
        return {"state": tf.concat([after, raw["state"][:, self._forecaster.width :]], axis=1)}

    def forecast(self, **raw: tf.Tensor) -> Tensors:
        """Forecasts from states."""
        state, series = self._apart(raw["state"])
        shape = tf.stack([tf.shape(raw["state"])[0], self._model.horizon])
        return self._forecasts(state, self._inputs.known(raw, "times", shape), series)

    def _arrays(self, raw: Raw, beyond: int) -> tuple[Tensors, Tensors, Tensors]:
        """The arrays of the history, of what is known of the steps after it, and of the series."""
        rows, time = tf.unstack(tf.shape(raw["history"]))
        raw = self._inputs.checked(raw, beyond)
        known = self._inputs.known(raw, "times", tf.stack([rows, time + beyond]))
        steps = {"history": raw["history"], **self._inputs.past(raw, tf.stack([rows, time]))}
        steps |= {name: array[:, :time] for name, array in known.items()}
        return steps, {name: array[:, time:] for name, array in known.items()}, self._inputs.series(raw, rows)

    def _after(self, steps: Tensors, series: Tensors) -> tf.Tensor:
        rows, time = tf.unstack(tf.shape(steps["history"]))
        # A step that is not there stands before the first: a history may have none.
        batch = {name: tf.concat([_nothing(array), array], axis=1) for name, array in steps.items()}
        there = tf.concat([tf.zeros([rows, 1], tf.bool), tf.ones([rows, time], tf.bool)], axis=1)
        return self._forecaster.read(self._forecaster.begun(rows), batch | series, there)

    def _apart(self, state: tf.Tensor) -> tuple[tf.Tensor, Tensors]:
        return state[:, : self._forecaster.width], self._series.unpack(state[:, self._forecaster.width :])

    def _forecasts(self, state: tf.Tensor, future: Tensors, series: Tensors) -> Tensors:
        count, batch = self._forecaster.seen(state).count, future | series
        usable = self._model.pooled(count) | (count > 0)
        usable &= ~self._forecaster.infinite(state) & ~rows_with_infinity(batch, ("known", "static"))
        output = self._model.bounds.apply(self._forecaster.forecast(state, batch))
        return {"quantiles": only_where(usable, output.quantiles), "forecast": only_where(usable, output.point)}


def _nothing(array: tf.Tensor) -> tf.Tensor:
    """A step of zeros like those of `(batch, time, ...)`."""
    return tf.zeros(tf.concat([tf.shape(array)[:1], [1], tf.shape(array)[2:]], axis=0), array.dtype)
