"""The character encoder against loops over characters."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from seqtag.layers import CharEncoder

WORDS = np.array([[3, 1, 4, 1, 5, 0, 0], [9, 0, 0, 0, 0, 0, 0], [2, 7, 1, 8, 2, 8, 1], [0] * 7, [6, 5, 0, 0, 0, 0, 0]])


def _convolved(layer: CharEncoder, word: list[int]) -> np.ndarray:
    """The vector of one word, position by position."""
    embeddings, *filters, bias = (np.float64(keras.ops.convert_to_numpy(w)) for w in layer.weights)
    found = []
    for kernel in filters:
        reach = (len(kernel) - 1) // 2
        responses = []
        for centre in range(len(word)):
            total = np.zeros(layer.units)
            for place, weights in enumerate(kernel):
                position = centre + place - reach
                if 0 <= position < len(word):
                    total += embeddings[word[position]] @ weights
            responses.append(total)
        found.append(np.max(responses, axis=0))
    return np.tanh(np.concatenate(found) + bias)


def _cnn(**arguments) -> CharEncoder:
    # Other weights could lie at a kink of the maximum, where a difference is no gradient.
    keras.utils.set_random_seed(7)
    layer = CharEncoder(10, embedding_dim=4, units=5, widths=(1, 2, 3, 5), **arguments)
    layer(WORDS)
    layer.bias.assign(np.random.default_rng(0).normal(size=20))
    return layer


def test_cnn_is_the_largest_response_of_each_filter():
    layer = _cnn()
    expected = [_convolved(layer, [c for c in word if c]) if any(word) else np.zeros(20) for word in WORDS]
    assert_allclose(layer(WORDS), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["cnn", "birnn"])
def test_padding_and_neighbours_change_nothing(kind: str):
    layer = CharEncoder(10, embedding_dim=4, units=5, kind=kind, widths=(3, 4))
    together = np.asarray(layer(np.pad(WORDS, ((0, 0), (0, 4)))))
    for word, vector in zip(WORDS, together, strict=True):
        alone = np.array([[c for c in word if c] or [0]])
        assert_allclose(np.asarray(layer(alone))[0], vector, atol=1e-6)
    assert_array_equal(together[3], 0)


@pytest.mark.parametrize("kind", ["cnn", "birnn"])
def test_leading_dimensions_are_kept(kind: str):
    layer = CharEncoder(10, embedding_dim=4, units=5, kind=kind)
    ids = np.random.default_rng(0).integers(10, size=(2, 3, 6))
    found = layer(ids)
    assert tuple(found.shape) == (2, 3, 5 if kind == "cnn" else 10) == layer.compute_output_shape((2, 3, 6))
    assert_allclose(found[1], layer(ids[1]), atol=1e-6)


def test_birnn_is_the_last_states_of_two_lstms():
    layer = CharEncoder(10, embedding_dim=4, units=5, kind="birnn")
    layer(WORDS)
    reference = keras.layers.Bidirectional(keras.layers.LSTM(5))
    embedded = np.asarray(keras.ops.take(layer.embeddings, WORDS, axis=0))
    reference.build(embedded.shape)
    reference.set_weights(layer.recurrent.get_weights())
    for row in (0, 1, 2, 4):
        word = embedded[row : row + 1, : np.count_nonzero(WORDS[row])]
        assert_allclose(layer(WORDS)[row], reference(word)[0], atol=1e-5)


def _gradients(layer: CharEncoder, weighting: np.ndarray) -> list[np.ndarray]:
    if keras.backend.backend() == "jax":
        import jax

        def loss(variables):
            return (layer.stateless_call(variables, [], WORDS)[0] * weighting).sum()

        return [np.asarray(g) for g in jax.jit(jax.grad(loss))([v.value for v in layer.trainable_variables])]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(WORDS) * weighting)
    gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    return [tf.convert_to_tensor(g).numpy() for g in gradients]


def test_gradients_of_the_cnn_are_central_differences():
    layer = _cnn()
    weighting = np.random.default_rng(1).normal(size=(len(WORDS), 20)).astype("float32")

    def loss() -> float:
        vectors = [_convolved(layer, [c for c in word if c]) if any(word) else np.zeros(20) for word in WORDS]
        return float(np.sum(np.array(vectors) * weighting))

    rng = np.random.default_rng(2)
    for variable, gradient in zip(layer.trainable_variables, _gradients(layer, weighting), strict=True):
        value = keras.ops.convert_to_numpy(variable).copy()
        for _ in range(8):
            index = tuple(rng.integers(value.shape))
            either, places = [], []
            for step in (1e-4, -1e-4):
                moved = value.copy()
                moved[index] += step  # rounded to float32
                variable.assign(moved)
                either.append(loss())
                places.append(np.float64(moved[index]))
            variable.assign(value)
            assert_allclose(gradient[index], (either[0] - either[1]) / (places[0] - places[1]), atol=1e-3)


def test_dropout_acts_in_training_alone_and_keeps_empty_words_zero():
    layer = CharEncoder(10, embedding_dim=30, units=5, dropout=0.5, seed=1)
    calm = np.asarray(layer(WORDS))
    assert_array_equal(layer(WORDS, training=False), calm)
    dropped = np.asarray(layer(WORDS, training=True))
    assert np.abs(dropped - calm)[[0, 1, 2, 4]].max(axis=1).min() > 1e-3
    assert_array_equal(dropped[3], 0)


def test_the_seed_makes_the_weights():
    first, second, third = (CharEncoder(10, seed=seed) for seed in (4, 4, 5))
    assert_array_equal(first(WORDS), second(WORDS))
    assert np.abs(np.asarray(third(WORDS)) - np.asarray(first(WORDS))).max() > 1e-3


@pytest.mark.parametrize("kind", ["cnn", "birnn"])
def test_config_round_trip(kind: str):
    layer = CharEncoder(10, 4, kind, 5, (2, 3), 0.25, "relu", "glorot_normal", seed=3)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    layer(WORDS), copy(WORDS)
    copy.set_weights(layer.get_weights())
    assert_array_equal(copy(WORDS), layer(WORDS))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "rnn"}, "expected kind to be 'cnn' or 'birnn', found 'rnn'"),
        ({"num_chars": 1}, "expected num_chars to count padding and a character, found 1"),
        ({"widths": (3, 0)}, r"expected widths of at least 1, found \(3, 0\)"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        CharEncoder(**{"num_chars": 10, **arguments})
