"""Training windows: every pass holds each once, in an order of its own, wherever a run goes on."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from seqtag.forecasting.data.batches import WindowBatches


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
