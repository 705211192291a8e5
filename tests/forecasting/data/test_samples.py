"""The sample series have the features that their description names, and the same numbers for the same seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.forecasting.data.future import read_future
from seqtag.forecasting.data.samples import sample_series

COLUMNS = SeriesColumns(covariates=CovariateNames(known=("promotion", "holiday"), static=("region",)))


@pytest.mark.parametrize("frequency", ["D", "h"])
def test_samples_are_read_and_lead_into_their_future(frequency):
    history, future = sample_series(6, 400, 21, frequency=frequency, seed=3)
    table = read_series(history, COLUMNS)
    assert table.frequency.name == frequency
    assert len(set(table.lengths.tolist())) > 3
    assert table.lengths[0] == 400
    assert 0.01 < table.inserted.mean() < 0.03
    known = read_future(table, 21, future, COLUMNS).known
    assert known["promotion"].shape == (6, 21)
    assert future["y"].notna().all()


def test_the_same_seed_gives_the_same_series_and_another_others():
    first, again, other = (sample_series(3, 100, 5, seed=seed)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not np.array_equal(first["y"][:50], other["y"][:50])


def test_more_series_leave_the_first_as_they_are():
    few, many = sample_series(2, 100, 5)[0], sample_series(4, 100, 5)[0]
    pd.testing.assert_frame_equal(few, many[: len(few)])


def test_a_linear_model_of_the_stated_parts_explains_everything_but_the_noise():
    """Without noise, trend, both seasons, holidays, promotions and a shift explain all of a series."""
    history, future = sample_series(2, 800, 60, noise=0.0, seed=5)
    whole = pd.concat([history, future])
    for name, shifted in (("shop_0", False), ("shop_1", True)):
        shop = whole[(whole["unique_id"] == name) & whole["y"].notna()]
        step = (shop["ds"] - pd.Timestamp("2022-01-01")).dt.days.to_numpy(float)
        waves = [f(2 * np.pi * k * step / s) for s in (7, 365.25) for k in (1, 2) for f in (np.sin, np.cos)]
        parts = [np.ones_like(step), step / 800, shop["promotion"], shop["holiday"] == "holiday", *waves]
        y = shop["y"].to_numpy()
        left = []
        for at in range(80, 720) if shifted else [0]:
            design = np.stack([*(np.asarray(part, float) for part in parts), step >= at], axis=1)[
                :, : None if shifted else -1
            ]
            weights = np.linalg.lstsq(design, y, rcond=None)[0]
            left.append((np.abs(design @ weights - y).max(), weights))
        worst, weights = min(left, key=lambda pair: pair[0])
        assert worst < 1e-8
        np.testing.assert_allclose(weights[2:4], [60, -15], atol=1e-6)
        if shifted:
            assert 10 <= abs(weights[-1]) <= 25


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"series": 0}, "expected series to be at least 1, found 0"),
        ({"steps": 49}, "expected steps to be at least 50, found 49"),
        ({"horizon": 0}, "expected horizon to be at least 1, found 0"),
        ({"frequency": "W"}, "expected frequency 'D' or 'h', found 'W'"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        sample_series(**wrong)
