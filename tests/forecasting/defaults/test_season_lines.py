"""The test of one season: against an F test written bin by bin; scores of noise must be standard normal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from seqtag.forecasting.defaults.season_lines import evidence, without_line, without_season, without_trend


def test_scores_are_those_of_f_tests_bin_by_bin():
    """One line of three cycles, and its multiple at the highest frequency, where a bin has one degree of freedom."""
    y = np.random.default_rng(0).normal(size=12)
    place = np.arange(12)
    power = [
        abs(sum(y * np.exp(-2j * np.pi * bin * place / 12))) ** 2 * abs(1 - np.exp(-2j * np.pi * bin / 12)) ** 2
        for bin in range(7)
    ]
    p = [
        stats.f.sf(power[3] / np.mean([power[2], power[4]]), 2, 4),
        stats.f.sf(power[6] / power[5], 1, 2),
    ]
    fisher, least = stats.combine_pvalues(p).pvalue, 1 - (1 - min(p)) ** 2
    expected = stats.norm.isf(stats.cauchy.sf(np.mean([stats.cauchy.isf(fisher), stats.cauchy.isf(least)])))
    assert evidence(y[None], 3).score[0] == pytest.approx(expected)


@pytest.mark.parametrize(("cycles", "period"), [(3, 12), (10, 4), (40, 7)])
@pytest.mark.parametrize("walk", [False, True])
def test_scores_of_noise_and_random_walks_are_standard_normal(cycles, period, walk):
    y = np.random.default_rng(cycles).normal(size=(2000, cycles * period))
    score = evidence(without_line(without_trend(y.cumsum(axis=1) if walk else y)), cycles).score
    # A little low, where a local background is not quite straight; never high.
    assert -0.15 < score.mean() < 0.08
    assert np.mean(score > 1.645) < 0.075
    assert np.mean(score > 3) < 0.004


def test_strength_is_the_share_of_variance():
    """A sine of variance 2 in noise of variance 3, some of which is slower than the season."""
    place = np.arange(480)
    y = 2 * np.sin(2 * np.pi * place / 12 + 1) + np.random.default_rng(1).normal(0, np.sqrt(3), size=(200, 480))
    found = evidence(y, 40).strength
    assert found.mean() == pytest.approx(2 / (2 + 3 * (1 - 20 / 240)), abs=0.01)
    assert evidence(np.random.default_rng(2).normal(size=(500, 480)), 40).strength.mean() == pytest.approx(0, abs=0.002)


def test_lines_of_a_season_that_is_taken_say_nothing_about_its_multiple():
    rng = np.random.default_rng(3)
    day = np.tile(rng.normal(size=(50, 24)), 28) + 0.1 * rng.normal(size=(50, 672))
    assert evidence(day, 4).score.mean() > 5
    score = evidence(without_season(day, 24), 4, [24]).score
    assert abs(score.mean()) < 0.4
    # Nothing of 12 is left to test.
    assert (evidence(without_season(day, 24), 56, [24]).score < -5).all()


def test_a_season_is_taken_off_exactly_whatever_the_number_of_steps():
    pattern = np.array([1.0, -3.0, 2.0])
    np.testing.assert_allclose(without_season(np.resize(pattern, 10)[None], 3), np.zeros((1, 10)), atol=1e-15)


def test_trends_are_taken_off_and_outliers_cut():
    line = 0.5 * np.arange(60) - 3.0
    assert not without_trend(line[None]).any()
    assert not without_trend(np.full((1, 9), 1e12)).any()
    y = line + np.random.default_rng(4).normal(size=60)
    plain = without_trend(y[None])[0]
    y[30] = 1e9
    cut = without_trend(y[None])[0]
    assert np.corrcoef(np.delete(plain, 30), np.delete(cut, 30))[0, 1] > 0.999
    assert np.abs(np.delete(cut, 30)).max() > 0.2


def test_a_season_that_grows_with_the_level_is_seen():
    place = np.arange(72)
    y = np.exp(0.04 * place) * (1 + 0.1 * np.sin(2 * np.pi * place / 12))
    y = y * (1 + 0.02 * np.random.default_rng(5).normal(size=(50, 72)))
    assert evidence(without_line(without_trend(y)), 6).score.min() > 3
