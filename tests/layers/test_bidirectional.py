"""Bidirectional: each row reversed within its own steps, every way to merge, states, errors."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import seqtag.layers
from seqtag.layers import GRU, LSTM, Bidirectional, GRUCell, PeepholeLSTM, SimpleRNN

TENSORFLOW = keras.config.backend() == "tensorflow"
# Rows of different lengths, one with a gap, one empty; the numbers are nowhere symmetric.
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
INPUTS = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
MERGES = {
    "concat": lambda f, b: np.concatenate([f, b], axis=-1),
    "sum": lambda f, b: f + b,
    "mul": lambda f, b: f * b,
    "ave": lambda f, b: (f + b) / 2,
}


def directions(layer, row):
    """What each direction says of the real steps of a row, run by itself, both in the row's order."""
    real = INPUTS[row : row + 1, MASK[row]]
    one_way = GRU(2, return_sequences=True)
    one_way.build(real.shape)
    one_way.set_weights(layer.forward_layer.get_weights())
    forward = ops.convert_to_numpy(one_way(real))[0]
    one_way.set_weights(layer.backward_layer.get_weights())
    return forward, ops.convert_to_numpy(one_way(real[:, ::-1]))[0, ::-1]


@pytest.mark.parametrize("merge_mode", MERGES)
def test_each_row_is_reversed_within_its_own_steps(merge_mode):
    layer = Bidirectional(GRU(2, return_sequences=True), merge_mode=merge_mode)
    outputs = ops.convert_to_numpy(layer(INPUTS, mask=MASK))
    for row in range(3):
        np.testing.assert_allclose(outputs[row][MASK[row]], MERGES[merge_mode](*directions(layer, row)), atol=1e-6)


def test_merge_mode_none_returns_both():
    layer = Bidirectional(GRU(2, return_sequences=True), merge_mode=None)
    forward, backward = (ops.convert_to_numpy(output) for output in layer(INPUTS, mask=MASK))
    for row in range(3):
        wanted = directions(layer, row)
        np.testing.assert_allclose(forward[row][MASK[row]], wanted[0], atol=1e-6)
        np.testing.assert_allclose(backward[row][MASK[row]], wanted[1], atol=1e-6)
    masks = layer.compute_mask(INPUTS, MASK)
    assert masks[0] is MASK and masks[1] is MASK


def test_learned_merge_projects_both_back_to_units():
    layer = Bidirectional(GRU(2, return_sequences=True), merge_mode="learned")
    layer(INPUTS)
    kernel, bias = np.random.default_rng(1).normal(size=(4, 2)), np.array([0.5, -2.0])
    layer.merge_kernel.assign(kernel)
    layer.merge_bias.assign(bias)
    outputs = ops.convert_to_numpy(layer(INPUTS, mask=MASK))
    for row in range(3):
        wanted = np.concatenate(directions(layer, row), axis=-1) @ kernel + bias
        np.testing.assert_allclose(outputs[row][MASK[row]], wanted, atol=1e-5)


def test_without_sequences_both_directions_have_read_the_whole_row():
    layer = Bidirectional(GRU(2))
    outputs = ops.convert_to_numpy(layer(INPUTS, mask=MASK))
    for row in range(3):
        forward, backward = directions(layer, row)
        np.testing.assert_allclose(outputs[row], np.concatenate([forward[-1], backward[0]]), atol=1e-6)
    np.testing.assert_array_equal(outputs[3], np.zeros(4))


# What there is to wrap: ours and Keras's, and how many states each has.
WRAPPED = {
    "SimpleRNN": (SimpleRNN, keras.layers.SimpleRNN, 1),
    "GRU": (GRU, keras.layers.GRU, 1),
    "LSTM": (LSTM, keras.layers.LSTM, 2),
    "RNN": (
        lambda units, **options: keras.layers.RNN(GRUCell(units), **options),
        lambda units, **options: keras.layers.RNN(keras.layers.GRUCell(units), **options),
        1,
    ),
}


MERGED = [("SimpleRNN", "sum"), ("GRU", "concat"), ("GRU", "mul"), ("LSTM", "ave"), ("LSTM", None), ("RNN", "concat")]


@pytest.mark.parametrize(("kind", "merge_mode"), MERGED)
def test_masked_steps_are_keras_with_every_merge(kind, merge_mode):
    *makers, states = WRAPPED[kind]
    start = [np.random.default_rng(n).normal(size=(4, 2)).astype("float32") for n in range(2 * states)]
    for return_sequences in (True, False):
        options = {"return_sequences": return_sequences, "return_state": merge_mode != "mul"}
        theirs = keras.layers.Bidirectional(makers[1](2, **options), merge_mode)
        theirs(INPUTS)
        ours = Bidirectional(makers[0](2, **options), merge_mode, weights=theirs.get_weights())
        # On JAX, Keras shows the initial state of a row without a real step; ours is as Keras on TensorFlow everywhere.
        for given in ({}, {"initial_state": start})[: 1 + TENSORFLOW]:
            found, wanted = (keras.tree.flatten(layer(INPUTS, mask=MASK, **given)) for layer in (ours, theirs))
            assert len(found) == len(wanted)
            for mine, keras_ in zip(found, wanted, strict=True):
                np.testing.assert_allclose(mine, keras_, atol=1e-6, rtol=1e-5)


def test_layers_that_differ_and_run_the_other_way_round_give_keras_numbers():
    options = {"return_sequences": True, "bias_initializer": "uniform"}
    theirs, ours = (
        (layers.GRU(2, go_backwards=True, **options), layers.SimpleRNN(2, "relu", **options))
        for layers in (keras.layers, seqtag.layers)
    )
    theirs = keras.layers.Bidirectional(theirs[0], backward_layer=theirs[1])
    theirs(INPUTS)
    ours = Bidirectional(ours[0], "concat", theirs.get_weights(), ours[1])
    again = Bidirectional.from_config(ours.get_config())
    assert type(again.backward_layer) is SimpleRNN and again.get_config() == ours.get_config()
    np.testing.assert_allclose(ours(INPUTS, mask=MASK), theirs(INPUTS, mask=MASK), atol=1e-6)
    np.testing.assert_array_equal(ours.compute_mask(INPUTS, ops.convert_to_tensor(MASK)), MASK[:, ::-1])


def test_masked_steps_are_zeros_with_the_learned_merge_and_skip_connections():
    layer = Bidirectional(GRU(2, return_sequences=True, residual=True), merge_mode="learned")
    layer(INPUTS)
    layer.merge_bias.assign([0.5, -2.0])
    outputs = ops.convert_to_numpy(layer(INPUTS, mask=MASK))
    np.testing.assert_array_equal(outputs[~MASK], 0)
    assert (outputs[MASK] != 0).all()


def test_layers_of_other_ranks():
    images = np.random.default_rng(0).normal(size=(2, 3, 6, 4)).astype("float32")
    convolutional = [keras.layers.ConvLSTM1D(2, 3, return_sequences=True) for _ in range(2)]
    theirs = keras.layers.Bidirectional(convolutional[0])
    # On JAX, Keras's own layer cannot broadcast its mask.
    mask = {"mask": MASK[:2, :3]} if TENSORFLOW else {}
    wanted = theirs(images, **mask)
    ours = Bidirectional(convolutional[1], weights=theirs.get_weights())
    np.testing.assert_allclose(ours(images, **mask), wanted, atol=1e-6)
    assert ours(keras.Input((3, 6, 4))).shape == (None, 3, 4, 4)


# On JAX, Keras's initializers have no pure float16.
POLICIES = [("float32", "mixed_bfloat16"), ("mixed_float16", "float32"), ("float16", "float16")][: 2 + TENSORFLOW]


@pytest.mark.parametrize("policies", POLICIES)
def test_graphs_and_calls_have_the_same_dtype(policies):
    layer = Bidirectional(LSTM(2, return_state=True, dtype=policies[1]), dtype=policies[0])
    told, found = layer(keras.Input((5, 3))), layer(INPUTS)
    assert [t.dtype for t in told] == [keras.backend.standardize_dtype(t.dtype) for t in found]


def test_weights_to_start_from_are_counted():
    with pytest.raises(ValueError, match="expected weights to be the 6 of both layers, found 1"):
        Bidirectional(GRU(2), weights=[np.zeros((3, 6))])(INPUTS)


def test_a_layer_that_is_in_use_is_not_shared():
    layer = GRU(2)
    first, second = Bidirectional(layer), Bidirectional(layer)
    assert first.forward_layer is layer and second.forward_layer is not layer
    first(INPUTS), second(INPUTS)
    assert np.abs(first.get_weights()[0] - second.get_weights()[0]).max() > 1e-3


def test_equals_keras_weight_for_weight(weight_gradients):
    ours = Bidirectional(LSTM(2, return_sequences=True))
    theirs = keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=True))
    wanted = ops.convert_to_numpy(theirs(INPUTS, mask=MASK))
    ours(INPUTS)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(INPUTS, mask=MASK), wanted, atol=1e-6)
    scale = np.random.default_rng(2).normal(size=(4, 5, 4)).astype("float32") * MASK[..., None]
    found, wanted = (
        weight_gradients(layer, lambda y: ops.sum(y * scale), INPUTS, mask=MASK) for layer in (ours, theirs)
    )
    for mine, keras_ in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, keras_, rtol=1e-4, atol=1e-5)


def test_states_come_forward_first_and_go_in_the_same_way():
    layer = Bidirectional(PeepholeLSTM(2, return_sequences=True, return_state=True))
    outputs, *states = layer(INPUTS, mask=MASK)
    assert len(states) == 4
    np.testing.assert_allclose(states[0][1], outputs[1, 2, :2])
    np.testing.assert_allclose(states[2][1], outputs[1, 0, 2:])
    start = [np.full((4, 2), value, "float32") for value in (0.1, 0.2, 0.3, 0.4)]
    ends = layer(INPUTS, initial_state=start, mask=np.zeros_like(MASK))[1:]
    for end, wanted in zip(ends, start, strict=True):
        np.testing.assert_array_equal(end, wanted)


def test_shapes_and_masks_of_states():
    shapes = Bidirectional(PeepholeLSTM(2, return_state=True), merge_mode="sum").compute_output_shape((4, 5, 3))
    assert shapes == ((4, 2),) * 5
    shapes = Bidirectional(GRU(2, return_state=True, return_sequences=True), merge_mode=None)
    assert shapes.compute_output_shape((4, 5, 3)) == ((4, 5, 2), (4, 5, 2), (4, 2), (4, 2))


def test_a_stateful_pair_is_reset_together():
    layer = Bidirectional(GRU(2, stateful=True, return_sequences=True))
    first = ops.convert_to_numpy(layer(INPUTS))
    assert np.abs(ops.convert_to_numpy(layer(INPUTS)) - first).max() > 1e-4
    layer.reset_state()
    np.testing.assert_allclose(layer(INPUTS), first, atol=1e-6)


def test_the_directions_have_weights_and_dropout_of_their_own():
    layer = Bidirectional(GRU(2, dropout=0.5, seed=3))
    layer.build((None, None, 3))
    forward, backward = layer.forward_layer, layer.backward_layer
    assert np.abs(forward.get_weights()[0] - backward.get_weights()[0]).max() > 1e-3
    assert (forward.cell.seed, backward.cell.seed) == (3, 4)


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match=r"expected merge_mode to be concat, .* learned or None, found 'max'"):
        Bidirectional(GRU(2), merge_mode="max")
    with pytest.raises(
        ValueError, match=r"expected layers that run in different directions, found go_backwards=True in both"
    ):
        Bidirectional(GRU(2, go_backwards=True))
    with pytest.raises(ValueError, match="expected both layers to have the same return_sequences, found True"):
        Bidirectional(GRU(2, return_sequences=True), backward_layer=GRU(2, go_backwards=True))
