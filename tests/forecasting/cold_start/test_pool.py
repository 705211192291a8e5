"""The pool's answers in the graph: whose they are, and that they hold at any level and beside any other row."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.cold_start.pool import ANY, Pool, Seen
from seqtag.forecasting.network.network import ForecastOutput

NAN = np.nan
LEVELS = (0.1, 0.5, 0.9)


def pool_with(**changes):
    fields = {
        "levels": LEVELS,
        "keys": np.array([[3, 4], [3, ANY], [ANY, 4], [ANY, ANY]]),
        "values": np.arange(12.0).reshape(4, 3),
        "changes": np.array([[-1.0, 0.0, 2.0], [-2.0, 0.5, 4.0]]),
        "ratios": None,
        "enough": 3,
        "between_values": StepDependence(np.ones(1)),
        "between_changes": StepDependence(np.array([1.0, 0.5])),
    }
    return Pool(**fields | changes)


def answered(pool, history, codes=None, lookback=4):
    """Quantiles `(rows, 2, 3)`; the network's are -1."""
    history = np.asarray(history, float)
    rows = len(history)
    codes = np.zeros((rows, pool.keys.shape[1])) if codes is None else np.asarray(codes)
    network = ForecastOutput(
        *(tf.fill(shape, tf.constant(-1.0, tf.float64)) for shape in ([rows, 2], [rows, 2, 3], [rows, 2]))
    )
    output = pool.apply(network, Seen.of(tf.constant(history)), tf.constant(codes, tf.int32), lookback)
    np.testing.assert_array_equal(output.point, output.quantiles[..., 1])
    return output.quantiles.numpy()


def test_without_a_value_the_first_group_that_fits_answers_all_steps():
    codes = [[3, 4], [3, 9], [9, 4], [9, 9], [0, 0]]
    found = answered(pool_with(), np.full((5, 4), NAN), codes)
    assert found[:, 0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11], [9, 10, 11]]
    np.testing.assert_array_equal(found[:, 1], found[:, 0])


def test_with_a_few_values_the_newest_is_changed_by_the_steps_since():
    found = answered(pool_with(), [[NAN, NAN, NAN, 10], [NAN, NAN, 4, 10], [NAN, 4, 10, NAN], [10, NAN, NAN, NAN]])
    one, two, late, later = found.tolist()
    assert one == two == [[9, 10, 12], [8, 10.5, 14]]
    assert late == later == [[8, 10.5, 14]] * 2, "farther steps have the changes of the last"


def test_ratios_are_for_values_above_zero():
    ratios = np.log([[0.5, 1.0, 2.0], [0.25, 1.0, 4.0]])
    found = answered(pool_with(ratios=ratios), [[NAN, NAN, NAN, 8], [NAN, NAN, NAN, 0], [NAN, NAN, NAN, -8]])
    np.testing.assert_allclose(found[0], [[4, 8, 16], [2, 8, 32]])
    assert found[1].tolist() == [[-1, 0, 2], [-2, 0.5, 4]] and found[2, 0].tolist() == [-9, -8, -6]


@pytest.mark.parametrize(
    ("enough", "lookback", "pooled"),
    [(3, 4, [True, True, True, False]), (1, 4, [True, False, False, False]), (3, 2, [True, True, False, False]),
     (3, 1, [True, False, False, False])],
)  # fmt: skip
def test_the_network_answers_from_enough_values_or_a_whole_window(enough, lookback, pooled):
    history = [[NAN, NAN, NAN], [NAN, NAN, 9], [NAN, 9, 9], [9, 9, 9]]
    found = answered(pool_with(enough=enough), history, lookback=lookback)
    assert (found != -1).all(axis=(1, 2)).tolist() == pooled


@pytest.mark.parametrize("level", [0.0, 1.0, 1e6, 1e12])
def test_the_level_moves_the_answer_alone_whatever_stands_in_other_rows(level):
    history = np.array([[NAN, NAN, NAN, 3.0], [NAN, NAN, NAN, NAN], [NAN, 1.0, 2.0, NAN], [1e12, NAN, np.inf, 5.0]])
    found, moved = answered(pool_with(), history), answered(pool_with(), history + level)
    np.testing.assert_allclose(moved[[0, 2]] - level, found[[0, 2]], atol=1e-3)
    np.testing.assert_array_equal(moved[1], found[1])
    np.testing.assert_array_equal(answered(pool_with(), history[[2, 0]]), found[[2, 0]])


def test_json_holds_all_of_it():
    for pool in (pool_with(), pool_with(ratios=np.zeros((2, 3)), keys=np.zeros((1, 0), int), values=np.zeros((1, 3)))):
        again = Pool.from_dict(json.loads(json.dumps(pool.to_dict())))
        assert again.to_dict() == pool.to_dict() and again.keys.shape == pool.keys.shape
        history = np.array([[NAN, NAN], [NAN, 7.0]])
        np.testing.assert_array_equal(answered(again, history), answered(pool, history))
