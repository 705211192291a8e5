"""The softmaxes: exact probabilities, and those of targets alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.models.language_network.softmax import AdaptiveSoftmax, SymbolSoftmax

HIDDEN = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)
TARGETS = np.array([[0, 1, 2, 3, 4], [5, 6, 9, 10, 3]], np.int32)
VECTORS = np.random.default_rng(1).normal(size=(11, 8)).astype(np.float32)
KINDS = {
    "full": lambda: SymbolSoftmax(11),
    "tied": lambda: SymbolSoftmax(11, tied=True),
    "adaptive": lambda: AdaptiveSoftmax(11, (3, 6)),
    "one group": lambda: AdaptiveSoftmax(11, (1,)),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def softmax(request):
    keras.utils.set_random_seed(1)
    layer = request.param()
    layer.build(HIDDEN.shape)
    for weight in layer.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    return layer


def test_probabilities_sum_to_one_and_those_of_targets_are_among_them(softmax):
    every = softmax(HIDDEN, VECTORS).numpy()
    np.testing.assert_allclose(np.exp(every).sum(-1), 1.0, atol=1e-5)
    wanted = np.take_along_axis(every, TARGETS[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(softmax.of_targets(HIDDEN, TARGETS, VECTORS), wanted, atol=1e-5)
    graph = tf.function(softmax.of_targets, autograph=False)
    np.testing.assert_allclose(graph(HIDDEN, TARGETS, VECTORS), wanted, atol=1e-5)


def test_gradients_are_those_of_the_whole_distribution(softmax):
    hidden = tf.Variable(HIDDEN)
    with tf.GradientTape(persistent=True) as tape:
        few = tf.reduce_sum(softmax.of_targets(hidden, TARGETS, VECTORS))
        every = tf.reduce_sum(tf.gather(softmax(hidden, VECTORS), TARGETS, axis=2, batch_dims=2))
    for wanted in (hidden, *(weight.value for weight in softmax.trainable_weights)):
        np.testing.assert_allclose(
            tf.convert_to_tensor(tape.gradient(few, wanted)), tape.gradient(every, wanted), atol=1e-4
        )


def test_a_group_without_targets_is_no_fault():
    layer = AdaptiveSoftmax(11, (3, 6))
    found = layer(HIDDEN)
    few = layer.of_targets(HIDDEN, np.zeros((2, 5), np.int32))
    np.testing.assert_allclose(few, found[..., 0], atol=1e-5)


def test_an_adaptive_softmax_by_hand():
    layer = AdaptiveSoftmax(3, (1,))
    layer.build((1, 4))
    for weight in layer.weights:
        weight.assign(np.zeros(weight.shape))
    layer.head_bias.assign([0.0, np.log(3.0)])
    # The group of the two rare symbols has three quarters, and each of them half of that.
    np.testing.assert_allclose(np.exp(layer(np.ones((1, 4)))), [[0.25, 0.375, 0.375]], atol=1e-6)


def test_configurations_go_round(softmax):
    twin = type(softmax).from_config(softmax.get_config())
    twin.build(HIDDEN.shape)
    assert [w.shape for w in twin.weights] == [w.shape for w in softmax.weights]
