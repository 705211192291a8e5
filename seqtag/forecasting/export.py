"""A forecasting model as one SavedModel that takes raw values and timestamps and needs TensorFlow alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import tensorflow as tf

from seqtag.forecasting.cold_start.pool import Seen
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.serving.inputs import ForecastInputs, Raw, Specs, Tensors
from seqtag.forecasting.serving.stream_state import STEP_PADDING, StreamState
from seqtag.process.forks import check_can_run
from seqtag.runs.places import new_folder

# The float inputs, which may hold an infinity.
NUMBERS = ("history", "past", "known", "static")

Signatures = dict[str, tf.types.experimental.ConcreteFunction]


class ServingForecaster(tf.Module):
    """The signatures of an exported forecaster, around the fitted model's own graph.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `serving_default` | `history (batch, time)`, covariates | `quantiles`, `forecast` |
    | `initial` | `history (batch, time)`, covariates up to the present | `state (batch, width)` |
    | `update` | `state`, `y (batch,)`, covariates of that step | `state` |
    | `forecast` | `state`, what is known of the future | `quantiles`, `forecast` |
    | `describe` | none | names of columns, lookback, horizon, levels, season_length, frequency, time_zone |

    `quantiles (batch, horizon, levels)` and `forecast (batch, horizon)` are in units of the series. All numbers are
    float64, so that a small movement on a large level survives. A history may have any number of steps: the last
    `lookback` of a longer one are read, and a shorter one is padded with missing values before its first. A stream
    begins with `initial`, whose history may have no steps. Its forecast after any number of updates is that of
    `serving_default` on all steps so far. A step without a value has `y` NaN. An answer has the steps of the fitted
    horizon, and no chance in it: only `predict` goes beyond them, by paths that the names of series decide.

    Covariates are inputs where the model reads them, in the order that `describe` names their columns in:

    | input | shape | |
    | --- | --- | --- |
    | `past`, `known` | `(batch, time, columns)` | float64, NaN where missing |
    | `past_categories`, `known_categories` | `(batch, time, columns)` | strings, "" where missing |
    | `static`, `static_categories` | `(batch, columns)` | the same of a series |
    | `times` | `(batch, time)` | int64, microseconds since 1970 in UTC |
    | `series` | `(batch,)` | ids of the training data; any other is a series that training did not have |

    A category that was a number is given as text, "7". For `serving_default`, `times`, `known` and `known_categories`
    include the `horizon` steps after the history; for `forecast` they are these steps alone. `update` takes one step of
    them, without the axis of time, and calls its timestamp `time`.

    A window without a value, or with a few, is forecast from the pool of the training series, as `predict` does. A row
    without a forecast is NaN, and changes no other row. It has none where its window holds an infinite value or
    covariate, or, where the model takes logarithms, a value that is not above zero, and where a model without a pool
    gets no value.

    Args:
        model: the fitted model.
    """

    def __init__(self, model: ForecastingModel) -> None:
        super().__init__()
        self._model = model
        self._inputs = ForecastInputs(model)
        self._state = StreamState(model.lookback, self._inputs.widths())
        # What the SavedModel must hold: variables and tables.
        self.tracked = [variable.value for variable in model.ensemble.variables]
        self.tracked += self._inputs.trackable

    def signatures(self) -> Signatures:
        """All signatures, of the inputs that the model reads."""
        steps, inputs = [None, None], self._inputs
        history = {"history": tf.TensorSpec(steps, tf.float64, name="history")}
        whole = history | inputs.past_specs(steps) | inputs.known_specs(steps, "times") | inputs.series_specs()
        state = {"state": tf.TensorSpec([None, self._state.width], tf.float64, name="state")}
        value = {"y": tf.TensorSpec([None], tf.float64, name="y")}
        step = state | value | inputs.past_specs([None]) | inputs.known_specs([None], "time")
        future = state | inputs.known_specs([None, self._model.horizon], "times")
        return {
            "serving_default": _traced(self._serve, whole),
            "initial": _traced(self._initial, whole),
            "update": _traced(self._update, step),
            "forecast": _traced(self._forecast, future),
            "describe": _traced(self._describe, {}),
        }

    def _serve(self, **raw: tf.Tensor) -> Tensors:
        return self._forecasts(self._window(raw, self._model.horizon))

    def _initial(self, **raw: tf.Tensor) -> Tensors:
        return {"state": self._state.pack(self._window(raw, 0))}

    def _update(self, **raw: tf.Tensor) -> Tensors:
        shape = tf.shape(raw["y"])
        known = self._inputs.known(raw, "time", shape)
        step = {"history": raw["y"], **self._inputs.past(raw, shape), **known}
        return {"state": self._state.advance(raw["state"], step)}

    def _forecast(self, **raw: tf.Tensor) -> Tensors:
        window = self._state.unpack(raw["state"])
        shape = tf.stack([tf.shape(raw["state"])[0], self._model.horizon])
        future = self._inputs.known(raw, "times", shape)
        return self._forecasts(window | {name: tf.concat([window[name], future[name]], axis=1) for name in future})

    def _describe(self) -> Tensors:
        model, encoder = self._model, self._model.encoder
        columns = {name: tf.constant(names, tf.string) for name, names in self._inputs.columns.items()}
        return columns | {
            "lookback": tf.constant(model.lookback),
            "horizon": tf.constant(model.horizon),
            "levels": tf.constant(model.levels, tf.float32),
            "season_length": tf.constant(model.season_length),
            "frequency": tf.constant(encoder.frequency.name),
            "time_zone": tf.constant(encoder.time_zone or ""),
        }

    def _window(self, raw: Raw, beyond: int) -> Tensors:
        """The batch of the last `lookback` steps of histories, and of `beyond` steps of what is known after them."""
        inputs, lookback = self._inputs, self._model.lookback
        past_names, known_names = inputs.past_specs([None, None]), inputs.known_specs([None, None], "times")
        rows, time = tf.unstack(tf.shape(raw["history"]))
        as_long = "expected {} to have as many steps as history, and those of the horizon where it is known"
        raw = _checked(raw, past_names, 1, time, as_long)
        raw = _checked(raw, known_names, 1, time + beyond, as_long)
        raw = _checked(raw, inputs.series_specs(), 0, rows, "expected {} to have a row for each history")
        newest = {name: raw[name][:, -lookback:] for name in ("history", *past_names)}
        newest |= {name: raw[name][:, -lookback - beyond :] for name in known_names}
        time = tf.minimum(time, lookback)
        past = {"history": newest["history"], **inputs.past(newest, tf.stack([rows, time]))}
        known = inputs.known(newest, "times", tf.stack([rows, time + beyond]))
        return {
            **{name: _padded(array, lookback, STEP_PADDING[name]) for name, array in past.items()},
            **{name: _padded(array, lookback + beyond, STEP_PADDING[name]) for name, array in known.items()},
            **inputs.series(raw, rows),
        }

    def _forecasts(self, batch: Tensors) -> Tensors:
        model, seen = self._model, Seen.of(batch["history"])
        pooled = (
            tf.zeros_like(seen.count, tf.bool) if model.pool is None else model.pool.answers(seen.count, model.lookback)
        )
        usable = pooled | (seen.count > 0)
        if model.logarithmic:
            usable &= pooled | ~tf.reduce_any(batch["history"] <= 0, axis=1)
        for name in NUMBERS:
            if batch[name].shape[-1]:
                infinite = tf.reduce_any(tf.math.is_inf(batch[name]), axis=range(1, batch[name].shape.rank))
                usable &= ~infinite
        # Unusable rows are set to NaN before the network: a head may search as long as its widest row needs.
        batch = batch | {"history": _where(usable, batch["history"])}
        output = model.forecast_batch(batch)
        return {"quantiles": _where(usable, output.quantiles), "forecast": _where(usable, output.point)}


def export_saved_model(model: ForecastingModel, path: str | os.PathLike[str]) -> None:
    """Writes the SavedModel of a fitted model; `ServingForecaster` says what is in it.

    Raises:
        RunError: something is at `path` already.
    """
    check_can_run()
    with new_folder(path) as folder:
        serving = ServingForecaster(model)
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())


def _traced(function: Callable[..., Tensors], inputs: Specs) -> tf.types.experimental.ConcreteFunction:
    return tf.function(function).get_concrete_function(**inputs)


def _checked(raw: Raw, names: Iterable[str], axis: int, size: tf.Tensor, message: str) -> Raw:
    """The inputs, once the sizes of the named ones are checked; nothing reads them before.

    Without the check, a short input would be read beside the wrong steps, or its one row for every history.
    """
    sizes = {name: tf.shape(raw[name])[axis] for name in names}
    checks = [tf.debugging.assert_equal(found, size, message.format(name)) for name, found in sizes.items()]
    with tf.control_dependencies(checks):
        return {name: tf.identity(array) for name, array in raw.items()}


def _padded(array: tf.Tensor, steps: int, padding: float) -> tf.Tensor:
    """Pads with steps at the front, up to `steps` of them."""
    missing = [[0, 0], [steps - tf.shape(array)[1], 0], *[[0, 0]] * (array.shape.rank - 2)]
    padded = tf.pad(array, missing, constant_values=tf.cast(padding, array.dtype))
    padded.set_shape([None, steps, *array.shape[2:]])
    return padded


def _where(usable: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """The rows that are usable, the others NaN."""
    return tf.where(tf.reshape(usable, [-1, *[1] * (rows.shape.rank - 1)]), rows, tf.constant(float("nan"), rows.dtype))
