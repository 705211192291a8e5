"""Sample paths: each step has the forecast's distribution, steps have their dependence, and seeds decide."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from seqtag.data.series.files import read_series
from seqtag.data.series.slicing import select_series
from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.calibration.quantile_function import probabilities, values_at
from seqtag.forecasting.data.future import append_future, read_future
from seqtag.forecasting.data.series_order import generator_of
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.paths import draw_paths, sample_paths
from seqtag.forecasting.prediction.predict import predict

LEVELS = (0.1, 0.5, 0.9)


def with_dependence(model, *correlation):
    corrections = dataclasses.replace(model.corrections, dependence=StepDependence(np.array(correlation)))
    return ForecastingModel(model.ensemble, model.encoder, model.columns, model.season_length, corrections)


def forecast_of(model, table, future):
    frame = predict(model, table, future=future)
    return frame[["q0.1", "q0.5", "q0.9"]].to_numpy().reshape(len(table), -1, 3)


@pytest.fixture(scope="module")
def many(fitted, table, future):
    """Many paths of a model with dependent steps."""
    model = with_dependence(fitted, 1.0, 0.8, 0.5, 0.2)
    return model, sample_paths(model, table, num_paths=4000, future=future, seed=1)


def test_each_step_has_the_quantiles_of_the_forecast(many, table, future):
    model, paths = many
    assert paths.shape == (3, 4000, 4)
    expected = forecast_of(model, table, future)
    found = np.moveaxis(np.quantile(paths, LEVELS, axis=1), 0, -1)
    width = (expected[..., -1] - expected[..., 0])[..., None]
    assert (np.abs(found - expected) / width).max() < 0.04


def test_steps_depend_on_each_other_as_they_should(many, table, future):
    model, paths = many
    scores = ndtri(probabilities(paths, forecast_of(model, table, future)[:, None], LEVELS))
    for of_series in scores:
        found = np.corrcoef(of_series.T)
        expected = np.array([1.0, 0.8, 0.5, 0.2])[np.abs(np.subtract.outer(range(4), range(4)))]
        np.testing.assert_allclose(found, expected, atol=0.05)
    assert abs(np.corrcoef(scores[0, :, 0], scores[1, :, 0])[0, 1]) < 0.05


def test_paths_past_the_horizon_read_their_own_values(fitted, table, future):
    """Compares with a loop that puts the drawn values into a table and forecasts again."""
    model, horizon, count = with_dependence(fitted, 1.0, 0.6, 0.3, 0.1), 10, 2
    normal = np.stack([generator_of(name, 5).standard_normal((count, horizon)) for name in table.ids])
    u = model.corrections.dependence.probabilities(normal)
    whole = append_future(table, read_future(table, 12, future, model.columns))
    starts = whole.offsets[1:] - 12
    found = sample_paths(model, table, horizon, count, future, seed=5)
    for path in range(count):
        values = whole.values.copy()
        for start in range(0, horizon, 4):
            filled = dataclasses.replace(whole, values=values.copy())
            windows = Windows(np.arange(3), starts + start, whole.offsets[:-1], model.lookback, model.horizon)
            quantiles = model.outputs(filled, windows).quantiles
            for step in range(start, min(start + 4, horizon)):
                values[starts + step] = values_at(u[:, path, step], quantiles[:, step - start], LEVELS)
                np.testing.assert_allclose(found[:, path, step], values[starts + step], rtol=1e-4)


def test_uncertainty_grows_where_the_model_reads_its_own_values(unfitted, history):
    """A model whose median is the last value walks at random from horizon to horizon."""
    table = read_series(history[["unique_id", "ds", "y"]])
    model = unfitted(table, scaling="last", output="direct")
    [network] = model.ensemble.members
    network.set_weights([0 * weight for weight in network.get_weights()])
    deviation = network.config["moments"][0][1]
    spread = sample_paths(model, table, 12, 2000)[0].std(axis=0) / deviation
    np.testing.assert_allclose(spread[3::4], np.sqrt([1, 2, 3]) * spread[3], rtol=0.1)


def test_values_of_the_steps_to_forecast_are_not_read(fitted, table, future):
    whole = append_future(table, read_future(table, 7, future, fitted.columns))
    values = whole.values.copy()
    values[whole.offsets[1:, None] - 7 + np.arange(7)] = 1e6
    known = dataclasses.replace(whole, values=values)
    one, other = (draw_paths(fitted, of, 7, 3, seed=2) for of in (whole, known))
    np.testing.assert_array_equal(one, other)


def test_answers_do_not_depend_on_the_other_series_nor_on_their_order(fitted, table, future):
    """Within the fitted horizon and past it, where paths are drawn."""
    every = predict(fitted, table, 10, future).set_index("unique_id")
    for chosen in ([1], [2, 0, 1]):
        known = future[future["unique_id"].isin(table.ids[chosen])]
        some = predict(fitted, select_series(table, np.array(chosen)), 10, known).set_index("unique_id")
        expected = every.loc[table.ids[chosen]]
        assert some.index.tolist() == expected.index.tolist()
        pd.testing.assert_frame_equal(some, expected, rtol=1e-5)


@pytest.mark.parametrize("scaling", ["revin", "none", "es_rnn"])
def test_a_level_is_added_to_the_answers_past_the_horizon(unfitted, table, scaling):
    values = table.values - 50
    answers = []
    for level in (0.0, 2.0**40):
        moved = dataclasses.replace(table, values=values + level, past={}, known={}, static={})
        answers.append(predict(unfitted(moved, scaling=scaling), moved, 10).iloc[:, 2:] - level)
    np.testing.assert_allclose(*answers, atol=0.01)
    assert answers[0].abs().max(axis=None) < 200


def test_the_same_seed_gives_the_same_paths(fitted, table, future):
    one, other, third = (sample_paths(fitted, table, 6, 3, future, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, other)
    assert (one != third).any()
