"""The guard in the graph against sums in NumPy, and the guard that is fitted, on series that rules repeat exactly."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.calibration.guard import Guard
from seqtag.forecasting.calibration.guard_fit import HeldOut, fit_guard
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.network.seasonal_scaling import window_unit
from seqtag.forecasting.rules.side_by_side import RULES, rule_forecasts

LEVELS, HORIZON, SEASON = (0.1, 0.5, 0.9), 4, 3
NAIVE = RULES.index("naive")


def output(rows, seed=0, level=0.0):
    rng = np.random.default_rng(seed)
    quantiles = level + np.sort(rng.normal(size=(rows, HORIZON, 3)), axis=-1)
    parts = (quantiles[..., 1], quantiles, rng.uniform(0.5, 1, (rows, HORIZON)))
    return ForecastOutput(*(tf.constant(part, tf.float64) for part in parts))


def guard(networks=2, series=2, seed=1, **options):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(networks + len(RULES)), size=(series + 1, 2))
    widths = np.sort(rng.normal(size=(len(RULES), HORIZON, 3)))
    return Guard(weights, np.array([0, 0, 1, 1]), widths, **options)


def history(rows=5, level=0.0, seed=2):
    values = level + np.random.default_rng(seed).normal(size=(rows, 12))
    values[0, :4] = np.nan
    values[1, 6] = np.nan
    return values


def test_points_and_quantiles_are_weighted_sums():
    blend, values, series = guard(), history(), np.array([0, 1, 2, 2, 1])
    outputs = [output(5, seed) for seed in (3, 4)]
    found = blend.blended(outputs, {"history": tf.constant(values), "series": tf.constant(series)}, SEASON)
    rules = rule_forecasts(tf.constant(values), HORIZON, SEASON, False).numpy()
    unit = np.asarray(window_unit(tf.constant(values), SEASON))
    for row, step in np.ndindex(5, HORIZON):
        weights = blend.weights[series[row], blend.groups[step]]
        points = [*(one.point[row, step] for one in outputs), *rules[row, :, step]]
        assert found.point[row, step].numpy() == pytest.approx(np.dot(weights, points), rel=1e-9, abs=1e-9)
        around = rules[row, :, step, None] + blend.widths[:, step] * unit[row]
        quantiles = np.concatenate([np.stack([one.quantiles[row, step] for one in outputs]), around])
        np.testing.assert_allclose(found.quantiles[row, step], weights @ quantiles, rtol=1e-9, atol=1e-9)


def test_several_networks_of_a_source_are_averaged_first():
    blend, values = guard(networks=1), history()
    batch = {"history": tf.constant(values), "series": tf.constant([0, 1, 2, 2, 1])}
    outputs = [output(5, seed) for seed in (3, 4)]
    mean = ForecastOutput(*((one + other) / 2 for one, other in zip(*outputs, strict=True)))
    for one, other in zip(blend.blended(outputs, batch, SEASON), blend.blended([mean], batch, SEASON), strict=True):
        np.testing.assert_allclose(one, other)


def test_a_network_without_an_answer_gives_its_weight_to_the_others():
    blend, values = guard(), history()
    batch = {"history": tf.constant(values), "series": tf.constant([1] * 5)}
    first, second = output(5, 3), output(5, 4)
    lost = ForecastOutput(
        *(tf.where(tf.reshape(tf.range(5) == 2, [-1, *[1] * (p.shape.rank - 1)]), np.nan, p) for p in second)
    )
    found = blend.blended([first, lost], batch, SEASON)
    whole = blend.blended([first, second], batch, SEASON)
    assert np.isfinite(found.quantiles).all() and np.isfinite(found.spread).all()
    np.testing.assert_array_equal(np.delete(found.point, 2, 0), np.delete(whole.point, 2, 0))
    weights = blend.weights[1, 0] * np.r_[1, 0, np.ones(len(RULES))]
    rules = rule_forecasts(tf.constant(values), HORIZON, SEASON, False).numpy()
    points = np.r_[first.point[2, 0], 0, rules[2, :, 0]]
    assert found.point[2, 0].numpy() == pytest.approx(weights @ points / weights.sum())


@pytest.mark.parametrize("value", [0.0, 7.0, 1e12])
def test_sources_that_agree_are_followed_exactly_without_a_width(value):
    blend, rows = guard(), np.full((5, 12), value)
    agreed = ForecastOutput(*(tf.fill(shape, tf.constant(value, tf.float64)) for shape in ((5, 4), (5, 4, 3), (5, 4))))
    found = blend.blended([agreed, agreed], {"history": tf.constant(rows), "series": tf.constant([0] * 5)}, SEASON)
    assert (found.point.numpy() == value).all() and (found.quantiles.numpy() == value).all()


def test_an_exact_season_is_repeated_whatever_the_weights():
    season = np.array([3.0, -1.0, 8.0])
    rows = np.stack([np.tile(season, 4), *history(4)])
    found = guard().blended([output(5, 3)] * 2, {"history": tf.constant(rows), "series": tf.constant([1] * 5)}, SEASON)
    assert found.point[0].numpy().tolist() == [3, -1, 8, 3]
    assert (found.quantiles[0] == found.point[0][:, None]).numpy().all()
    assert (found.quantiles[1:, :, 2] > found.quantiles[1:, :, 0]).numpy().all()


@pytest.mark.parametrize("level", [1e6, 1e12])
def test_a_level_is_added_to_the_answer(level):
    blend, batch = guard(), {"series": tf.constant([0, 1, 2, 2, 1])}
    values = np.round(history() * 64)
    plain = blend.blended([output(5, 3)] * 2, batch | {"history": tf.constant(values)}, SEASON)
    above = blend.blended([output(5, 3, level)] * 2, batch | {"history": tf.constant(values + level)}, SEASON)
    np.testing.assert_allclose(above.quantiles - level, plain.quantiles, atol=level * 1e-15 + 1e-9)


def test_through_json():
    for one in (guard(multiplicative=True, typical=2.5), Guard.from_dict({"weights": [[0.25, 1.0], [0.5, 0.0]]})):
        again = Guard.from_dict(json.loads(json.dumps(one.to_dict())))
        for name, value in vars(one).items():
            np.testing.assert_array_equal(getattr(again, name), value)


def fitted(target, values, points, series=None, age=None):
    rows = len(target)
    series = np.arange(rows) + 1 if series is None else series
    held_out = HeldOut(target, tf.constant(values), series, np.zeros(rows, int) if age is None else age)
    quantiles = points[..., None] + np.array([-1.0, 0, 1])
    outputs = [ForecastOutput(points, quantiles, np.ones_like(points))]
    options = {"season_length": SEASON, "multiplicative": False, "typical": 1.0}
    return fit_guard(held_out, outputs, int(series.max()), LEVELS, **options), outputs


def test_a_season_that_repeats_itself_is_repeated():
    """The network is off by a lot, seasonal naive by little: the fitted guard follows seasonal naive, and is narrow."""
    rng = np.random.default_rng(5)
    profile = rng.normal(size=(150, 1, SEASON)) * 10
    whole = (np.tile(profile, (1, 6, 1)).reshape(150, -1) + 0.01 * rng.normal(size=(150, 18)))[:, : 12 + HORIZON]
    values, target = whole[:, :12], whole[:, 12:]
    blend, outputs = fitted(target, values, target + 5 * rng.normal(size=target.shape))
    tensors = [ForecastOutput(*(tf.constant(part) for part in outputs[0]))]
    found = blend.blended(tensors, {"history": tf.constant(values), "series": tf.constant(np.arange(150) + 1)}, SEASON)
    assert np.abs(found.point - target).mean() < 0.1
    assert np.mean(found.quantiles[..., 2] - found.quantiles[..., 0]) < 0.5


def test_a_network_that_is_right_keeps_its_say():
    rng = np.random.default_rng(6)
    values, target = rng.normal(size=(60, 12)), rng.normal(size=(60, HORIZON))
    blend, _ = fitted(target, values, target + 0.01)
    assert (blend.weights[..., 0] > 0.95).all()
    np.testing.assert_allclose(blend.weights.sum(axis=-1), 1)
    assert (np.diff(blend.widths, axis=-1) >= 0).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_quantiles_ascend_where_all_rules_erred_to_one_side(sign):
    """Errors far above every rule leave no value below its point: the lower quantiles are the point then."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(30, 12)).cumsum(axis=1)
    target = values[:, -1:] + sign * (20 + 9 * rng.uniform(size=(30, HORIZON)))
    found, outputs = fitted(target, values, target + rng.normal(size=target.shape))
    assert (np.diff(found.widths, axis=-1) >= 0).all() and (found.widths[..., 1] == 0).all()
    only_rules = replace(found, weights=np.where(np.arange(found.weights.shape[2]) < found.networks, 0, found.weights))
    batch = {"history": tf.constant(values), "series": tf.constant(np.arange(30) + 1)}
    assert (np.diff(only_rules.blended(outputs, batch, SEASON).quantiles, axis=-1) >= 0).all()
