"""The rules side by side: finite in every row, exact at any level, in a graph of any batch size and in a SavedModel."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.evaluation import baselines
from seqtag.forecasting.rules.side_by_side import RULES, rule_forecasts

NAN = float("nan")
HORIZON, SEASON = 6, 4


@pytest.fixture(scope="module")
def graph():
    signature = tf.TensorSpec([None, 24], tf.float64)
    return tf.function(lambda rows: rule_forecasts(rows, HORIZON, SEASON), input_signature=[signature])


@pytest.fixture(scope="module")
def rows():
    """Rows with a season, gaps and left padding; the shortest has one value."""
    rng = np.random.default_rng(5)
    found = rng.normal(size=(12, 24)).cumsum(axis=1) + 3 * np.cos(np.arange(24) * np.pi / 2)
    for number, row in enumerate(found):
        row[: 2 * number] = NAN
    found[::3][rng.random((4, 24)) < 0.2] = NAN
    found[9:, -1] = [1.0, 2.0, 3.0]
    return found


def test_they_are_the_baselines_of_numpy(graph, rows):
    found = dict(zip(RULES, np.moveaxis(graph(rows).numpy(), 1, 0), strict=True))
    np.testing.assert_array_equal(found["naive"], baselines.naive(rows, HORIZON))
    np.testing.assert_array_equal(found["seasonal_naive"], baselines.seasonal_naive(rows, HORIZON, SEASON))
    np.testing.assert_allclose(found["drift"], baselines.drift(rows, HORIZON), atol=1e-12)
    np.testing.assert_allclose(found["mean"], baselines.mean(rows, HORIZON), atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 0.3, 1e-30, 1e12 + 0.1])
def test_a_constant_is_forecast_exactly(graph, value):
    constant = np.full((4, 24), value)
    constant[1, :-1], constant[2, 3:9], constant[3, -5:] = NAN, NAN, NAN
    assert (graph(constant).numpy() == value).all()


def test_rows_without_a_value_are_zero(graph):
    assert (graph(np.full((2, 24), NAN)).numpy() == 0).all()


@pytest.mark.parametrize("level", [1e3, 1e6, 1e9, 1e12])
def test_a_level_moves_the_forecasts_with_it(rows, level):
    """In steps that a float64 holds at 1e12; a season that scales with the level is another one at each level."""
    rows = np.round(rows * 64) / 64
    found, moved = (rule_forecasts(y, HORIZON, SEASON, multiplicative=False).numpy() for y in (rows, rows + level))
    np.testing.assert_allclose(moved - level, found, atol=1e-9 + level * 4e-16)


def test_a_season_that_scales_gives_way_where_the_level_is_large(rows, graph):
    large = np.round(rows * 64) / 64 + 1e12
    np.testing.assert_array_equal(graph(large), rule_forecasts(large, HORIZON, SEASON, multiplicative=False))


def test_a_unit_scales_the_forecasts(graph, rows):
    for unit in (1e-30, 1e12):
        np.testing.assert_allclose(graph(rows * unit) / unit, graph(rows), rtol=1e-9, atol=1e-9)


def test_other_rows_and_padding_change_nothing(graph, rows):
    whole = graph(rows).numpy()
    for number in (0, 5, 11):
        np.testing.assert_allclose(graph(rows[number : number + 1])[0], whole[number], rtol=1e-12, atol=1e-12)
    padded = np.concatenate([np.full((12, 7), NAN), rows], axis=1)
    np.testing.assert_allclose(rule_forecasts(tf.constant(padded), HORIZON, SEASON), whole, atol=1e-9)
    assert graph(rows[:0]).shape == (0, len(RULES), HORIZON)


def test_a_saved_model_gives_the_same(graph, rows, tmp_path):
    module = tf.Module()
    module.forecast = graph
    tf.saved_model.save(module, str(tmp_path))
    np.testing.assert_array_equal(tf.saved_model.load(str(tmp_path)).forecast(tf.constant(rows)), graph(rows))
