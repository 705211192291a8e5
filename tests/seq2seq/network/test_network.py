"""Networks with random weights: what they say of a target is what their steps say, whatever else is in the batch."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.seq2seq.network.network import SMALLEST, Seq2SeqNetwork, shifted, target_mask

TARGETS, UNKNOWN = 7, 1
SOURCE = np.array([[2, 3, 4, 5, 2], [5, 1, 3, 0, 0], [4, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
LENGTHS = np.array([5, 3, 1, 0])
TARGET = np.array([[3, 4, 2, 0], [6, 0, 0, 0], [0, 0, 0, 0], [2, 2, 0, 0]])
TARGET_LENGTHS = np.array([4, 2, 1, 3])
# The third symbol of the first source and the second of the second are in no vocabulary of targets.
COPIED = np.array([[2, 3, 9, 5, 2], [5, 8, 3, 7, 7], [4, 7, 7, 7, 7], [7, 7, 7, 7, 7]])
COPYING_TARGET = np.array([[3, 9, 2, 0], [8, 5, 0, 0], [0, 0, 0, 0], [2, 1, 0, 0]])
FRAMES = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
FEATURES = np.array([[2, 3], [3, 2], [1, 1], [2, 2]])

KINDS = {
    "additive": {"layers": 2},
    "location": {"attention": "location", "cell": "lstm"},
    "at once": {"attention": "general", "input_feeding": False, "layers": 2, "features": True},
    "dot": {"attention": "dot", "cell": "simple_rnn"},
    "context vector": {"attention": None, "cell": "peephole_lstm", "layers": 2},
    "frames": {"attention": "scaled", "frames": True},
    "copies": {"copies": True, "layers": 2, "features": True},
    "copies at once": {"copies": True, "input_feeding": False, "cell": "lstm"},
}


def made(
    attention="additive", cell="gru", layers=1, input_feeding=True, copies=False, frames=False, features=False, **others
):
    """A network of random weights, far from the small ones of a new network, and its batch."""
    shared = {"embedding_dim": 5, "cell": cell, "units": 6, "layers": layers, "dropout": 0.0, "recurrent_dropout": 0.0}
    sizes = {"num_symbols": None if frames else 6, "feature_sizes": [4, 5] if features else []}
    network = Seq2SeqNetwork(
        TARGETS,
        encoder=sizes | shared,
        decoder={"attention": attention, "input_feeding": input_feeding, **shared},
        frame_width=3 if frames else None,
        copies=copies,
        **others,
    )
    network.build()
    for seed, variable in enumerate(network.trainable_variables):
        variable.assign(keras.random.normal(variable.shape, stddev=0.7, seed=seed))
    batch = {"source_lengths": LENGTHS, "target": COPYING_TARGET if copies else TARGET}
    batch |= {"target_lengths": TARGET_LENGTHS} | ({"frames": FRAMES} if frames else {"source": SOURCE})
    batch |= ({"features": FEATURES} if features else {}) | ({"copied": COPIED} if copies else {})
    return network, tensors(batch)


def tensors(batch):
    return {name: tf.constant(value, tf.float32 if name == "frames" else tf.int32) for name, value in batch.items()}


def arrays(batch):
    return {name: value.numpy() for name, value in batch.items()}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    """A network, its batch, and what it says of it."""
    network, batch = made(**KINDS[request.param])
    return network, batch, network(batch)


def assert_same(found, wanted, batch, rows=slice(None), rtol=1e-5, atol=1e-5):
    """The same probabilities and weights of real symbols."""
    mask = target_mask(batch).numpy()
    steps = mask.shape[1]
    ours = found.log_probabilities.numpy()[:, :steps][mask]
    np.testing.assert_allclose(ours, wanted.log_probabilities.numpy()[rows][mask], rtol=rtol, atol=atol)
    if wanted.weights is not None:
        wide = wanted.weights.shape[2]
        np.testing.assert_allclose(
            found.weights.numpy()[:, :steps, :wide][mask], wanted.weights.numpy()[rows][mask], rtol=rtol, atol=atol
        )


def test_steps_say_what_the_whole_target_is_told(kind):
    network, batch, likelihood = kind
    encoded, memory, state = network.begin(batch)
    mask = target_mask(batch).numpy()
    symbols = tf.zeros(len(LENGTHS), tf.int32)
    for t in range(mask.shape[1]):
        found, state = network.step(symbols, state, encoded, memory, batch.get("copied"))
        assert np.asarray(found).max() <= 1e-6
        # From an empty source nothing can be copied: what the gate leaves to copies is lost.
        readable = LENGTHS > 0 if network.copies else ...
        np.testing.assert_allclose(np.exp(found).sum(axis=1)[readable], 1, rtol=1e-5)
        symbols = batch["target"][:, t]
        told = tf.gather(found, symbols, batch_dims=1).numpy()
        np.testing.assert_allclose(told[mask[:, t]], likelihood.log_probabilities.numpy()[mask[:, t], t], rtol=1e-4)
    if likelihood.weights is not None:
        attended = np.where(mask[..., None], likelihood.weights, 0).sum(axis=1)[:2]
        assert np.isfinite(attended).all() and np.allclose(attended.sum(axis=1)[0], 4, rtol=1e-5)


def test_several_rows_of_a_source_are_stepped_as_one(kind):
    network, batch, _ = kind
    symbols = np.array([[0, 3], [2, 4], [5, 5], [6, 1]])
    encoded, memory, state = network.begin(batch)
    both = tf.nest.map_structure(lambda value: tf.repeat(value, 2, axis=0), state)
    found, _ = network.step(tf.constant(symbols.ravel(), tf.int32), both, encoded, memory, batch.get("copied"))
    for n in range(2):
        one, _ = network.step(tf.constant(symbols[:, n], tf.int32), state, encoded, memory, batch.get("copied"))
        np.testing.assert_allclose(found[n::2], one, rtol=1e-4, atol=1e-5)


def test_padding_changes_nothing(kind):
    network, batch, likelihood = kind
    longer = {}
    for name, value in arrays(batch).items():
        steps = {"source": 3, "frames": 3, "copied": 3, "target": 2}.get(name, 0)
        widths = [(0, 0), (0, steps)] + [(0, 0)] * (value.ndim - 2) if value.ndim > 1 else [(0, 0)]
        longer[name] = np.pad(value, widths, constant_values=3)
    # What stands in padding may be anything.
    longer["target"] = np.where(tf.sequence_mask(TARGET_LENGTHS, 6), longer["target"], 5)
    assert_same(network(tensors(longer)), likelihood, batch)


def test_rows_do_not_see_each_other(kind):
    network, batch, likelihood = kind
    for rows in ([2, 1], [3], [0]):
        part = tensors({name: value[rows] for name, value in arrays(batch).items()})
        assert_same(network(part), likelihood, part, rows)


def test_the_configuration_makes_the_same_network(kind):
    network, batch, likelihood = kind
    again = Seq2SeqNetwork.from_config(network.get_config())
    again.build()
    for variable, original in zip(again.variables, network.variables, strict=True):
        assert variable.path.split("/")[1:] == original.path.split("/")[1:]
        variable.assign(original)
    np.testing.assert_array_equal(again(batch).log_probabilities, likelihood.log_probabilities)


def test_half_precision_stays_near():
    network, batch = made(layers=2, copies=True)
    half, _ = made(layers=2, copies=True, dtype="mixed_bfloat16")
    found = half(batch)
    assert found.log_probabilities.dtype == found.smoothed.dtype == tf.float32
    assert_same(found, network(batch), batch, rtol=0.1, atol=0.25)


def test_a_target_of_copies_has_what_both_ways_give_it():
    """The gate's share of the softmax, and the rest of the weights of all places that have the symbol."""
    network, batch = made(copies=True)
    encoded, memory, state = network.begin(batch)
    hidden, weights, _ = network.decoder.step(tf.zeros(4, tf.int32), state, memory)
    softmax = tf.nn.softmax(network.scores(hidden)).numpy()
    start = tf.repeat(network.decoder.vectors(tf.constant([0])), 4, axis=0)
    gate = network.gate(tf.concat([hidden, start], axis=1)).numpy()
    found = np.exp(network.step(tf.zeros(4, tf.int32), state, encoded, memory, batch["copied"])[0])
    wanted = np.concatenate([gate * softmax, np.zeros((4, 5))], axis=1)
    for row in range(4):
        for place in range(LENGTHS[row]):
            wanted[row, COPIED[row, place]] += (1 - gate[row, 0]) * weights[row, place]
    np.testing.assert_allclose(found, np.maximum(wanted, SMALLEST), rtol=1e-4)
    # The source's symbol that stands twice, and the one that only the source has.
    assert wanted[0, 2] > (gate * softmax)[0, 2] + (1 - gate[0, 0]) * weights[0, 0]
    assert wanted[0, 9] == pytest.approx((1 - gate[0, 0]) * weights[0, 2])


def test_a_gate_that_is_closed_copies_alone():
    network, batch = made(copies=True)
    network.gate.kernel.assign(tf.zeros_like(network.gate.kernel))
    network.gate.bias.assign([-30.0])
    told = np.exp(network(batch).log_probabilities)
    weights = network(batch).weights.numpy()
    assert told[0, 1] == pytest.approx(weights[0, 1, 2], rel=1e-4)
    assert told[0, 2] == pytest.approx(weights[0, 2, 0] + weights[0, 2, 4], rel=1e-4)
    assert told[2, 0] < 1e-6, "the end is in no source"


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_by_hand(smoothing):
    network, batch = made(label_smoothing=smoothing)
    likelihood = network(batch)
    encoded, memory, state = network.begin(batch)
    total = 0.0
    for t, symbols in enumerate(tf.unstack(shifted(batch["target"]), axis=1)):
        found, state = network.step(symbols, state, encoded, memory, None)
        for row in np.flatnonzero(t < TARGET_LENGTHS):
            aim = np.full(TARGETS, smoothing / TARGETS)
            aim[TARGET[row, t]] += 1 - smoothing
            total -= float(np.sum(aim * found[row].numpy()))
    assert float(network.compute_loss(batch, None, likelihood)) == pytest.approx(total / TARGET_LENGTHS.sum(), rel=1e-5)


def test_gradients_are_finite_where_sources_and_targets_are_empty():
    network, batch = made(copies=True, layers=2)
    empty = batch | {name: tf.zeros(4, tf.int32) for name in ("source_lengths", "target_lengths")}
    for one in (batch, empty):
        with tf.GradientTape() as tape:
            loss = network.compute_loss(one, None, network(one))
        for gradient in tape.gradient(loss, [v.value for v in network.trainable_variables]):
            assert np.isfinite(tf.convert_to_tensor(gradient)).all()


@pytest.mark.parametrize("name", ["additive", "context vector", "copies"])
def test_without_own_symbols_the_targets_are_read(name):
    network, batch = made(**KINDS[name])
    wanted = network(batch)
    network.reads_own_symbols = True
    assert_same(network(batch, training=True), wanted, batch)


def test_with_own_symbols_alone_no_target_is_read():
    network, batch = made()
    network.own_share.assign(1.0)
    # Whatever came before, the network draws symbol 5.
    network.scores.bias.assign([0, 0, 0, 0, 0, 1e3, 0])
    network.reads_own_symbols = True
    own = network(batch, training=True)
    fives = batch | {"target": tf.fill(TARGET.shape, 5)}
    network.reads_own_symbols = False
    read = network(fives).weights
    np.testing.assert_allclose(own.weights[:, :3], read[:, :3], rtol=1e-4, atol=1e-5)
    assert not np.allclose(own.weights[0, 2], network(batch).weights[0, 2], atol=1e-3)
    network.reads_own_symbols = True
    assert_same(network(batch), network(batch), batch), "and the answers of no training are the targets'"


def test_half_of_own_symbols_are_half_of_all():
    network, batch = made()
    network.own_share.assign(0.5)
    network.scores.bias.assign([0, 0, 0, 0, 0, 1e3, 0])
    many = {name: tf.repeat(value, 200, axis=0) for name, value in batch.items()}
    mixed = network._mixed(many, network.encoder(many)).numpy()
    gold = np.repeat(shifted(batch["target"]).numpy(), 200, axis=0)
    assert (mixed[:, 0] == 0).all()
    assert set(np.unique(mixed[mixed != gold])) == {5}
    assert abs((mixed != gold)[:, 1:].mean() - 0.5) < 0.05
