"""Samples follow the probabilities, within what `restrict` leaves, and are the same for the same seed."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.ops.beam import beam_search
from seqtag.ops.sampling import Samples, restrict, sample

TENSORFLOW = keras.config.backend() == "tensorflow"
START, END = 1, 0


def table_step(table, dtype="float32"):
    with np.errstate(divide="ignore"):
        table = ops.cast(ops.convert_to_tensor(np.float32(np.log(table))), dtype)
    return lambda symbols, state: (ops.take(table, symbols, axis=0), state)


def draw(step, state=(), **options) -> Samples:
    options = {"batch": 8, "start": START, "end": END, "steps": 5, "seed": 3} | options
    return Samples(*map(ops.convert_to_numpy, sample(step, state, **options)))


def assert_shares(symbols, shares) -> None:
    """The share of each symbol is what it should be; fair draws fail here once in a million times (Hoeffding)."""
    found = np.bincount(symbols, minlength=len(shares)) / len(symbols)
    bound = math.sqrt(math.log(2 * len(shares) / 1e-6) / (2 * len(symbols)))
    assert np.abs(found - shares).max() < bound
    assert (found[np.equal(shares, 0)] == 0).all()


SHARES = np.array([0.1, 0.4, 0.3, 0.15, 0.05])
LIMITS = [
    ({}, SHARES),
    ({"temperature": 0.5}, SHARES**2),
    ({"temperature": 3}, SHARES ** (1 / 3)),
    ({"top_k": 3}, SHARES * [0, 1, 1, 1, 0]),
    ({"top_k": 99}, SHARES),
    ({"top_p": 0.71}, SHARES * [0, 1, 1, 1, 0]),
    ({"top_p": 0.69}, SHARES * [0, 1, 1, 0, 0]),
    ({"top_p": 1e-9}, SHARES * [0, 1, 0, 0, 0]),
    # Of the three likeliest, the first two have 82%; at this temperature they have 88% of all.
    ({"top_k": 3, "top_p": 0.8}, SHARES * [0, 1, 1, 0, 0]),
    ({"temperature": 0.5, "top_p": 0.85}, SHARES**2 * [0, 1, 1, 0, 0]),
    ({"forbidden": [False, True, False, False, False]}, SHARES * [1, 0, 1, 1, 1]),
]


@pytest.mark.parametrize(("limits", "shares"), LIMITS)
def test_symbols_come_as_often_as_they_are_likely(limits, shares):
    found = draw(table_step([SHARES] * 5), batch=20_000, steps=1, **limits)
    assert_shares(found.symbols[:, 0], shares / shares.sum())
    # Of the step function as it is, whatever the temperature and the limits.
    np.testing.assert_allclose(found.log_probabilities, np.log(SHARES)[found.symbols[:, 0]], rtol=1e-5)


def test_symbols_of_a_large_vocabulary_come_as_often_as_they_are_likely():
    """Neighbours in a block, at its borders, and the last of all; the rest never."""
    symbols = np.array([3, 4, 127, 128, 1999])
    with np.errstate(divide="ignore"):
        logs = np.log(np.bincount(symbols, SHARES, minlength=2000))
    logs = ops.convert_to_tensor(np.float32(logs))

    def step(symbols, state):
        return ops.broadcast_to(logs, (5000, 2000)), state

    found = np.concatenate([draw(step, batch=5000, steps=1, seed=seed).symbols[:, 0] for seed in range(3)])
    assert_shares(np.searchsorted(symbols, found), SHARES)
    assert np.isin(found, symbols).all()


@pytest.mark.parametrize(("limits", "shares"), LIMITS[:-1])
def test_limits_may_be_tensors(limits, shares):
    """As an exported graph has them; zero and one are no limits."""
    tensors = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | limits
    tensors = {name: ops.convert_to_tensor(value) for name, value in tensors.items()}
    step = table_step([SHARES] * 5)
    found, wanted = draw(step, **tensors), draw(step, **limits)
    np.testing.assert_array_equal(found.symbols, wanted.symbols)


def test_sequences_come_as_often_as_they_are_likely(random_model):
    """The state follows the row, and every step has random numbers of its own."""
    rows = 20_000
    model = random_model(seed=2, rows=rows, vocabulary=3)
    model.first[:] = model.first[0]
    found = draw(model.step, model.state(), batch=rows, steps=2)
    pairs = found.symbols[:, 0] * 3 + found.symbols[:, 1]
    wanted = np.zeros((3, 3))
    logs = np.zeros(9)
    first = model.walk(0, [START])[0]
    for a in range(3):
        second = model.walk(0, [START, a])[0] if a != END else np.array([0, -np.inf, -np.inf])
        wanted[a] = np.exp(first[a] + second)
        logs[3 * a : 3 * a + 3] = first[a] + second
    assert_shares(pairs, wanted.ravel())
    np.testing.assert_allclose(found.log_probabilities, logs[pairs], rtol=1e-4)
    assert (found.finished == (found.symbols == END).any(axis=1)).all()
    assert (found.lengths == (found.symbols != END).sum(axis=1)).all()


@pytest.mark.parametrize("temperature", [1e-4, ops.convert_to_tensor(0.0)])
def test_a_low_temperature_takes_the_best(random_model, temperature):
    model = random_model(seed=4, rows=3, vocabulary=6)
    found = draw(model.step, model.state(), batch=3, steps=8, temperature=temperature)
    wanted = beam_search(model.step, model.state(), batch=3, start=START, end=END, steps=8, width=1)
    np.testing.assert_array_equal(found.symbols, ops.convert_to_numpy(wanted.symbols)[:, 0])
    np.testing.assert_allclose(found.log_probabilities, ops.convert_to_numpy(wanted.scores)[:, 0], rtol=1e-4)


def test_a_seed_gives_the_same_samples(random_model):
    model = random_model(seed=5, rows=8, vocabulary=9)

    def symbols(seed):
        return draw(model.step, model.state(), seed=seed).symbols.tolist()

    assert symbols(7) == symbols(7) == symbols(np.int64(7)) == symbols(ops.convert_to_tensor(7))
    assert symbols(7) != symbols(8)
    generator = keras.random.SeedGenerator(7)
    first, second = symbols(generator), symbols(generator)
    assert first == symbols(7) != second


def test_rows_end_or_are_cut():
    """2 is followed by 3 and that by the end; 4 by itself."""
    step = table_step([[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]])
    found = draw(step, batch=3, start=np.array([2, 4, 3]), steps=4)
    assert found.symbols.tolist() == [[3, 0, 0, 0], [4, 4, 4, 4], [0, 0, 0, 0]]
    assert found.lengths.tolist() == [1, 4, 0]
    assert found.finished.tolist() == [True, False, True]
    assert found.log_probabilities.tolist() == [0, 0, 0]
    found = draw(step, batch=3, start=np.array([2, 4, 4]), steps=ops.array([3, 2, 1], "int32"))
    assert found.symbols.tolist() == [[3, 0, 0], [4, 4, 0], [4, 0, 0]]
    assert found.lengths.tolist() == [1, 2, 1] and found.finished.tolist() == [True, False, False]


def test_a_row_where_nothing_is_possible_stops():
    found = draw(table_step([[1, 0, 0], [0, 0, 1], [0, 0, 0]]), batch=2, steps=6)
    assert found.symbols.tolist() == [[0] * 6] * 2
    assert found.lengths.tolist() == [0, 0] and not found.finished.any()
    assert found.log_probabilities.tolist() == [-math.inf] * 2


def test_half_precision_is_added_up_in_float32():
    found = draw(table_step([[0.25, 0.75], [0.25, 0.75]], "float16"), steps=50)
    assert found.log_probabilities.dtype == np.float32
    wanted = found.lengths * np.log(0.75) + found.finished * np.log(0.25)
    np.testing.assert_allclose(found.log_probabilities, wanted, rtol=2e-3)


def test_a_graph_draws_what_is_drawn_without(random_model):
    model = random_model(seed=6, rows=4, vocabulary=9)
    wanted = draw(model.step, model.state(), batch=4, temperature=0.7, top_k=5, top_p=0.9)

    def run(hidden, seed, temperature, top_k, top_p, steps):
        state = {"hidden": hidden, "rest": (ops.zeros_like(hidden)[:, : model.SOURCE],)}
        limits = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        batch = ops.shape(hidden)[0]
        return sample(model.step, state, batch=batch, start=START, end=END, steps=steps, seed=seed, **limits)

    if TENSORFLOW:
        import tensorflow as tf

        types = ("int64", "float32", "int64", "float32", "int64")
        graph = tf.function(run, input_signature=[tf.TensorSpec((None, 5)), *(tf.TensorSpec((), t) for t in types)])
    else:
        import jax

        graph = jax.jit(run, static_argnums=5)
    found = graph(np.float32(model.first), 3, 0.7, 5, 0.9, 5)
    np.testing.assert_array_equal(ops.convert_to_numpy(found.symbols), wanted.symbols)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("top_k", [None, 1, 4, 300, 5000])
@pytest.mark.parametrize("top_p", [None, 0.3, 0.999, 1.0])
def test_restricting_keeps_the_likeliest(seed, top_k, top_p):
    """Many symbols are equally likely: of these, the lower ones stay."""
    rows = np.float32(np.random.default_rng(seed).integers(-6, 0, size=(3, 1000)))
    rows[2, 5:] = -np.inf
    found = ops.convert_to_numpy(restrict(ops.convert_to_tensor(rows), top_k, top_p))
    for row, logs in zip(found, rows, strict=True):
        likeliest = [symbol for symbol in np.argsort(-logs, kind="stable")[:top_k] if logs[symbol] > -np.inf]
        shares = np.exp(logs[likeliest].astype(float))
        sums = np.append(0, np.cumsum(shares / shares.sum()))
        stay = np.isfinite(row)
        count = stay.sum()
        assert stay[likeliest[:count]].all()
        np.testing.assert_array_equal(row[stay], logs[stay])
        if top_p is None or top_p == 1:
            assert count == len(likeliest)
        else:
            # No more than are needed, but for rounding.
            assert sums[count - 1] < top_p + 1e-5 and sums[count] > top_p - 1e-5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "expected steps to be a whole number above zero, found 0"),
        ({"temperature": 0}, "expected temperature to be above zero, found 0"),
        ({"temperature": math.nan}, "expected temperature to be above zero, found nan"),
        ({"top_k": 0}, "expected top_k to be a whole number above zero, found 0"),
        ({"top_p": 0.0}, "expected top_p to be above zero and at most 1, found 0.0"),
        ({"top_p": 1.5}, "expected top_p to be above zero and at most 1, found 1.5"),
        ({"seed": None}, "expected seed to be a whole number, a SeedGenerator or a tensor, found None"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw(table_step(np.ones((3, 3)) / 3), **options)
