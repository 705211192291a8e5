"""The states of a language model at the words of sentences, against a reading of one character after the other."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.data.text.vocabulary import BOUNDARY, UNKNOWN
from seqtag.models.language_network.network import LanguageNetwork
from seqtag.models.language_network.readers import RecurrentReader, WindowReader
from seqtag.models.language_network.word_states import STATES, WordStates

SPACE = 2
# The rows of the distinct words: "abc", "d", "", "a" and one of characters that are not known.
SPELT = [[3, 4, 5], [6], [], [3], [UNKNOWN, UNKNOWN]]
SENTENCES = [[0, 1, 0, 3], [], [1], [2, 4]]


def network(units=4, reader=None, **arguments):
    made = LanguageNetwork(8, reader or RecurrentReader("lstm", units, layers=2, **arguments), 3)
    made.build()
    return made


def states_of(*networks, tuned=False):
    made = WordStates(networks, SPACE, tuned)
    made.build()
    return made


def batch_of(sentences=SENTENCES, spelt=SPELT, pad=0):
    most = max(map(len, spelt)) + pad
    width = max(map(len, sentences)) + pad
    return {
        "symbols": tf.constant([word + [0] * (most - len(word)) for word in spelt], tf.int32),
        # What stands beyond the end of a sentence must not matter.
        "word_rows": tf.constant([words + [1] * (width - len(words)) for words in sentences], tf.int32),
        "lengths": tf.constant([len(words) for words in sentences]),
    }


def read_one_by_one(network, symbols):
    """The state after a boundary and these symbols."""
    state = network.reader.zero_state(1)
    for symbol in [BOUNDARY, *symbols]:
        hidden, state = network.read(tf.constant([[symbol]]), state)
    return hidden.numpy()[0, 0]


def expected(forward, backward, words):
    """The vectors of a sentence, each from a reading of its own."""
    found = []
    for n in range(len(words)):
        before = [symbol for word in words[: n + 1] for symbol in [*SPELT[word], SPACE]]
        after = [symbol for word in words[n:] for symbol in [SPACE, *SPELT[word]]]
        parts = [read_one_by_one(forward, before)]
        parts += [] if backward is None else [read_one_by_one(backward, after[::-1])]
        found.append(np.concatenate(parts))
    return found


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("pad", [0, 3])
def test_a_word_has_the_state_at_the_space_after_it_and_backwards_at_the_space_before_it(both, pad):
    forward, backward = network(4), network(3) if both else None
    layer = states_of(*filter(None, (forward, backward)))
    found = layer(batch_of(pad=pad)).numpy()
    assert layer.width == found.shape[-1] == (7 if both else 4)
    for row, words in zip(found, SENTENCES, strict=True):
        for state, wanted in zip(row, expected(forward, backward, words), strict=False):
            np.testing.assert_allclose(state, wanted, atol=1e-6)
        assert not row[len(words) :].any(), "padding has zeros"


def test_other_sentences_do_not_matter():
    layer = states_of(network(), network())
    together = layer(batch_of()).numpy()
    for row, words in zip(together, SENTENCES, strict=True):
        alone = layer(batch_of([words])).numpy()[0]
        np.testing.assert_allclose(alone, row[: len(words)], atol=1e-6)


@pytest.mark.parametrize("sentences", [[[], []], [[1]]])
def test_batches_without_a_word_and_of_one_word(sentences):
    layer = states_of(network(), network())
    found = layer(batch_of(sentences))
    assert found.shape == (len(sentences), max(map(len, sentences)), 8)
    no_word = {"symbols": [0, 1], "word_rows": [2, 0], "lengths": [2]}
    assert layer({name: tf.zeros(shape, tf.int32) for name, shape in no_word.items()}).shape == (2, 0, 8)


def test_a_model_without_memory_has_states_too():
    layer = states_of(network(reader=WindowReader(3, 5)))
    np.testing.assert_allclose(layer(batch_of())[0, 1], expected(layer.networks[0], None, [0, 1])[1], atol=1e-6)


def test_states_that_were_computed_before_are_taken():
    before = np.arange(16, dtype=np.float16).reshape(1, 2, 8)
    found = states_of(network(), network())({STATES: before})
    np.testing.assert_array_equal(found, before.astype(np.float32))


@pytest.mark.parametrize("tuned", [True, False])
def test_gradients_reach_the_networks_where_they_are_tuned_alone(tuned):
    layer = states_of(network(), network(), tuned=tuned)
    everything = [variable.value for part in layer.networks for variable in part.variables]
    with tf.GradientTape() as tape:
        tape.watch([variable for variable in everything if variable.dtype.is_floating])
        total = tf.reduce_sum(layer(batch_of(), training=True) ** 2)
    gradients = tape.gradient(total, [variable for variable in everything if variable.dtype.is_floating])
    assert any(gradient is not None for gradient in gradients) == tuned
    assert bool(layer.trainable_variables) == tuned and (layer.constant_weights == []) == tuned


def test_dropout_of_the_language_model_is_on_where_it_is_tuned_alone():
    for tuned in (False, True):
        layer = states_of(network(dropout=0.5), tuned=tuned)
        differs = np.abs(layer(batch_of(), training=True) - layer(batch_of())).max() > 0
        assert differs == tuned


def test_a_layer_comes_back_from_its_configuration_with_the_weights_of_others():
    layer = states_of(network(4), network(3))
    again = WordStates.from_config(layer.get_config())
    again.fill(layer.networks)
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(again(batch_of()), layer(batch_of()))
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert restored.width == 7 and not restored.tuned
