"""A forecasting model as one SavedModel that takes raw values and timestamps and needs TensorFlow alone."""

from __future__ import annotations

import os
from collections.abc import Callable

import tensorflow as tf

from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.serving.inputs import ForecastInputs, Specs, Tensors
from seqtag.forecasting.serving.state_answers import StateAnswers
from seqtag.forecasting.serving.window_answers import WindowAnswers
from seqtag.process.forks import check_can_run
from seqtag.runs.saved_model import saved_model_folder

Signatures = dict[str, tf.types.experimental.ConcreteFunction]


class ServingForecaster(tf.Module):
    """The signatures of an exported forecaster, around the fitted model's own graph.

    | signature | inputs | outputs |
    | --- | --- | --- |
    | `serving_default` | `history (batch, time)`, covariates | `quantiles`, `forecast` |
    | `initial` | `history (batch, time)`, covariates up to the present | `state (batch, width)` |
    | `update` | `state`, `y (batch,)`, covariates of that step | `state` |
    | `forecast` | `state`, what is known of the future | `quantiles`, `forecast` |
    | `describe` | none | columns, lookback, stateful, horizon, levels, season_length, frequency, time_zone |

    `quantiles (batch, horizon, levels)` and `forecast (batch, horizon)` are in units of the series. All numbers are
    float64, so that a small movement on a large level survives. A history may have any number of steps: the last
    `lookback` of a longer one are read, and a shorter one is padded with missing values before its first. A stream
    begins with `initial`, whose history may have no steps. Its forecast after any number of updates is that of
    `serving_default` on all steps so far. A step without a value has `y` NaN. A stateful model reads all steps of a
    history, and its update and forecast cost the same whatever the lookback. An answer has the steps of the fitted
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
        self._answers = (StateAnswers if model.stateful else WindowAnswers)(model, self._inputs)
        # What the SavedModel must hold: variables and tables.
        self.tracked = [variable.value for variable in model.ensemble.variables]
        self.tracked += self._inputs.trackable

    def signatures(self) -> Signatures:
        """All signatures, of the inputs that the model reads."""
        steps, inputs = [None, None], self._inputs
        history = {"history": tf.TensorSpec(steps, tf.float64, name="history")}
        whole = history | inputs.past_specs(steps) | inputs.known_specs(steps, "times") | inputs.series_specs()
        state = {"state": tf.TensorSpec([None, self._answers.width], tf.float64, name="state")}
        value = {"y": tf.TensorSpec([None], tf.float64, name="y")}
        step = state | value | inputs.past_specs([None]) | inputs.known_specs([None], "time")
        future = state | inputs.known_specs([None, self._model.horizon], "times")
        return {
            "serving_default": _traced(self._answers.serve, whole),
            "initial": _traced(self._answers.initial, whole),
            "update": _traced(self._answers.update, step),
            "forecast": _traced(self._answers.forecast, future),
            "describe": _traced(self._describe, {}),
        }

    def _describe(self) -> Tensors:
        model, encoder = self._model, self._model.encoder
        columns = {name: tf.constant(names, tf.string) for name, names in self._inputs.columns.items()}
        return columns | {
            "lookback": tf.constant(model.lookback),
            "stateful": tf.constant(model.stateful),
            "horizon": tf.constant(model.horizon),
            "levels": tf.constant(model.levels, tf.float32),
            "season_length": tf.constant(model.season_length),
            "frequency": tf.constant(encoder.frequency.name),
            "time_zone": tf.constant(encoder.time_zone or ""),
        }


def export_saved_model(model: ForecastingModel, path: str | os.PathLike[str]) -> None:
    """Writes the SavedModel of a fitted model; `ServingForecaster` says what is in it.

    Raises:
        RunError: something is at `path` already.
    """
    check_can_run()
    with saved_model_folder(path) as folder:
        serving = ServingForecaster(model)
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())


def _traced(function: Callable[..., Tensors], inputs: Specs) -> tf.types.experimental.ConcreteFunction:
    return tf.function(function, autograph=False).get_concrete_function(**inputs)
