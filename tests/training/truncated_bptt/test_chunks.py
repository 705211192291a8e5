"""Rows, chunks and unrolls of `arange` data, whose values say where they come from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.training.truncated_bptt.chunks import Sequences, UnrollShape, counts, parallel_streams, plan_chunks


def numbered(lengths: list[int]) -> list[np.ndarray]:
    """Sequences whose step t is 100 times their number and t."""
    return [100 * number + np.arange(length) for number, length in enumerate(lengths)]


def unrolls(lengths: list[int], rows: int, k1: int, k2: int, order: list[int] | None = None) -> list:
    xs = numbered(lengths)
    data = Sequences.of(xs, [-x for x in xs])
    return list(data.unrolls(plan_chunks(data.lengths, rows, k1, order), UnrollShape(k1, k2)))


def test_streams_lie_side_by_side_without_a_copy():
    text = np.arange(14).reshape(7, 2)
    streams = parallel_streams(text, 3)
    assert streams.tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]
    assert np.shares_memory(streams, text)


@pytest.mark.parametrize("rows", [0, 8])
def test_streams_need_a_step_each(rows):
    with pytest.raises(ValueError, match=f"expected rows to be from 1 to the 7 steps of the sequence, found {rows}"):
        parallel_streams(np.arange(7), rows)


@given(st.integers(1, 9), st.integers(1, 40))
def test_the_shape_of_a_unroll(k1, k2):
    shape = UnrollShape(k1, k2)
    assert shape.steps - shape.lead == k2
    assert 0 <= shape.lead < k1
    for cuts in (shape.cuts(), shape.cuts(at_chunks=True)):
        assert cuts[0] == 0
        assert cuts[-1] == shape.steps
        assert {shape.lead, k1} <= set(cuts)
        # The steps that count are within the last call of the model.
        assert cuts[-2] <= shape.steps - shape.loss_steps
    assert set(shape.cuts(at_chunks=True)) >= set(range(0, shape.steps, k1))


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=6),
    st.integers(1, 6),
    st.integers(1, 7),
    st.integers(1, 15),
    st.randoms(use_true_random=False),
)
def test_each_target_counts_once_and_in_order(lengths, rows, k1, k2, random):
    rows = min(rows, len(lengths))
    order = random.sample(range(len(lengths)), len(lengths))
    counted: dict[int, list[int]] = {number: [] for number in range(len(lengths))}
    for unroll in unrolls(lengths, rows, k1, k2, order):
        assert unroll.x.shape == (rows, UnrollShape(k1, k2).steps)
        assert unroll.real.any()
        for target in -unroll.y[unroll.real]:
            counted[target // 100].append(target % 100)
    for number, length in enumerate(lengths):
        # Where k2 < k1 the first steps of every chunk do not count.
        assert counted[number] == [t for t in range(length) if t % k1 >= k1 - min(k1, k2)]


@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.integers(1, 5), st.integers(1, 14))
def test_what_stands_before_a_real_target_is_its_own_sequence_unless_it_begins_there(lengths, k1, k2):
    shape = UnrollShape(k1, k2)
    for unroll in unrolls(lengths, 2, k1, k2):
        for row in range(2):
            begins = np.flatnonzero(unroll.fresh[:, row])
            since = unroll.x[row, begins[-1] * k1 :] if len(begins) else unroll.x[row]
            real = since[: len(since) - shape.loss_steps + unroll.real[row].sum()]
            if unroll.real[row].any():
                assert (np.diff(real) == 1).all()
                assert real[0] % 100 == 0 or not len(begins)


def test_an_unroll_by_hand():
    """Rows of 5 and of 2 steps, the second then taken by one of 3; chunks of 2, unrolls of 3 chunks."""
    first, second, third = unrolls([5, 2, 3], rows=2, k1=2, k2=5)
    assert first.x.tolist() == [[0, 1, 0, 1, 0, 1], [100, 101, 100, 101, 100, 101]]
    assert first.fresh.tolist() == [[True, True]] * 3
    assert second.x[:, 2:].tolist() == [[0, 1, 2, 3], [100, 101, 200, 201]]
    assert second.fresh[1:].tolist() == [[True, True], [False, True]]
    assert third.x.tolist() == [[0, 1, 2, 3, 4, 4], [100, 101, 200, 201, 202, 202]]
    assert third.fresh.tolist() == [[True, True], [False, True], [False, False]]
    assert third.y.tolist() == [[-4, -4], [-202, -202]]
    assert third.real.tolist() == [[True, False], [True, False]]


def test_a_row_that_runs_out_repeats_its_last_step():
    last = unrolls([6, 2], rows=2, k1=2, k2=2)[-1]
    assert last.x.tolist() == [[4, 5], [101, 101]]
    assert last.real.tolist() == [[True, True], [False, False]]


def test_chunks_without_a_target_within_the_last_k2_steps_are_left_out():
    assert len(unrolls([4, 6], rows=1, k1=4, k2=2)) == 2
    chunks = list(plan_chunks(np.array([4, 6]), 1, 4))
    assert [counts(chunk, UnrollShape(4, 2)) for chunk in chunks] == [True, True, False]


def test_padded_arrays_with_lengths_are_as_lists():
    padded = np.array([[0, 1, 2, 3, 4], [100, 101, -1, -1, -1]])
    data = Sequences.of(padded, padded, sample_weight=np.ones((2, 5)), lengths=[5, 2])
    for mine, theirs in zip(
        data.unrolls(plan_chunks(data.lengths, 2, 2), UnrollShape(2, 3)), unrolls([5, 2], 2, 2, 3), strict=True
    ):
        np.testing.assert_array_equal(mine.x, theirs.x)
        np.testing.assert_array_equal(mine.real, theirs.real)
        assert mine.sample_weight.shape == mine.real.shape


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.zeros(5), np.zeros(5), {}, r"expected x to be \(batch, time, ...\) or a list of sequences, found 1 axis"),
        (np.zeros((2, 5)), np.zeros(2), {}, "expected y to be .* found 1 axis"),
        (np.zeros((2, 5)), np.zeros((3, 5)), {}, "expected y to have the 2 sequences of x, found 3"),
        (np.zeros((2, 5)), np.zeros((2, 4)), {}, "expected sequence 0 of y to have the 5 steps of x, found 4"),
        (numbered([3, 4]), numbered([3, 5]), {}, "expected sequence 1 of y to have the 4 steps of x, found 5"),
        (
            np.zeros((2, 5)),
            np.zeros((2, 5)),
            {"sample_weight": np.ones((2, 3))},
            "expected sequence 0 of sample_weight to have the 5 steps of x, found 3",
        ),
        (
            np.zeros((2, 5)),
            np.zeros((2, 5)),
            {"lengths": [5]},
            r"expected lengths to be of 2 sequences, found shape \(1,\)",
        ),
        (
            np.zeros((2, 5)),
            np.zeros((2, 5)),
            {"lengths": [5, 6]},
            "expected length 1 to be at most the 5 steps of x, found 6",
        ),
        (np.zeros((2, 5)), np.zeros((2, 5)), {"lengths": [5, 0]}, "expected sequences of at least one step"),
        (numbered([3, 0]), numbered([3, 0]), {}, "expected sequences of at least one step"),
        ([], [], {}, "expected sequences of at least one step, found an empty one or none at all"),
    ],
)
def test_parts_that_do_not_fit(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        Sequences.of(x, y, **options)
