"""The network: states that go on, padding that is not there, windows without memory, the cache, training on streams."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.language_model.config import ModelConfig
from seqtag.language_model.network.build import build_network
from seqtag.language_model.network.cache import Cache
from seqtag.language_model.network.cached import PAD, CachedNetwork
from seqtag.language_model.network.training import StreamTraining
from seqtag.models.language_network.directed import DirectedNetworks
from seqtag.training.seeding import seeded

SIZE = 9
MODELS = {
    "lstm": {"cell": "lstm", "layers": 2, "residual": True},
    "gru": {"cell": "gru", "tied": True},
    "peephole_lstm": {"cell": "peephole_lstm", "cutoffs": (4, 6)},
    "window": {"cell": "window", "context": 3, "layers": 2},
}
SYMBOLS = np.random.default_rng(0).integers(1, SIZE, (2, 12)).astype(np.int32)


def network_of(**model):
    with seeded(1):
        network = build_network(SIZE, ModelConfig(units=6, embedding_dim=4, **model))
        for weight in network.weights:
            weight.assign(0.5 * np.random.default_rng(len(weight.shape)).normal(size=weight.shape))
    return network


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS)
def network(request):
    return network_of(**request.param)


def test_reading_in_parts_is_reading_the_whole(network):
    whole = network.read(SYMBOLS, network.reader.zero_state(2))
    first = network.read(SYMBOLS[:, :5], network.reader.zero_state(2))
    second = network.read(SYMBOLS[:, 5:6], first.state)
    third = network.read(SYMBOLS[:, 6:], second.state)
    parts = np.concatenate([first.hidden, second.hidden, third.hidden], axis=1)
    np.testing.assert_allclose(parts, whole.hidden, atol=1e-5)
    for one, other in zip(third.state, whole.state, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_padding_at_the_left_is_as_if_it_were_not_there(network):
    plain = network.read(SYMBOLS[:1], network.reader.zero_state(1))
    padded = np.concatenate([np.full((1, 4), 3, np.int32), SYMBOLS[:1]], axis=1)
    mask = np.arange(16)[None] >= 4
    found = network.read(padded, network.reader.zero_state(1), mask=tf.constant(mask))
    np.testing.assert_allclose(found.hidden[:, 4:], plain.hidden, atol=1e-5)
    for one, other in zip(found.state, plain.state, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_step_gives_what_the_call_gives(network):
    expected = network(SYMBOLS).numpy()
    state = network.reader.zero_state(2)
    for t in range(4):
        found, state = network.step(SYMBOLS[:, t], state)
        np.testing.assert_allclose(found, expected[:, t], atol=1e-5)
    np.testing.assert_allclose(np.exp(expected).sum(-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(tf.function(network)(SYMBOLS), expected, atol=1e-5)


def test_a_network_reads_nothing_that_comes_later_and_no_other_row(network):
    changed = SYMBOLS.copy()
    changed[0, 7:] = 1
    changed[1] = 2
    found, expected = network(changed).numpy(), network(SYMBOLS).numpy()
    np.testing.assert_allclose(found[0, :7], expected[0, :7], atol=1e-6)
    assert np.abs(found[0, 8:] - expected[0, 8:]).max() > 1e-4


def test_a_window_reads_its_symbols_in_order_and_nothing_before():
    network = network_of(cell="window", context=3)

    def answer(*symbols: int) -> np.ndarray:
        return network(np.array([symbols], np.int32)).numpy()[0, -1]

    np.testing.assert_allclose(answer(1, 8, 5, 2, 3, 4), answer(7, 2, 3, 4), atol=1e-6)
    for other in ((2, 4, 3), (3, 2, 4), (4, 3, 2), (1, 3, 4)):
        assert np.abs(answer(*other) - answer(2, 3, 4)).max() > 1e-3
    # Where it begins, nothing stands before: that is not what a symbol of zeros' place would be.
    vectors = network.vectors.embeddings.numpy()
    dense, softmax = network.reader.dense[0], network.softmax
    joined = np.concatenate([np.zeros(4), vectors[5], vectors[6]])
    hidden = np.tanh(joined @ dense.kernel.numpy() + dense.bias.numpy())
    logits = hidden @ softmax.kernel.numpy() + softmax.bias.numpy()
    np.testing.assert_allclose(answer(5, 6), logits - np.log(np.exp(logits).sum()), atol=1e-5)


def test_a_recurrent_network_reads_beyond_any_window():
    network = network_of(cell="lstm")
    one, other = (network(np.array([[n, 2, 2, 2, 2, 2]], np.int32)).numpy()[0, -1] for n in (3, 7))
    assert np.abs(one - other).max() > 1e-6


def test_networks_go_through_a_file(network, tmp_path):
    both = DirectedNetworks([network, network_of(cell="gru")])
    both.build()
    both.save(tmp_path / "both.keras")
    again = keras.saving.load_model(tmp_path / "both.keras", compile=False)
    np.testing.assert_allclose(again(SYMBOLS), network(SYMBOLS), atol=1e-6)
    np.testing.assert_allclose(again.backward(SYMBOLS), both.backward(SYMBOLS), atol=1e-6)


def test_half_precision_is_near():
    with seeded(1):
        plain = build_network(SIZE, ModelConfig(units=6, embedding_dim=4))
    with seeded(1):
        half = build_network(SIZE, ModelConfig(units=6, embedding_dim=4), "mixed_bfloat16")
    for ours, theirs in zip(half.weights, plain.weights, strict=True):
        ours.assign(theirs)
    found = half(SYMBOLS)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, plain(SYMBOLS), atol=0.05)


def cached_by_loops(network, cache: Cache, symbols: np.ndarray) -> np.ndarray:
    """The log-probability of each symbol after the first, `(steps - 1,)`."""
    hidden = network.read(symbols[None], network.reader.zero_state(1)).hidden.numpy()[0]
    plain = np.exp(network(symbols[None]).numpy()[0])
    found = []
    for t in range(len(symbols) - 1):
        past = range(max(0, t - cache.size), t)
        weights = {i: np.exp(cache.flatness * hidden[t] @ hidden[i]) for i in past}
        total = sum(weights.values())
        p = plain[t, symbols[t + 1]]
        if weights:
            share = sum(w for i, w in weights.items() if symbols[i + 1] == symbols[t + 1]) / total
            p = (1 - cache.weight) * p + cache.weight * share
        found.append(np.log(p))
    return np.array(found)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_a_cache_is_that_of_loops_in_parts_and_step_by_step(network, size):
    cache = Cache(size, 0.3, 0.7)
    cached = CachedNetwork(network, cache)
    expected = np.stack([cached_by_loops(network, cache, row) for row in SYMBOLS])
    inputs, targets = SYMBOLS[:, :-1], SYMBOLS[:, 1:]
    whole, _ = cached.score(inputs, targets, cached.begin(2))
    np.testing.assert_allclose(whole, expected, atol=1e-4)
    first, state = cached.score(inputs[:, :4], targets[:, :4], cached.begin(2))
    second, _ = cached.score(inputs[:, 4:], targets[:, 4:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), expected, atol=1e-4)
    context = np.concatenate([np.full((2, 3), PAD), SYMBOLS[:, :6]], axis=1).astype(np.int32)
    state = cached.read_context(context)
    for t in range(6, 11):
        found, state = cached.step(SYMBOLS[:, t], state)
        np.testing.assert_allclose(np.exp(found).sum(-1), 1.0, atol=1e-4)
        np.testing.assert_allclose(
            np.take_along_axis(found.numpy(), SYMBOLS[:, t + 1 : t + 2], axis=1)[:, 0], expected[:, t], atol=1e-4
        )


def batch_of(symbols: np.ndarray, lengths: list[int], fresh: list[bool]) -> dict[str, tf.Tensor]:
    return {
        "symbols": tf.constant(symbols[:, :-1]),
        "targets": tf.constant(symbols[:, 1:]),
        "lengths": tf.constant(lengths),
        "fresh": tf.constant(fresh),
    }


def test_training_carries_the_state_of_each_row_until_it_is_fresh(network):
    training = StreamTraining(network, rows=2)
    expected = network(SYMBOLS).numpy()
    first = training(batch_of(SYMBOLS[:, :6], [5, 5], [True, True]))
    second = training(batch_of(SYMBOLS[:, 5:], [6, 4], [False, True]))
    begun = network(SYMBOLS[1:, 5:-1]).numpy()[0]
    targets = SYMBOLS[:, 1:]
    for row in range(2):
        wanted = [expected[row, t, targets[row, t]] for t in range(5)]
        np.testing.assert_allclose(first.log_probabilities[row], wanted, atol=1e-5)
    np.testing.assert_allclose(
        second.log_probabilities[0], [expected[0, t, targets[0, t]] for t in range(5, 11)], atol=1e-5
    )
    np.testing.assert_allclose(
        second.log_probabilities[1, :4], [begun[t, targets[1, t + 5]] for t in range(4)], atol=1e-5
    )
    real = np.array([[True] * 6, [True] * 4 + [False] * 2])
    wanted = -np.asarray(second.log_probabilities)[real].mean()
    np.testing.assert_allclose(training.compute_loss(y_pred=second), wanted, rtol=1e-5)
