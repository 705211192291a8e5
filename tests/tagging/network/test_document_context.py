from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.tagging.network.document_context import DocumentContext, mean_of_others

LENGTHS, UNITS = [5, 3, 0, 1], 4
WORDS = np.array([[0, 1, 0, 2, 1], [0, 3, 3, 0, 0], [0] * 5, [4, 0, 0, 0, 0]], np.int32)
MASK = np.arange(5) < np.array(LENGTHS)[:, None]


@pytest.fixture
def hidden():
    return np.random.default_rng(0).normal(size=(4, 5, UNITS)).astype("float32")


def others_of(row, step):
    return [
        (r, t)
        for r, t in zip(*np.nonzero(MASK), strict=True)
        if WORDS[r, t] == WORDS[row, step] and (r, t) != (row, step)
    ]


def test_the_mean_is_that_of_the_other_places(hidden):
    mean, found = (tensor.numpy() for tensor in mean_of_others(hidden, WORDS, MASK))
    for row, step in np.ndindex(WORDS.shape):
        others = others_of(row, step) if MASK[row, step] else []
        assert found[row, step] == bool(others)
        expected = np.mean([hidden[place] for place in others], axis=0) if others else np.zeros(UNITS)
        np.testing.assert_allclose(mean[row, step], expected, atol=1e-6)
    assert found.sum() == 7  # three times word 0, twice the words 1 and 3


def test_what_stands_at_padding_changes_nothing(hidden):
    other = np.where(MASK[..., None], hidden, 1e6).astype("float32")
    for one, two in zip(mean_of_others(hidden, WORDS, MASK), mean_of_others(other, WORDS, MASK), strict=True):
        np.testing.assert_array_equal(one, two)


def made(**settings):
    layer = DocumentContext(**settings)
    layer.build((None, None, UNITS))
    rng = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


def test_the_layer_is_its_equation(hidden):
    layer = made()
    gate, gate_bias, states, states_bias = (variable.numpy() for variable in layer.trainable_variables)
    mean, found = (tensor.numpy() for tensor in mean_of_others(hidden, WORDS, MASK))
    g = 1 / (1 + np.exp(-(np.concatenate([hidden, mean], axis=-1) @ gate + gate_bias)))
    expected = hidden + found[..., None] * g * np.tanh(mean @ states + states_bias)
    np.testing.assert_allclose(layer(hidden, WORDS, mask=MASK), expected, atol=1e-5)
    np.testing.assert_array_equal(layer(hidden, WORDS, mask=MASK)[3], hidden[3])  # a word that stands once


def test_a_network_begins_as_one_without_documents(hidden):
    layer = DocumentContext()
    layer.build((None, None, UNITS))
    assert np.abs(layer(hidden, WORDS, mask=MASK) - hidden).mean() < 0.2 * np.abs(hidden).mean()


def test_gradients_reach_the_other_places(hidden):
    layer, states = made(), tf.Variable(hidden)
    with tf.GradientTape() as tape:
        out = tf.reduce_sum(layer(states, WORDS, mask=MASK)[0, 0])
    gradient = tape.gradient(out, states).numpy()
    reached = {place for place in np.ndindex(WORDS.shape) if gradient[place].any()}
    assert reached == {(0, 0), *others_of(0, 0)}
    layer, epsilon, place = made(), 1e-2, (1, 0, 2)
    steps = []
    for sign in (1, -1):
        moved = hidden.copy()
        moved[place] += sign * epsilon
        steps.append(float(tf.reduce_sum(layer(moved, WORDS, mask=MASK)[0, 0])))
    assert (steps[0] - steps[1]) / (2 * epsilon) == pytest.approx(gradient[place], rel=1e-2)


def test_half_precision_keeps_the_count(hidden):
    many = np.zeros((1, 3000), np.int32)
    states = np.ones((1, 3000, UNITS), "float32")
    layer = made(dtype="mixed_bfloat16")
    found = layer(tf.cast(states, tf.bfloat16), many, mask=np.ones((1, 3000), bool))
    assert found.dtype == tf.bfloat16
    mean, _ = mean_of_others(tf.cast(states, tf.bfloat16), many, np.ones((1, 3000), bool))
    np.testing.assert_array_equal(tf.cast(mean, tf.float32), states)


def test_it_is_saved(tmp_path, hidden):
    layer = made(name="context")
    again = DocumentContext.from_config(layer.get_config())
    again.build((None, None, UNITS))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(hidden, WORDS, mask=MASK), layer(hidden, WORDS, mask=MASK))
    assert keras.saving.get_registered_name(DocumentContext) == "seqtag>DocumentContext"


def test_training_leaves_the_context_out_of_whole_sentences(hidden):
    layer = made(alone=0.5)
    with_context, without = layer(hidden, WORDS, mask=MASK).numpy(), hidden
    read = np.zeros(2)
    for _ in range(60):
        states = layer(hidden, WORDS, mask=MASK, training=True).numpy()
        for row in range(2):
            is_read = np.array_equal(states[row], with_context[row])
            assert is_read or np.array_equal(states[row], without[row])
            read[row] += is_read
    assert (read > 20).all() and (read < 40).all()
    assert DocumentContext.from_config(layer.get_config()).alone == 0.5
