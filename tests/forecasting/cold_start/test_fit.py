"""The pool of a table, and from how many values on the network answers."""

from __future__ import annotations

import os
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag.data.series.files import read_series
from seqtag.data.series.slicing import select_series
from seqtag.forecasting.cold_start.fit import fit_pool, newest_alone, pool_of, weighted_quantiles
from seqtag.forecasting.cold_start.pool import ANY, Seen
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.m3 import read_m3
from seqtag.forecasting.data.windows import Windows, all_windows
from seqtag.forecasting.evaluation.metrics import coverage
from seqtag.forecasting.network.network import ForecastOutput

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def table_of(*series):
    frames = [pd.DataFrame({"unique_id": f"s{n}", "ds": range(len(y)), "y": y}) for n, y in enumerate(series)]
    return read_series(pd.concat(frames), frequency=1)


def walks(count=40, steps=60, seed=1):
    random = np.random.default_rng(seed)
    return [100 * random.random() + np.cumsum(random.normal(size=steps)) for _ in range(count)]


def pool_over(table, horizon=4, codes=None, relative=False):
    codes = np.zeros((len(table), 0), np.int32) if codes is None else np.asarray(codes, np.int32)
    return pool_of(table, codes, horizon, LEVELS, relative, enough=3)


def test_every_series_weighs_the_same():
    random = np.random.default_rng(3)
    parts = [random.normal(size=size) for size in (4, 20, 10)]
    values, series = np.concatenate(parts), np.repeat(np.arange(3), [4, 20, 10])
    repeated = np.concatenate([np.repeat(part, 20 // len(part)) for part in parts])
    alike = weighted_quantiles(repeated, np.zeros(60, int), LEVELS)
    np.testing.assert_allclose(weighted_quantiles(values, series, LEVELS), alike, atol=0.15)
    assert weighted_quantiles(np.array([7.0]), np.array([2]), LEVELS).tolist() == [7] * 5


def test_changes_are_those_between_values_so_many_steps_apart():
    gaps = np.where(np.arange(200) % 7 == 3, np.nan, np.arange(200) ** 2 % 97.0)
    pool = pool_over(table_of(gaps), horizon=3)
    for lag in (1, 2, 3):
        changes = (gaps[lag:] - gaps[:-lag])[~np.isnan(gaps[lag:] - gaps[:-lag])]
        np.testing.assert_allclose(pool.changes[lag - 1], np.quantile(changes, LEVELS, method="hazen"))


def test_a_lag_with_few_pairs_has_the_changes_of_the_one_before():
    pool = pool_over(table_of(np.arange(24.0) ** 1.5), horizon=8)
    assert (np.diff(pool.changes[:4, 2]) > 0).all()
    np.testing.assert_array_equal(pool.changes[4:], np.repeat(pool.changes[3:4], 4, axis=0))


def test_groups_of_enough_series_stand_before_all():
    codes = [[3, 5]] * 12 + [[3, 6]] * 4 + [[4, 6]] * 14
    table = table_of(*(np.full(5, float(n)) for n in range(30)))
    pool = pool_over(table, codes=codes)
    assert pool.keys.tolist() == [[3, 5], [4, 6], [3, ANY], [4, ANY], [ANY, 5], [ANY, 6], [ANY, ANY]]
    np.testing.assert_allclose(pool.values[:, 2], [5.5, 22.5, 7.5, 22.5, 5.5, 20.5, 14.5])


@pytest.mark.parametrize(("level", "scale"), [(0.0, 1e-6), (1e6, 1.0), (1e12, 1e3)])
def test_the_pool_moves_with_level_and_scale(level, scale):
    series = walks(12)
    before, after = (pool_over(table_of(*part)) for part in (series, [level + scale * y for y in series]))
    np.testing.assert_allclose(after.values, level + scale * before.values, rtol=1e-9)
    np.testing.assert_allclose(after.changes, scale * before.changes, atol=1e-6 * scale + 1e-15 * level)


def test_constant_series_do_not_change():
    pool = pool_over(table_of(*(np.full(30, float(n)) for n in range(1, 12))), relative=True)
    assert not pool.changes.any() and pool.ratios is not None and not pool.ratios.any()
    assert pool.values[0].tolist() == sorted(pool.values[0]) and pool.values[0, 2] == 6


def test_paths_stay_at_their_level_and_changes_go_on():
    pool = pool_over(table_of(*walks()), horizon=6)
    assert pool.between_values.correlation[1] > 0.9
    assert 0.3 < pool.between_changes.correlation[3] < pool.between_changes.correlation[1] < 0.95


def test_windows_keep_their_newest_values_alone():
    table = table_of([1.0, np.nan, 2.0, np.nan, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0])
    windows = all_windows(table, 4, 1, min_history=1)
    for count in (1, 2):
        cut = newest_alone(table, windows, count)
        assert (np.isfinite(cut.history(table.values)).sum(axis=1) == count).all()
        for row, end in enumerate(cut.ends):
            seen = table.values[cut.first[row] : end]
            assert seen[0] == seen[~np.isnan(seen)][0] and end - cut.first[row] <= 4
    assert len(newest_alone(table, windows, 1)) == len(windows) and len(newest_alone(table, windows, 4)) == 0


class Answers(SimpleNamespace):
    """A model whose quantiles are a function of its windows' histories."""

    def outputs(self, table, windows):
        history = windows.history(table.values)
        last = history[:, -1:]
        quantiles = self.answer(history, last)[:, None] + np.zeros((1, self.horizon, 1))
        return ForecastOutput(tf.constant(quantiles[..., 2]), tf.constant(quantiles), None)


@pytest.mark.parametrize(
    ("answer", "enough"),
    [
        (lambda history, last: last + np.array([[-2, -1, 0, 1, 2.0]]), 1),  # better than the pool from one value on
        (lambda history, last: last + np.where(np.isnan(history[:, -2:-1]), 900, np.array([[-2, -1, 0, 1, 2.0]])), 2),
        (lambda history, last: last + 900 + np.zeros((1, 5)), 3),
        (lambda history, last: last + np.array([[-0.02, -0.01, 0, 0.01, 0.02]]), 3),  # too narrow to be believed
    ],
)
def test_the_network_answers_where_it_is_better(answer, enough):
    """Changes are those of two kinds of series, some of which jump: the pool's are too wide for these."""
    jumps = [y * 40 for y in walks(20, 30, seed=2)]
    table = table_of(*walks(20, 30), *jumps)
    windows = all_windows(table, 6, 4).take(np.arange(0, 400))
    model = Answers(
        answer=answer, horizon=4, lookback=6, levels=LEVELS, season_length=1, encoder=SeriesEncoder.fit(table)
    )
    assert fit_pool(model, table, windows, relative=False).enough == enough
    assert fit_pool(model, table, windows, relative=False, answers=False).enough == 3


@pytest.mark.skipif("SEQTAG_DATA" not in os.environ, reason="SEQTAG_DATA is not set")
@pytest.mark.parametrize(("period", "horizon"), [("yearly", 6), ("quarterly", 8), ("monthly", 18)])
def test_intervals_cover_what_they_promise_on_m3(period, horizon):
    """Half of the series are the pool of the others, of which nothing, one value or two are seen."""
    table, _ = read_m3(os.path.join(os.environ["SEQTAG_DATA"], "m3", "M3.csv"))[period]
    order = np.random.default_rng(1).permutation(len(table))
    train, others = (select_series(table, np.sort(part)) for part in np.array_split(order, 2))
    pool = pool_of(train, np.zeros((len(train), 0), np.int32), horizon, LEVELS, True, 3)
    blank = ForecastOutput(*(tf.zeros([len(others), horizon, *more], tf.float64) for more in ([], [5], [])))
    for seen, low, high in ((0, 0.74, 0.86), (1, 0.7, 0.86), (2, 0.7, 0.86)):
        first = others.offsets[:-1] + (others.lengths - horizon - 2) // 2
        windows = Windows(np.arange(len(others)), first + seen, first, 5, horizon)
        history = tf.constant(windows.history(others.values))
        codes = tf.zeros([len(others), 0], tf.int32)
        quantiles = pool.apply(blank, Seen.of(history), codes, 5).quantiles.numpy()
        covered = coverage(windows.future(others.values), quantiles[..., 0], quantiles[..., -1])
        assert low <= covered <= high, (seen, covered)
        if seen:
            widths = np.median(quantiles[..., -1] - quantiles[..., 0], axis=0)
            assert widths[-1] > 1.2 * widths[0]
