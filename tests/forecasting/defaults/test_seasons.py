"""Seasons that are in simulated series are found, none is in noise, and neither order nor units matter."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.series.files import read_series, read_wide
from seqtag.data.series.frequency import Frequency
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.data.m3 import read_m3
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.defaults.seasons import calendar_periods, find_seasons, measure_seasons


def table(series, frequency="D", ids=None) -> SeriesTable:
    lengths = [len(values) for values in series]
    return SeriesTable(
        ids=np.array([f"s{n}" for n in range(len(series))] if ids is None else ids, object),
        offsets=np.r_[0, np.cumsum(lengths)],
        values=np.concatenate([np.asarray(values, float) for values in series]) if len(series) else np.zeros(0),
        frequency=Frequency.parse(frequency),
        time_zone=None,
        ordinals=np.zeros(len(series), np.int64),
        phases=np.zeros(len(series), np.int64),
        inserted=np.zeros(sum(lengths), bool),
    )


def seasonal(rng, series, steps, *lengths, strength=0.5) -> np.ndarray:
    """White noise and random seasons of random phases, with `strength` of the variance."""
    rows = np.sqrt(1 - strength) * rng.normal(size=(series, steps))
    for length in lengths:
        pattern = rng.normal(size=(series, round(length)))
        pattern = (pattern - pattern.mean(axis=1, keepdims=True)) / pattern.std(axis=1, keepdims=True)
        rows += np.sqrt(strength / len(lengths)) * pattern[:, (np.arange(steps) % length).astype(int) % round(length)]
    return rows


@pytest.mark.parametrize(
    ("frequency", "lengths", "steps", "found"),
    [
        ("h", [24], 24 * 40, (24,)),
        ("h", [24, 168], 24 * 42, (24, 168)),
        ("h", [168], 24 * 42, (24, 168)),  # a pattern of a week has a mean day too
        ("30min", [48], 48 * 20, (48,)),
        ("15min", [96, 672], 96 * 30, (96, 672)),
        ("D", [7], 120, (7,)),
        ("D", [7, 365.25], 1500, (7, 365)),
        ("D", [365.25], 1500, (365,)),
        ("B", [5], 200, (5,)),
        ("W", [52.18], 300, (52,)),
        ("MS", [12], 60, (12,)),
        ("QS", [4], 32, (4,)),
        ("min", [60], 60 * 10, (60,)),
        (1, [12], 72, (12,)),
        (1, [24, 168], 24 * 42, (24, 168)),
        (1, [17], 170, (17,)),
        (1, [52.18], 300, (52,)),
    ],
)
def test_seasons_are_found(frequency, lengths, steps, found):
    for seed in range(3):
        rows = seasonal(np.random.default_rng(seed), 10, steps, *lengths)
        assert find_seasons(table(rows, frequency)) == found


def test_a_season_is_found_in_random_walks_and_on_trends():
    rng = np.random.default_rng(0)
    rows = 2 * seasonal(rng, 10, 72, 12, strength=0.8) + rng.normal(size=(10, 72)).cumsum(axis=1)
    assert find_seasons(table(rows, "MS")) == (12,)
    assert find_seasons(table(np.exp(0.05 * np.arange(72) + 0.05 * rows), "MS")) == (12,)


def test_weak_seasons_are_found_by_many_series_together():
    rng = np.random.default_rng(1)
    rows = seasonal(rng, 300, 48, 12, strength=0.25)
    [season] = measure_seasons(table(rows, "MS"))
    assert season.length == 12 and season.share_of_series < 0.9
    assert season.strength == pytest.approx(0.25, abs=0.05)
    assert not find_seasons(table(rows[:2], "MS"))


def test_few_series_with_a_season_give_the_others_none():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(40, 60))
    rows[:4] = seasonal(rng, 4, 60, 12, strength=0.9)
    assert find_seasons(table(rows[:8], "MS")) == (12,)
    assert find_seasons(table(rows, "MS")) == ()


def noise(rng, kind, series, steps) -> np.ndarray:
    rows = rng.normal(size=(series, steps))
    if kind == "walk":
        return rows.cumsum(axis=1)
    if kind == "together":
        return rows[:1].cumsum(axis=1) + 0.1 * rows
    if kind == "red":
        return sum(0.9**lag * np.roll(rows, lag, axis=1) for lag in range(40))
    if kind == "zeros":
        return rng.poisson(0.2, rows.shape) * rng.integers(1, 20, rows.shape)
    if kind == "shift":
        return rows + 20 * (np.arange(steps) >= rng.integers(0, steps, (series, 1)))
    if kind == "growth":
        return np.exp(2 * np.arange(steps) / steps) * (10 + 0.3 * rows)
    if kind == "heavy":
        return rng.standard_t(1.5, rows.shape)
    return rows


@pytest.mark.parametrize("kind", ["white", "walk", "together", "red", "zeros", "shift", "growth", "heavy"])
def test_noise_has_no_season(kind):
    """In at most one of 96 tables of noise: of one series or several, short or long, of each frequency."""
    shapes = [("h", 400), ("D", 60), ("B", 1500), ("W", 200), ("MS", 60), ("QS", 32), (1, 60), (1, 200)]
    found = []
    for seed in range(6):
        for frequency, steps in shapes:
            for series in (1, 12):
                rng = np.random.default_rng([seed, steps, series])
                found.append(find_seasons(table(noise(rng, kind, series, steps), frequency)))
    assert sum(map(bool, found)) <= 1


def test_gaps_that_follow_the_calendar_are_no_season():
    """Prices that rest at weekends, read as daily."""
    rows = np.random.default_rng(3).normal(size=(10, 700)).cumsum(axis=1)
    rows[:, np.arange(700) % 7 >= 5] = np.nan
    assert find_seasons(table(rows)) == ()


def test_gaps_and_outliers_hide_no_season():
    rng = np.random.default_rng(4)
    rows = seasonal(rng, 10, 140, 7, strength=0.7)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    rows[:, 50:60] = np.nan
    rows[rng.random(rows.shape) < 0.02] = 1e6
    assert find_seasons(table(rows)) == (7,)


def test_a_season_needs_three_cycles_in_most_series():
    rows = seasonal(np.random.default_rng(5), 20, 48, 12, strength=0.9)
    assert find_seasons(table(rows[:, :36], "MS")) == (12,)
    assert find_seasons(table(rows[:, :35], "MS")) == ()
    short = [row[:10] for row in rows]
    assert find_seasons(table([*rows[:8], *short[8:]], "MS")) == ()
    assert find_seasons(table([*rows[:12], *short[12:]], "MS")) == (12,)


@pytest.mark.parametrize("frequency", ["h", "D", "MS", 1, "us"])
@pytest.mark.parametrize(
    "series",
    [
        [],
        [[]],
        [[1.0]],
        [[1.0, 2.0]],
        [[], [1.0], [1.0, 2.0], [np.nan] * 50],
        [[5.0] * 100] * 3,
        [[0.0] * 100, list(range(100)), [1e12 + n for n in range(100)]],
        [[np.nan, 1.0, np.nan] * 40, [0.0] * 99 + [1.0]],
        [[1.7e308, -1.7e308] * 50, [5e-324, 0.0, 0.0] * 40],
        [np.exp(np.arange(100.0))],
    ],
)
def test_hard_series_have_an_answer(series, frequency):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_seasons(table(series, frequency))
    assert all(0 <= season.strength <= 1 and 0 <= season.share_of_series <= 1 for season in found)
    if not any(len(values) > 5 for values in series):
        assert found == ()


VALUE = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 1e308, -1e308, 1e-308, np.nan]), st.floats(-1e20, 1e20))


@settings(max_examples=40, deadline=None)
@given(series=st.lists(st.lists(VALUE, max_size=30), max_size=4), frequency=st.sampled_from(["6h", "D", "QS", 1]))
def test_any_series_have_an_answer(series, frequency):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_seasons(table(series, frequency))
    assert all(np.isfinite([season.strength, season.share_of_series]).all() for season in found)


def test_constants_beside_seasonal_series_change_nothing():
    rows = seasonal(np.random.default_rng(6), 5, 140, 7)
    assert measure_seasons(table([*rows, *[[3.0] * 140] * 20])) == measure_seasons(table(rows))


TABLES = [
    (seasonal(np.random.default_rng(7), 12, 100, 7, strength=0.4), "D"),
    (noise(np.random.default_rng(8), "walk", 12, 100), 1),
]


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(12)), scale=st.floats(-20, 20), level=st.floats(0, 4), sign=st.sampled_from([-1, 1]))
def test_order_and_units_do_not_matter(order, scale, level, sign):
    for rows, frequency in TABLES:
        ids = np.array([f"s{n}" for n in range(12)])
        expected = measure_seasons(table(rows, frequency, ids))
        changed = sign * 10**scale * (rows + 10**level)
        found = measure_seasons(table(changed[order], frequency, ids[order]))
        assert [s.length for s in found] == [s.length for s in expected]
        assert [s.strength for s in found] == pytest.approx([s.strength for s in expected], abs=1e-6)
        assert measure_seasons(table(rows[order], frequency, ids[order])) == expected


def test_a_high_level_hides_no_small_season():
    rows = seasonal(np.random.default_rng(9), 8, 100, 7)
    assert find_seasons(table(1e12 + rows)) == (7,)


def test_the_cycles_of_the_calendar():
    def periods(name, longest=10**6):
        return calendar_periods(Frequency.parse(name), longest)

    assert periods("h") == [24, 168, 8766] and periods("h", 200) == [24, 168]
    assert periods("15min") == [96, 672, 35064]
    assert periods("min") == [1440, 10080, 525960] and periods("min", 100) == [60]
    assert periods("6h") == [4, 28, 1461] and periods("7h") == [24, 1252.29]
    assert periods("D") == [7, 365.25] and periods("W") == [52.18] and periods("2W") == [26.09]
    assert periods("B") == [5, 260.9] and periods("MS") == [12] and periods("2MS") == [6] and periods("QS") == [4]
    assert periods("YS") == [] and periods("5MS") == []
    assert periods("bh") == [8, 2087.5] or periods("bh")[0] == 8
    assert periods("SME") == [24]


def test_samples():
    assert find_seasons(read_series(sample_series()[0])) == (7,)
    assert find_seasons(read_series(sample_series(steps=2200)[0])) == (7, 365)
    assert find_seasons(read_series(sample_series(steps=1344, frequency="h")[0])) == (24, 168)


def file(name):
    root = os.environ.get("SEQTAG_DATA")
    if not root or not Path(root, name).exists():
        pytest.skip(f"{name} is not under SEQTAG_DATA")
    return Path(root, name)


def test_m3():
    found = {period: find_seasons(series) for period, (series, _) in read_m3(file("m3/M3.csv")).items()}
    assert found == {"yearly": (), "quarterly": (4,), "monthly": (12,), "other": ()}


def test_ett():
    hourly = pd.read_csv(file("ett/ETTh1.csv"), parse_dates=["date"])
    assert find_seasons(read_wide(hourly)) == (24,)
    assert find_seasons(read_wide(hourly.set_index("date").resample("D").mean().reset_index())) == ()
    assert find_seasons(read_wide(file("ett/ETTm1.csv"))) == (96,)
