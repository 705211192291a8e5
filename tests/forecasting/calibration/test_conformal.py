"""Conformal offsets: ranks worked by hand, shares below on held-out and on new windows, pooling, and faults."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.forecasting.calibration.conformal import ConformalOffsets, coverage_by_step, fit_offsets, pooled_steps

LEVELS = (0.1, 0.2, 0.5, 0.8, 0.9)


def wrong_forecasts(windows, horizon, seed, levels=LEVELS):
    """Targets of growing spread, skewed, and quantiles that are too narrow and off centre."""
    random = np.random.default_rng(seed)
    spread = random.uniform(0.5, 4.0, windows)
    noise = random.gamma(2.0, size=(windows, horizon)) * np.sqrt(1 + np.arange(horizon))
    target = 10 + spread[:, None] * noise
    quantiles = 10 + spread[:, None, None] * (1 + 0.1 * np.arange(len(levels))) * np.ones((windows, horizon, 1))
    return target, quantiles, spread


def test_ranks_worked_by_hand():
    """Ten scores 1 to 10: ranks floor(11 a) below the median, ceil(11 a) above it."""
    target = np.random.default_rng(0).permutation(np.arange(1.0, 11.0))[:, None]
    found = fit_offsets(target, np.zeros((10, 1, 5)), np.ones(10), LEVELS)
    assert found.offsets.tolist() == [[1.0, 2.0, 5.5, 9.0, 10.0]]


def test_offsets_are_in_units_of_the_spread():
    target, quantiles, spread = wrong_forecasts(200, 3, seed=0)
    found = fit_offsets(target, quantiles, spread, LEVELS)
    larger = fit_offsets(7 * target, 7 * quantiles, 7 * spread, LEVELS)
    np.testing.assert_allclose(found.offsets, larger.offsets)
    np.testing.assert_allclose(
        larger.corrected(7 * quantiles, 7 * spread), 7 * found.corrected(quantiles, spread), rtol=1e-9
    )


@given(st.integers(0, 10_000), st.integers(100, 160), st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95]))
def test_the_held_out_share_below_is_the_level(seed, windows, level):
    """Counted on either side of the corrected quantile, which is a target itself."""
    target, quantiles, spread = wrong_forecasts(windows, 1, seed, (level,))
    corrected = fit_offsets(target, quantiles, spread, (level,)).corrected(quantiles, spread)
    below = (target < corrected[..., 0] - 1e-9).mean()
    upto = (target < corrected[..., 0] + 1e-9).mean()
    assert below <= level + 1 / windows and upto >= level - 1 / windows
    assert upto >= level if level > 0.5 else below <= level
    assert abs(upto - level) <= 2 / windows


def test_coverage_of_new_windows_is_nominal_at_every_step():
    target, quantiles, spread = wrong_forecasts(16000, 4, seed=1)
    before = coverage_by_step(target, quantiles, LEVELS)
    assert max(before[0.8].max(), before[0.6].max()) < 0.3
    held_out, new = slice(0, 8000), slice(8000, None)
    found = fit_offsets(target[held_out], quantiles[held_out], spread[held_out], LEVELS)
    after = coverage_by_step(target[new], found.corrected(quantiles[new], spread[new]), LEVELS)
    for nominal in (0.8, 0.6):
        np.testing.assert_allclose(after[nominal], nominal, atol=0.025)


def test_the_guarantee_of_few_windows_holds_on_average():
    """Nine windows, level .8: the rank is 8 of 10, so that exactly 80% of new targets lie below."""
    random = np.random.default_rng(2)
    below = []
    for _ in range(1500):
        target = random.normal(size=(9, 1)) ** 3
        offset = fit_offsets(target, np.zeros((9, 1, 1)), np.ones(9), (0.8,), min_scores=1).offsets[0, 0]
        below.append(random.normal() ** 3 <= offset)
    assert abs(np.mean(below) - 0.8) < 0.03


def test_the_residual_quantiles_of_a_point_forecaster():
    random = np.random.default_rng(3)
    point, spread = random.normal(size=(199, 2)) * 10, random.uniform(1, 2, 199)
    target = point + spread[:, None] * random.exponential(size=(199, 2))
    same = np.repeat(point[..., None], len(LEVELS), axis=-1)
    found = fit_offsets(target, same, spread, LEVELS)
    residuals = (target - point) / spread[:, None]
    expected = np.quantile(residuals, LEVELS, axis=0, method="weibull").T  # 200 a is whole: the same ranks
    np.testing.assert_allclose(found.offsets, expected)
    corrected = found.corrected(same, spread)
    np.testing.assert_allclose(corrected, point[..., None] + spread[:, None, None] * found.offsets)
    assert (np.diff(corrected) > 0).all()


def test_correct_quantiles_do_not_change():
    target = np.arange(1.0, 100.0)[:, None] / 100
    quantiles = np.broadcast_to(np.array(LEVELS), (99, 1, 5))
    np.testing.assert_allclose(fit_offsets(target, quantiles, np.ones(99), LEVELS, min_scores=1).offsets, 0, atol=1e-12)


def test_missing_targets_and_windows_without_spread_count_for_nothing():
    target, quantiles, spread = wrong_forecasts(150, 2, seed=4)
    expected = fit_offsets(target, quantiles, spread, LEVELS)
    gone = np.full((10, 2), np.nan)
    padded = fit_offsets(
        np.concatenate([target, gone, np.full((5, 2), 1e9)]),
        np.concatenate([quantiles, np.full((10, 2, 5), np.nan), np.zeros((5, 2, 5))]),
        np.concatenate([spread, np.ones(10), np.zeros(5)]),
        LEVELS,
    )
    np.testing.assert_array_equal(padded.offsets, expected.offsets)
    constant = padded.corrected(np.full((1, 2, 5), 7.0), np.zeros(1))
    assert constant.tolist() == [[[7.0] * 5] * 2]


def test_quantiles_never_cross():
    offsets = ConformalOffsets((0.2, 0.5, 0.8), np.array([[3.0, 0.0, -3.0]]))
    assert offsets.corrected(np.array([[[1.0, 2.0, 3.0]]]), np.ones(1)).tolist() == [[[0.0, 2.0, 4.0]]]


def test_steps_beyond_the_horizon_take_its_last_offsets():
    offsets = ConformalOffsets((0.5,), np.array([[1.0], [2.0]]))
    assert offsets.corrected(np.zeros((1, 4, 1)), np.ones(1))[0, :, 0].tolist() == [1.0, 2.0, 2.0, 2.0]
    assert offsets.corrected(np.zeros((1, 1, 1)), np.array([[3.0]]))[0, :, 0].tolist() == [3.0]


def test_few_windows_are_pooled_with_their_neighbours():
    counts = np.array([5, 5, 5, 5, 5, 0])
    assert pooled_steps(counts, 2, min_scores=5) == slice(2, 3)
    assert pooled_steps(counts, 2, min_scores=6) == slice(1, 4)
    assert pooled_steps(counts, 0, min_scores=11) == slice(0, 3)
    assert pooled_steps(counts, 5, min_scores=1) == slice(4, 6)
    assert pooled_steps(counts, 3, min_scores=99) == slice(0, 6)
    target, quantiles, spread = wrong_forecasts(5, 24, seed=5)
    found = fit_offsets(target, quantiles, spread, LEVELS)
    near = (target[:, 2:23, None] - quantiles[:, 2:23]) / spread[:, None, None]  # 105 scores around step 12
    expected = np.quantile(near[..., 4], 96 / 105, method="inverted_cdf")  # ceil(106 * .9)
    assert found.offsets[12, 4] == pytest.approx(expected)


def test_a_spread_that_grows_with_the_errors_makes_pooling_fair():
    """Few windows, errors that grow with the step: pooled at one spread the first step is far too wide."""
    random = np.random.default_rng(6)
    size = 1.0 + np.arange(20)
    held_out, new = random.normal(size=(2, 400, 20)) * size
    shares = []
    for spread in (np.ones((8, 20)), np.tile(size, (8, 1))):
        found = fit_offsets(held_out[:8], np.zeros((8, 20, 2)), spread, (0.1, 0.9))
        corrected = found.corrected(np.zeros((400, 20, 2)), np.tile(spread[0], (400, 1)))
        shares.append(coverage_by_step(new, corrected, (0.1, 0.9))[0.8])
    assert shares[0][0] > 0.97
    assert np.abs(shares[1] - 0.8).max() < 0.12


def test_too_few_scores_never_draw_a_quantile_inwards():
    found = fit_offsets(np.array([[1.0], [2.0]]), np.zeros((2, 1, 3)), np.ones(2), (0.1, 0.5, 0.9))
    assert found.offsets.tolist() == [[0.0, 1.5, 2.0]]
    assert fit_offsets(np.full((3, 2), np.nan), np.zeros((3, 2, 1)), np.ones(3), (0.1,)).offsets.tolist() == [[0], [0]]


def test_offsets_through_json():
    target, quantiles, spread = wrong_forecasts(30, 3, seed=7)
    found = fit_offsets(target, quantiles, spread, LEVELS)
    back = ConformalOffsets.from_dict(json.loads(json.dumps(found.to_dict())))
    assert back.levels == LEVELS
    np.testing.assert_array_equal(back.offsets, found.offsets)


def test_coverage_of_steps_without_targets_is_unknown():
    target = np.array([[1.0, math.nan], [5.0, math.nan]])
    found = coverage_by_step(target, np.broadcast_to([0.0, 0.5, 2.0], (2, 2, 3)), (0.1, 0.5, 0.9))
    assert list(found) == [0.8]
    np.testing.assert_array_equal(found[0.8], [0.5, math.nan])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros(3)}, r"expected target \(windows, horizon\), found shape \(3,\)"),
        ({"target": np.full((3, 2), np.inf)}, "expected finite or missing targets, found an infinite one"),
        ({"quantiles": np.zeros((3, 2, 2))}, r"expected quantiles of shape \(3, 2, 1\), found \(3, 2, 2\)"),
        ({"quantiles": np.full((3, 2, 1), np.nan)}, "expected finite quantiles wherever the target is observed"),
        ({"spread": np.ones(2)}, r"expected spread of shape \(3,\) or \(3, 2\), found \(2,\)"),
        ({"spread": -np.ones(3)}, "expected spreads that are finite and not negative, found -1.0"),
        ({"spread": np.full(3, np.nan)}, "expected spreads that are finite and not negative, found nan"),
        ({"levels": (1.5,)}, "expected quantile levels between 0 and 1, found 1.5"),
        ({"min_scores": 0}, "expected min_scores to be at least 1, found 0"),
    ],
)
def test_arguments_that_do_not_fit(change, message):
    arguments = {
        "target": np.zeros((3, 2)),
        "quantiles": np.zeros((3, 2, 1)),
        "spread": np.ones(3),
        "levels": (0.5,),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        fit_offsets(**arguments)


def test_corrected_checks_shapes():
    offsets = ConformalOffsets((0.5,), np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"expected quantiles \(windows, steps, 1\), found \(3, 2\)"):
        offsets.corrected(np.zeros((3, 2)), np.ones(3))
