"""Batches of pairs: what goes together, and what a batch holds."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqtag.data.text.symbols import SymbolCoder, symbols_of
from seqtag.seq2seq.data.batches import Coders, PairBatches, Symbols, assemble_batch, gathered, plan_batches

RANDOM = np.random.default_rng(0)
LENGTHS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), max_size=40)


def coder(kind, texts, min_count=1):
    return SymbolCoder.count(kind, symbols_of(kind, texts), min_count)


def size(sources, targets, batch):
    """The symbols of a padded batch."""
    return len(batch) * (sources[batch].max() + targets[batch].max())


@given(LENGTHS, st.integers(1, 200), st.booleans())
def test_every_pair_is_once_in_a_batch_within_the_budget(lengths, budget, shuffled):
    sources, targets = (np.array([pair[side] for pair in lengths], int) for side in range(2))
    batches = plan_batches(sources, targets, budget, np.random.default_rng(1) if shuffled else None)
    assert sorted(np.concatenate([*batches, []]).astype(int).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or size(sources, targets, batch) <= budget


@pytest.mark.parametrize("correlated", [True, False])
def test_little_of_a_batch_is_padding(correlated):
    sources = RANDOM.integers(3, 12, 20_000)
    targets = np.maximum(sources + RANDOM.integers(-2, 3, 20_000), 1) if correlated else RANDOM.integers(3, 12, 20_000)
    batches = plan_batches(sources, targets, 2000, np.random.default_rng(0))
    padded = sum(size(sources, targets, batch) for batch in batches)
    assert (sources.sum() + targets.sum()) / padded > 0.95


def test_passes_have_other_orders_and_the_same_pairs():
    sources, targets = RANDOM.integers(1, 9, (2, 300))
    first, second = (plan_batches(sources, targets, 100, np.random.default_rng(seed)) for seed in (1, 2))
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]
    assert {tuple(sorted(batch)) for batch in first} != {tuple(sorted(batch)) for batch in second}
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second))


@pytest.fixture(scope="module")
def batches():
    sources = ["ab" * n for n in range(1, 21)]
    coders = Coders(coder("characters", sources), coder("characters", sources))
    symbols = symbols_of("characters", sources)
    return PairBatches(Symbols(symbols, tf.zeros((20, 0), tf.string), symbols), coders, 60, seed=3)


def test_the_stream_goes_on_where_it_stopped(batches):
    whole = [batch.tolist() for batch in islice(batches.after(0), 3 * batches.steps)]
    for steps in (1, batches.steps, batches.steps + 2):
        assert [b.tolist() for b in islice(batches.after(steps), 5)] == whole[steps : steps + 5]
    again = PairBatches(batches.symbols, batches.coders, 60, seed=3)
    other = PairBatches(batches.symbols, batches.coders, 60, seed=4)
    assert [b.tolist() for b in islice(again.after(0), 9)] == whole[:9]
    assert [b.tolist() for b in islice(other.after(0), 9)] != whole[:9]


def test_the_dataset_has_the_batches_of_the_stream(batches):
    [first] = batches.dataset(2).take(1)
    pairs = next(batches.after(2))
    assert first["source_lengths"].numpy().tolist() == [2 * (n + 1) for n in pairs]
    assert batches.items == sum(2 * n + 2 * n + 1 for n in range(1, 21))


def test_a_budget_that_is_not_given_is_a_hundredth(batches):
    assert PairBatches(batches.symbols, batches.coders, None, seed=1).symbol_budget == 250
    assert batches.symbol_budget == 60


def test_targets_are_needed():
    symbols = symbols_of("characters", ["a"])
    coders = Coders(coder("characters", ["a"]), coder("characters", ["a"]))
    with pytest.raises(ValueError, match="expected pairs with targets, found none"):
        PairBatches(Symbols(symbols, tf.zeros((1, 0), tf.string)), coders, None, seed=1)


def test_a_batch_by_hand():
    coders = Coders(
        coder("characters", ["aab"]),
        coder("symbols", ["X X Y"]),
        [coder("symbols", ["N"]), coder("symbols", ["1 1 2"])],
    )
    features = tf.constant([["N", "2"], ["V", "1"]])
    batch = assemble_batch(symbols_of("characters", ["bac", ""]), features, coders, symbols_of("symbols", ["Y X", "Z"]))
    assert {name: value.numpy().tolist() for name, value in batch.items()} == {
        "source": [[3, 2, 1], [0, 0, 0]],
        "source_lengths": [3, 0],
        "features": [[2, 3], [1, 2]],
        "target": [[3, 2, 0], [1, 0, 0]],
        "target_lengths": [3, 2],
    }
    assert {value.dtype for value in batch.values()} == {tf.int32}


def test_copied_rows_by_hand():
    """An unknown symbol has the row of its first place in the source, beyond those of the vocabulary."""
    words = coder("words", ["a a b"])
    coders = Coders(coder("words", ["a"]), words, copies=True)
    sources, targets = ["x a y x", "b"], ["y x b z", "x"]
    batch = assemble_batch(
        symbols_of("words", sources), tf.zeros((2, 0), tf.string), coders, symbols_of("words", targets)
    )
    assert len(words.vocabulary) == 4
    assert batch["copied"].numpy()[0].tolist() == [4, 2, 6, 4]
    assert batch["copied"].numpy()[1, 0] == 3
    # y and x are copied, b is of the vocabulary, z is of neither; the x of the first source is not in the second.
    assert batch["target"].numpy().tolist() == [[6, 4, 3, 1, 0], [1, 0, 0, 0, 0]]


def test_sources_without_symbols_have_one_step():
    coders = Coders(coder("characters", ["a"]), coder("characters", ["a"]), copies=True)
    empty = symbols_of("characters", ["", ""])
    batch = assemble_batch(empty, tf.zeros((2, 0), tf.string), coders, empty)
    assert batch["source"].shape == batch["copied"].shape == (2, 1)
    assert batch["target"].numpy().tolist() == [[0], [0]]


def test_frames_are_gathered_and_padded():
    frames = tf.ragged.constant([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], ragged_rank=1)
    coders = Coders(None, coder("characters", ["a"]))
    symbols = Symbols(frames, tf.zeros((2, 0), tf.string))
    batch = gathered(symbols, tf.constant([1, 0]), coders)
    assert batch["frames"].numpy().tolist() == [[[3, 4], [5, 6]], [[1, 2], [0, 0]]]
    assert batch["source_lengths"].numpy().tolist() == symbols.source_lengths[::-1].tolist() == [2, 1]
    assert len(symbols) == 2
