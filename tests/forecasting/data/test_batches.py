"""Batches gathered in the graph against a loop over windows and steps; training windows in random order."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.forecasting.data.batches import WindowBatches, WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.future import append_future, read_future
from seqtag.forecasting.data.windows import Windows, all_windows

NAMES = SeriesColumns(
    covariates=CovariateNames(past=("cost", "mood"), known=("price", "event"), static=("size", "region"))
)
LENGTHS = {"a": 9, "b": 2, "c": 6}
STEPWISE = {"calendar": 0, "known": np.nan, "known_codes": 0, "past": np.nan, "past_codes": 0}


def frame_of(extra=0):
    """Series with gaps whose values and covariates all differ; each has `extra` more rows."""
    rng = np.random.default_rng(3)
    frames = []
    for k, (name, length) in enumerate(LENGTHS.items()):
        steps = np.arange(length + extra)
        frame = pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-02-26", periods=len(steps), freq="D")})
        frame["y"] = 100.0 * k + steps
        frame["cost"], frame["price"] = rng.normal(size=(2, len(steps)))
        frame["mood"] = np.where(steps % 3, "good", "bad")
        frame["event"] = [f"{name}{step % 2}" for step in steps]
        frame["size"], frame["region"] = float(k), ("north", "south")[k % 2]
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    frame.loc[[3, 12], ["y", "cost"]] = np.nan
    return frame


@pytest.fixture(scope="module")
def table():
    return read_series(frame_of(), NAMES)


@pytest.fixture(scope="module")
def encoder(table):
    return SeriesEncoder.fit(table, calendar=True)


def looped(encoded, table, windows, chosen):
    """The expected batch, computed step by step."""
    arrays = {"values": encoded.values, **encoded.steps()}
    padding = {"values": np.nan, **STEPWISE}
    found = {name: [] for name in arrays}
    for window in chosen:
        series, end = windows.series[window], windows.ends[window]
        steps = range(end - windows.lookback, end + windows.horizon)
        inside = range(table.offsets[series], table.offsets[series + 1])
        for name, array in arrays.items():
            blank = np.full(array.shape[1:], padding[name], array.dtype)
            found[name].append([array[step] if step in inside else blank for step in steps])
    batch = {name: np.array(rows) for name, rows in found.items()}
    values = batch.pop("values")
    batch["history"], batch["target"] = values[:, : windows.lookback], values[:, windows.lookback :]
    for name in ("past", "past_codes"):
        batch[name] = batch[name][:, : windows.lookback]
    for name in ("static", "static_codes", "series"):
        batch[name] = getattr(encoded, name)[windows.series[chosen]]
    return batch


def assert_equal_batches(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name].numpy(), array, err_msg=name)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize(("lookback", "horizon"), [(4, 2), (1, 1), (12, 1)])
def test_batches_are_those_of_a_loop(table, encoder, lookback, horizon):
    windows = all_windows(table, lookback, horizon, min_history=1)
    encoded = encoder.encode(table)
    chosen = np.random.default_rng(0).permutation(len(windows))
    assert_equal_batches(WindowReader(encoded, windows).batch(chosen), looped(encoded, table, windows, chosen))


def test_windows_past_the_end_of_a_series_read_nothing_of_the_next_one(table, encoder):
    windows = Windows(np.arange(3), table.offsets[1:] - [0, 1, 0], table.offsets[:-1], lookback=3, horizon=5)
    encoded = encoder.encode(table)
    chosen = np.arange(3)
    batch = WindowReader(encoded, windows).batch(chosen)
    assert_equal_batches(batch, looped(encoded, table, windows, chosen))
    assert np.isnan(batch["target"].numpy()[0]).all()


def test_a_window_of_an_extended_table_reads_the_future_frame(table, encoder):
    whole = read_series(frame_of(extra=3), NAMES)
    future = frame_of(extra=3)[["unique_id", "ds", "price", "event"]]
    longer = append_future(table, read_future(table, 3, future))
    windows = Windows(np.arange(3), longer.offsets[1:] - 3, longer.offsets[:-1], lookback=4, horizon=3)
    found = WindowReader(encoder.encode(longer), windows, with_target=False).batch(np.arange(3))
    true = WindowReader(encoder.encode(whole), windows, with_target=False).batch(np.arange(3))
    assert "target" not in found
    for name in ("calendar", "static", "static_codes", "series", "past_codes"):
        np.testing.assert_array_equal(found[name], true[name], err_msg=name)
    price = future.set_index(["unique_id", "ds"])["price"]
    prices = [
        [price[name, stamp] for stamp in longer.to_timestamps(longer.times[end : end + 3])]
        for name, end in zip(longer.ids, windows.ends, strict=True)
    ]
    np.testing.assert_array_equal(found["known"][:, 4:, 0], prices)


def test_series_and_categories_that_training_did_not_have_are_told_apart(encoder):
    frame = frame_of().replace({"unique_id": {"b": "new"}, "mood": {"bad": "odd"}})
    encoded = encoder.encode(read_series(frame, NAMES))
    assert encoded.series.tolist() == [1, 0, 3]
    assert set(encoded.past_codes.ravel().tolist()) == {
        1,
        encoder.categories["past"].vocabularies["mood"].index("good"),
    }


def test_a_dataset_asks_the_plan_anew_each_pass(table, encoder):
    windows = all_windows(table, 2, 1, min_history=1)
    asked = []

    def plan():
        asked.append(None)
        yield np.array([len(asked) - 1])
        yield np.array([3, 4])

    dataset = WindowReader(encoder.encode(table), windows).dataset(plan)
    targets = [[batch["target"].numpy().ravel().tolist() for batch in dataset] for _ in range(2)]
    expected = windows.future(table.values).ravel()
    assert targets == [[[expected[n]], expected[[3, 4]].tolist()] for n in range(2)]


def batches_of(windows=11, batch_windows=4, per_epoch=None, seed=3, **options):
    return WindowBatches(None, np.zeros(windows, np.int64), batch_windows, per_epoch, seed, **options)


def numbers(batches, count, after=0):
    return np.concatenate(list(islice(batches.after(after), count)))


@pytest.mark.parametrize(("windows", "size"), [(11, 4), (3, 8), (12, 4), (1, 1)])
def test_each_pass_holds_every_window_once(windows, size):
    batches = batches_of(windows, size)
    drawn = numbers(batches, 10 * windows)[: 4 * windows].reshape(4, windows)
    for one_pass in drawn:
        assert sorted(one_pass) == list(range(windows))
    if windows > 3:
        assert len({tuple(one_pass) for one_pass in drawn}) == 4


@pytest.mark.parametrize("after", [0, 1, 2, 3, 7, 20])
def test_a_run_that_goes_on_reads_what_one_without_a_break_reads(after):
    np.testing.assert_array_equal(numbers(batches_of(), 5, after), numbers(batches_of(), 5 + after)[after * 4 :])


def test_seeds_give_orders_of_their_own():
    assert not np.array_equal(numbers(batches_of(seed=3), 3), numbers(batches_of(seed=4), 3))


@pytest.mark.parametrize(
    ("options", "steps", "items", "size"),
    [
        ({}, 3, 11, 4),
        ({"per_epoch": 5}, 2, 5, 4),
        ({"per_epoch": 500}, 3, 11, 4),
        ({"batch_windows": 64}, 1, 11, 11),
    ],
)
def test_an_epoch_is_a_fixed_number_of_batches(options, steps, items, size):
    batches = batches_of(**options)
    assert (batches.steps, batches.items, batches.batch_windows) == (steps, items, size)
    assert all(len(batch) == size for batch in islice(batches.after(0), 6))


def test_balanced_series_are_drawn_alike():
    series = np.repeat([0, 2, 3], [900, 90, 10])
    batches = WindowBatches(None, series, 1000, None, 3, balanced=True)
    drawn = np.bincount(series[numbers(batches, 9)], minlength=4) / 9000
    assert drawn[1] == 0
    np.testing.assert_allclose(drawn[[0, 2, 3]], 1 / 3, atol=0.03)
