"""Corrections in the graph equal those of NumPy, and come back from JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.calibration.conformal import ConformalOffsets
from seqtag.forecasting.calibration.corrections import Corrections, without_median
from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.calibration.guard import Guard
from seqtag.forecasting.evaluation import baselines
from seqtag.forecasting.network.network import ForecastOutput

LEVELS = (0.1, 0.3, 0.5, 0.9)
BATCH, HORIZON, SEASON = 5, 3, 2
rng = np.random.default_rng(4)
HISTORY = rng.normal(size=(BATCH, 6))
HISTORY[1, -2:] = np.nan
SERIES = np.array([0, 1, 2, 2, 1], np.int32)
SHARE = rng.uniform(size=(3, HORIZON))
GUARD = Guard.from_dict({"weights": SHARE.tolist()})


def answer():
    quantiles = np.sort(np.random.default_rng(5).normal(size=(BATCH, HORIZON, len(LEVELS))), axis=-1)
    spread = np.random.default_rng(6).uniform(0.5, 2, (BATCH, HORIZON))
    return ForecastOutput(*(tf.constant(part, tf.float64) for part in (quantiles[..., 2], quantiles, spread)))


def apply(**parts):
    batch = {"history": tf.constant(HISTORY), "series": tf.constant(SERIES)}
    return ForecastOutput(*(part.numpy() for part in Corrections(**parts).apply([answer()], batch, SEASON)))


def offsets(size, median=0.0):
    """Large ones make quantiles cross."""
    drawn = np.random.default_rng(7).normal(scale=size, size=(HORIZON, len(LEVELS)))
    drawn[:, 2] = median
    return ConformalOffsets(LEVELS, drawn)


def test_nothing_is_corrected_without_corrections():
    for before, after in zip(answer(), apply(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_small_offsets_are_those_of_the_calibration():
    plain, corrections = answer(), offsets(0.01)
    expected = corrections.corrected(plain.quantiles.numpy(), plain.spread.numpy())
    found = apply(offsets=corrections)
    np.testing.assert_allclose(found.quantiles, expected, atol=1e-5)
    np.testing.assert_array_equal(found.point, plain.point)


@pytest.mark.parametrize("size", [0.5, 3.0])
def test_large_offsets_make_nothing_cross_and_leave_the_median(size):
    plain, corrections = answer(), offsets(size)
    found = apply(offsets=corrections).quantiles
    assert (np.diff(found, axis=-1) >= 0).all()
    np.testing.assert_array_equal(found[..., 2], plain.quantiles[..., 2])
    moved = plain.quantiles.numpy() + corrections.offsets * plain.spread.numpy()[..., None]
    sorted_levels = corrections.corrected(plain.quantiles.numpy(), plain.spread.numpy())
    # Every quantile keeps a quarter of its distance; where all do so anyway, sorting is what is left.
    before, after = (np.abs(part - part[..., 2:3]) for part in (plain.quantiles.numpy(), found))
    assert (after >= 0.25 * before - 1e-5).all()
    side = np.array([-1, -1, 1, 1])
    kept = (side * (moved - moved[..., 2:3]) >= 0.25 * before).all(axis=-1)
    assert kept.any() and not kept.all()
    np.testing.assert_allclose(found[kept], sorted_levels[kept], atol=1e-5)


def test_a_share_of_the_networks_leaves_the_rest_to_seasonal_naive():
    plain, found = answer(), apply(blend=GUARD)
    rule = baselines.seasonal_naive(list(HISTORY.astype(float)), HORIZON, SEASON)
    expected = rule + SHARE[SERIES] * (plain.point.numpy() - rule)
    np.testing.assert_allclose(found.point, expected, atol=1e-5)
    # The distribution moves with its point and keeps its width.
    width = plain.quantiles - plain.point[..., None]
    np.testing.assert_allclose(found.quantiles - found.point[..., None], width, atol=1e-5)
    np.testing.assert_allclose(found.spread, plain.spread)


def test_offsets_come_after_blending():
    both, blended, corrections = apply(blend=GUARD, offsets=offsets(0.01)), apply(blend=GUARD), offsets(0.01)
    np.testing.assert_allclose(
        both.quantiles, corrections.corrected(blended.quantiles, blended.spread.astype(float)), atol=1e-5
    )


def test_the_median_has_no_offset():
    found = without_median(offsets(1.0, median=0.4)).offsets
    assert (found[:, 2] == 0).all()
    np.testing.assert_array_equal(np.delete(found, 2, axis=1), np.delete(offsets(1.0).offsets, 2, axis=1))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"blend": GUARD},
        {"blend": GUARD, "offsets": offsets(0.1), "dependence": StepDependence(np.array([1.0, 0.5]))},
    ],
)
def test_corrections_through_json(parts):
    again = Corrections.from_dict(json.loads(json.dumps(Corrections(**parts).to_dict())))
    assert {name for name in ("blend", "offsets", "dependence") if getattr(again, name) is not None} == set(parts)
    for name, part in parts.items():
        found = getattr(again, name)
        for field, value in vars(part).items():
            np.testing.assert_array_equal(getattr(found, field), value)
