"""The ETT and M3 files under SEQTAG_DATA: the numbers of series and steps are those of the papers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series, read_wide
from seqtag.forecasting.data.m3 import read_m3
from seqtag.forecasting.data.windows import all_windows


def file(name):
    root = os.environ.get("SEQTAG_DATA")
    if not root or not Path(root, name).exists():
        pytest.skip(f"{name} is not under SEQTAG_DATA")
    return Path(root, name)


@pytest.mark.parametrize(("name", "steps", "step"), [("ETTh1", 17_420, "h"), ("ETTm1", 69_680, "15min")])
def test_ett(name, steps, step):
    path = file(f"ett/{name}.csv")
    table = read_wide(path)
    frame = pd.read_csv(path)
    assert table.ids.tolist() == ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    assert table.lengths.tolist() == [steps] * 7
    assert table.frequency.name == step
    assert not table.inserted.any()
    np.testing.assert_array_equal(table.values.reshape(7, steps), frame[table.ids].to_numpy().T)
    assert str(table.to_timestamps(table.times[-1:])[0]) == frame["date"].iloc[-1]
    assert len(all_windows(table, 720, 96)) == 7 * (steps - 720 - 96 + 1)


def test_ett_in_long_form_with_rows_gone_is_read_the_same():
    frame = pd.read_csv(file("ett/ETTh1.csv")).melt("date", var_name="unique_id", value_name="y")
    frame = frame.rename(columns={"date": "ds"})
    whole = read_series(frame)
    kept = np.random.default_rng(0).random(len(frame)) < 0.9
    kept[::17_420] = kept[17_419::17_420] = True
    found = read_series(frame[kept].sample(frac=1, random_state=0))
    order = [found.ids.tolist().index(name) for name in whole.ids]
    for series, place in enumerate(order):
        expected, part = whole.values[whole.rows(series)], found.values[found.rows(place)]
        np.testing.assert_array_equal(part, np.where(found.inserted[found.rows(place)], np.nan, expected))
    assert found.inserted.sum() == (~kept).sum()


def test_m3():
    m3 = read_m3(file("m3/M3.csv"))
    assert {name: len(train) for name, (train, _) in m3.items()} == {
        "yearly": 645,
        "quarterly": 756,
        "monthly": 1428,
        "other": 174,
    }
    assert {name: test.shape[1] for name, (_, test) in m3.items()} == {
        "yearly": 6,
        "quarterly": 8,
        "monthly": 18,
        "other": 8,
    }
    train, test = m3["yearly"]
    assert train.ids[0] == "N0001"
    assert train.values[:2].tolist() == [940.66, 1084.86]
    assert test[0].tolist() == [5379.75, 6158.68, 6876.58, 7851.91, 8407.84, 9156.01]
    assert all(table.observed.all() for table, _ in m3.values())
