"""Held-out steps: no training window touches them, and a held-out window starts at each of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.data.windows import all_windows, subsample, with_history, with_values


def table_of(*lengths, missing=()):
    """Series k counts from 1000 k; the flat steps `missing` have no value."""
    frames = [
        pd.DataFrame({"unique_id": f"s{k}", "ds": range(n), "y": 1000.0 * k + np.arange(n)})
        for k, n in enumerate(lengths)
    ]
    frame = pd.concat(frames, ignore_index=True)
    frame.loc[list(missing), "y"] = np.nan
    return read_series(frame, frequency=1)


def origins(table, windows):
    """Series and step, counted from the series' start, of each window."""
    return list(zip(windows.series.tolist(), (windows.ends - table.offsets[windows.series]).tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 25), min_size=1, max_size=5),
    lookback=st.integers(1, 6),
    horizon=st.integers(1, 4),
    more=st.integers(0, 4),
    min_history=st.integers(1, 6),
)
def test_no_fitted_window_touches_a_held_out_step(lengths, lookback, horizon, more, min_history):
    table, steps, min_history = table_of(*lengths), horizon + more, min(min_history, lookback)
    try:
        parts = split(table, lookback, horizon, steps, min_history)
    except DataError:
        assert max(lengths) < steps + min_history + horizon
        return
    held_out = {series for series, _ in origins(table, parts.held_out_windows)}
    long = {
        needed: {s for s, n in enumerate(lengths) if n >= needed + min_history} for needed in (steps, steps + horizon)
    }
    assert long[steps + horizon] <= held_out <= long[steps]
    for series, length in enumerate(lengths):
        found = [end for of, end in origins(table, parts.held_out_windows) if of == series]
        fitted = [end for of, end in origins(parts.fitted, parts.training_windows) if of == series]
        end_of_fitted = length - steps if series in held_out else length
        assert found == (list(range(length - steps, length - horizon + 1)) if found else [])
        assert (
            set(range(min_history, end_of_fitted - horizon + 1))
            <= set(fitted)
            <= set(range(min_history, end_of_fitted))
        )
        assert sorted(fitted) == fitted
    # The fitted table does not have the held-out steps, so that no training window can reach them.
    futures = parts.held_out_windows.future(table.values)
    assert not set(futures.ravel()) & set(parts.fitted.values)
    np.testing.assert_array_equal(parts.held_out_windows.history(table.values)[:, -1] + 1, futures[:, 0])


def test_windows_without_a_value_in_history_or_future_are_left_out():
    table = table_of(6, 4, missing=[2, 3, 4, 6])
    windows = all_windows(table, 2, 1, min_history=1)
    values = table.values
    seen = ~np.isnan(windows.history(values)).all(axis=1)
    assert origins(table, with_history(table, windows)) == origins(table, windows.take(seen))
    both = seen & ~np.isnan(windows.future(values)).all(axis=1)
    assert origins(table, with_values(table, windows)) == origins(table, windows.take(both))


def test_a_gap_before_the_end_leaves_no_origin_in_it():
    parts = split(table_of(20, missing=range(12, 17)), lookback=3, horizon=2, steps=6)
    # The window at 14 has no future, those at 15 to 17 have no history.
    assert parts.held_out_windows.ends.tolist() == [18]


def test_many_windows_are_thinned_in_even_steps():
    windows = all_windows(table_of(102), 1, 1)
    assert subsample(windows, 101) is windows
    np.testing.assert_array_equal(subsample(windows, 11).ends, np.arange(1, 102, 10))


def test_fewer_steps_than_a_horizon_are_no_judge():
    with pytest.raises(ValueError, match="expected validation_steps of at least the horizon of 4, found 3"):
        split(table_of(30), 5, 4, 3)


def test_series_too_short_are_named():
    with pytest.raises(DataError, match=r"expected a series .*, found at most 3 .*in 's1'") as error:
        split(table_of(2, 3), 4, 3)
    assert "\n" not in str(error.value)
