"""Rolling origins: cutoffs counted by hand, and against loops over steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.backtesting import RollingOrigins


def counting(*lengths, missing=()):
    """Series a, b, ... of 0, 1, 2, ... plus 100 for each series before, NaN at some flat steps; all start at time 5."""
    parts = [
        pd.DataFrame({"unique_id": chr(97 + s), "ds": np.arange(5, 5 + n), "y": 100.0 * s + np.arange(n)})
        for s, n in enumerate(lengths)
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[list(missing), "y"] = np.nan
    return read_series(frame, frequency=1)


def test_cutoffs_are_counted_from_the_end_of_each_series():
    table = counting(10, 7, 4)
    first, last = RollingOrigins(folds=2, horizon=2, step=3).split(table)
    assert (first.number, last.number) == (1, 2)
    assert first.cutoffs.tolist() == [5, 2, 0]
    assert first.left_out.tolist() == [2]
    assert first.train().ids.tolist() == ["a", "b"]
    assert first.train().values.tolist() == [0, 1, 2, 3, 4, 100, 101]
    assert first.windows.series.tolist() == [0, 1]
    assert first.windows.future(table.values).tolist() == [[5, 6], [102, 103]]
    assert last.cutoffs.tolist() == [8, 5, 2]
    assert last.left_out.tolist() == []
    assert last.windows.future(table.values).tolist() == [[8, 9], [105, 106], [202, 203]]
    assert last.windows.lookback == 8
    assert last.windows.history(table.values)[2, -3:].tolist()[1:] == [200, 201]


def test_a_window_slides_and_keeps_its_times():
    table = counting(9)
    parts = [fold.train() for fold in RollingOrigins(folds=3, horizon=1, train_steps=4).split(table)]
    assert [part.values.tolist() for part in parts] == [[2, 3, 4, 5], [3, 4, 5, 6], [4, 5, 6, 7]]
    assert [part.times.tolist()[0] for part in parts] == [7, 8, 9]
    early = next(RollingOrigins(folds=7, horizon=1, train_steps=4).split(table))
    assert early.train().values.tolist() == [0, 1]


@given(
    st.lists(st.integers(1, 15), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 4),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(2, 5),
    st.integers(1, 2),
)
def test_folds_are_loops_over_the_steps(lengths, folds, horizon, step, train_steps, min_train_steps):
    table = counting(*lengths)
    origins = RollingOrigins(folds, horizon, step, train_steps, min_train_steps)
    back = [horizon + fold * (step or horizon) for fold in reversed(range(folds))]
    if max(lengths) < back[0] + min_train_steps:
        with pytest.raises(DataError, match="expected"):
            list(origins.split(table))
        return
    for fold, steps_back in zip(origins.split(table), back, strict=True):
        parts = {}
        for series, length in enumerate(lengths):
            every = [float(100 * series + at) for at in range(length)]
            known = every[: max(length - steps_back, 0)][-(train_steps or 99) :]
            if len(known) >= min_train_steps:
                parts[series] = known, every[length - steps_back :][:horizon]
        assert fold.train().values.tolist() == [value for known, _ in parts.values() for value in known]
        assert fold.windows.series.tolist() == list(parts)
        assert fold.windows.future(table.values).tolist() == [future for _, future in parts.values()]
        assert fold.windows.lookback == max(len(known) for known, _ in parts.values())
        for row, (known, _) in zip(fold.windows.history(table.values), parts.values(), strict=True):
            assert row[len(row) - len(known) :].tolist() == known
        assert sorted([*fold.left_out, *parts]) == list(range(len(lengths)))
        seen = fold.known()
        assert sorted(seen.values[seen.observed]) == sorted(
            float(100 * series + at) for series, length in enumerate(lengths) for at in range(length - steps_back)
        )


def test_a_part_without_a_value_is_left_out():
    table = counting(8, 8, missing=[0, 1, 2, 3])
    first, last = RollingOrigins(folds=2, horizon=2).split(table)
    assert first.left_out.tolist() == [0]
    assert first.train().ids.tolist() == ["b"]
    assert last.left_out.tolist() == []
    sliding = list(RollingOrigins(folds=1, horizon=2, train_steps=2).split(counting(8, 8, missing=[4, 5])))
    assert sliding[0].train().values.tolist() == [104, 105]


def test_a_fold_without_series():
    with pytest.raises(
        DataError,
        match="series 'a': expected 2 steps with a value and 6 more for fold 1 of 3, found 7 in the longest series",
    ):
        list(RollingOrigins(folds=3, horizon=2, min_train_steps=2).split(counting(7, 4)))


@pytest.mark.parametrize("name", ["folds", "horizon", "step", "train_steps", "min_train_steps"])
def test_numbers_below_one(name):
    with pytest.raises(ValueError, match=f"expected {name} to be at least 1, found 0"):
        RollingOrigins(**{"folds": 1, "horizon": 1, name: 0})


def test_a_window_shorter_than_the_shortest_part():
    with pytest.raises(ValueError, match="expected min_train_steps of at most train_steps, 3, found 4"):
        RollingOrigins(folds=1, horizon=1, train_steps=3, min_train_steps=4)
