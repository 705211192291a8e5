"""Mean and deviation in float64: of any size, on any level, and of nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.forecasting.data.moments import moments_of, moves_little, training_moments, typical_deviation

NAN = np.nan


def test_moments_are_those_of_each_series():
    values = np.array([1, 2, NAN, 6, 5, 5, 0, 0, NAN, NAN])
    offsets = np.array([0, 4, 6, 8, 9, 10])
    expected = [[3, np.std([1, 2, 6])], [5, 0], [0, 0], [0, 0], [0, 0]]
    np.testing.assert_allclose(training_moments(values, offsets), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-20, 1.0, 1e20, 1e290])
@pytest.mark.parametrize("ratio", [0, 1e3, 1e6, 1e12])
def test_a_movement_is_seen_at_any_size_and_on_any_level(size, ratio):
    steps = np.array([1.0, 5.0, 2.0, NAN, 8.0])
    mean, deviation = moments_of(size * (ratio + steps))
    tolerance = 1e-15 + 1e-15 * ratio
    np.testing.assert_allclose(deviation / size, np.nanstd(steps), rtol=tolerance)
    np.testing.assert_allclose(mean / size, ratio + 4, rtol=1e-15, atol=tolerance)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e20, 1e-300])
def test_equal_numbers_have_no_deviation(value):
    assert moments_of(np.full(7, value)) == (value, 0.0)
    assert moments_of(np.array([value, np.nextafter(value, value + 1)]))[1] < 1e-15 * abs(value) + 1e-300


def table_of(**series):
    frames = [pd.DataFrame({"unique_id": name, "ds": range(len(y)), "y": y}) for name, y in series.items()]
    return read_series(pd.concat(frames))


def test_most_series_decide_how_large_a_deviation_is_and_whether_they_move_little():
    wave = np.resize([1.0, -1.0], 20)
    table = table_of(a=wave, b=50 + 2 * wave, c=1e9 + 3 * wave, d=np.full(20, 7.0))
    assert typical_deviation(table) == 2 and not moves_little(table)
    assert moves_little(table_of(a=1e6 + wave, b=300 + wave, c=10 + wave))
    constant = table_of(a=np.full(20, 7.0))
    assert typical_deviation(constant) == 0 and not moves_little(constant)
