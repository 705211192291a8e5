"""Windows against a loop, on series that count 0, 1, 2, ...: every value is its own step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.series.files import read_series
from seqtag.forecasting.data.windows import all_windows, last_windows


def counting(*lengths):
    """Series 0 counts from 0, series 1 from 1000, series 2 from 2000 ..."""
    frames = [
        pd.DataFrame({"unique_id": f"s{k}", "ds": np.arange(n), "y": 1000.0 * k + np.arange(n)})
        for k, n in enumerate(lengths)
    ]
    return read_series(pd.concat(frames), frequency=1)


def looped(lengths, lookback, horizon, stride, min_history):
    histories, futures = [], []
    for k, n in enumerate(lengths):
        ends = [end for end in range(min_history, n - horizon + 1) if (n - horizon - end) % stride == 0]
        for end in ends:
            history = [1000.0 * k + step if step >= 0 else np.nan for step in range(end - lookback, end)]
            histories.append(history)
            futures.append([1000.0 * k + step for step in range(end, end + horizon)])
    return np.reshape(histories, (-1, lookback)), np.reshape(futures, (-1, horizon))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 14), min_size=1, max_size=5),
    lookback=st.integers(1, 6),
    horizon=st.integers(1, 4),
    stride=st.integers(1, 4),
    padded=st.integers(0, 5),
)
def test_windows_are_those_of_a_loop(lengths, lookback, horizon, stride, padded):
    min_history = max(1, lookback - padded)
    table = counting(*lengths)
    windows = all_windows(table, lookback, horizon, stride=stride, min_history=min_history)
    histories, futures = looped(lengths, lookback, horizon, stride, min_history)
    np.testing.assert_array_equal(windows.history(table.values), histories)
    np.testing.assert_array_equal(windows.future(table.values), futures)
    np.testing.assert_array_equal(windows.history_steps()[1], ~np.isnan(histories))


def test_the_newest_value_is_the_last_of_its_window():
    table = counting(10, 2, 5)
    windows = last_windows(table, 4, 3)
    expected = [[6, 7, 8, 9], [np.nan, np.nan, 1000, 1001], [2001, 2002, 2003, 2004]]
    np.testing.assert_array_equal(windows.history(table.values), expected)
    newest = all_windows(table, 4, 1, stride=3, min_history=1).future(table.values)
    assert {9.0, 1001.0, 2004.0} <= set(newest[:, 0])


def test_a_whole_window_is_a_slice_without_a_copy():
    table = counting(10, 8)
    windows = all_windows(table, 4, 2)
    for end, history in zip(windows.ends, windows.history(table.values), strict=True):
        view = table.values[end - 4 : end]
        assert view.base is not None
        np.testing.assert_array_equal(view, history)


def test_windows_take_arrays_of_any_width_and_type():
    table = counting(5, 3)
    windows = all_windows(table, 3, 1, min_history=1)
    wide = np.stack([table.values, -table.values], axis=-1)
    assert windows.history(wide).shape == (len(windows), 3, 2)
    assert windows.history(table.observed, False)[0].tolist() == [False, False, True]
    assert windows.take(windows.series == 1).history(table.values, -1).tolist() == [[-1, -1, 1000], [-1, 1000, 1001]]


def test_windows_never_cross_series():
    table = counting(4, 4, 4)
    windows = all_windows(table, 3, 1, min_history=1)
    thousands = windows.history(table.values) // 1000
    assert np.all(np.isnan(thousands) | (thousands == windows.series[:, None]))


@pytest.mark.parametrize("wrong", [{"lookback": 0}, {"horizon": 0}, {"stride": 0}, {"min_history": 0}])
def test_lengths_are_at_least_one(wrong):
    [name] = wrong
    with pytest.raises(ValueError, match=f"expected {name} to be at least 1, found 0"):
        all_windows(counting(9), **{"lookback": 2, "horizon": 1, **wrong})
    if name in ("lookback", "horizon"):
        with pytest.raises(ValueError, match=f"expected {name} to be at least 1, found 0"):
            last_windows(counting(9), **{"lookback": 2, "horizon": 1, **wrong})


def test_the_shortest_history_is_at_most_the_lookback():
    with pytest.raises(ValueError, match="expected min_history to be at most the lookback of 2, found 3"):
        all_windows(counting(9), 2, 1, min_history=3)
