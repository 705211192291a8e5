from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.layers import CRF
from seqtag.tagging.data.schemes import legal_transitions, tagset, violations
from seqtag.tagging.network.softmax_head import SoftmaxHead
from seqtag.tagging.network.tag_column import ColumnSettings, TagColumn
from seqtag.tagging.network.tag_distribution import TagDistribution

TAGS = tagset(["A"], "IOBES")
RNG = np.random.default_rng(8)
EMISSIONS = RNG.normal(size=(3, 4, len(TAGS))).astype("float32") * 2
GOLD = RNG.integers(0, len(TAGS), (3, 4))
MASK = np.arange(4) < np.array([[4], [2], [0]])


@pytest.fixture
def head():
    made = SoftmaxHead(constraints=legal_transitions(TAGS, "IOBES"))
    made(EMISSIONS)
    return made


def decoded(head, mask):
    """What a column of tags with this head decodes."""
    column = TagColumn(ColumnSettings(len(TAGS), head.constraints, "softmax"), 0, None)
    column.build(3)
    return column.decode(EMISSIONS, mask)


def test_the_loss_is_the_cross_entropy_of_keras(head):
    losses = head.negative_log_likelihood(EMISSIONS, GOLD, mask=MASK)
    entropy = keras.losses.sparse_categorical_crossentropy(GOLD, EMISSIONS, from_logits=True)
    np.testing.assert_allclose(losses, (np.array(entropy) * MASK).sum(1), rtol=1e-5)
    assert losses[2] == 0


def test_steps_of_unknown_tag_count_nothing(head):
    some = np.where(np.arange(4) == 1, -1, GOLD)
    losses = head.negative_log_likelihood(EMISSIONS, some, mask=MASK)
    expected = head.negative_log_likelihood(EMISSIONS, GOLD, mask=MASK & (np.arange(4) != 1))
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_decoding_is_the_best_legal_path(head):
    tags = np.array(decoded(head, MASK))
    for emissions, found, length in zip(EMISSIONS, tags, [4, 2, 0], strict=True):
        legal = [
            path
            for path in itertools.product(range(len(TAGS)), repeat=length)
            if not violations([TAGS[n] for n in path], "IOBES")
        ]
        best = max(legal, key=lambda path: sum(emissions[step, tag] for step, tag in enumerate(path)))
        assert tuple(found[:length]) == best
    assert not tags[~MASK].any()


def test_without_constraints_it_is_a_softmax_at_each_step():
    head = SoftmaxHead()
    head(EMISSIONS)
    np.testing.assert_array_equal(decoded(head, np.ones_like(MASK)), EMISSIONS.argmax(-1))
    distribution = TagDistribution(tf.constant(EMISSIONS), tf.fill([3], 4), head.scores, temperature=2.0)
    np.testing.assert_allclose(distribution.marginals(), keras.ops.softmax(EMISSIONS / 2), atol=1e-5)


def test_nothing_is_trained(head):
    assert head.variables == []


def test_it_decodes_as_a_crf_without_scores(head):
    crf = CRF(constraints=head.constraints)
    crf(EMISSIONS)
    np.testing.assert_array_equal(decoded(head, MASK), crf.decode(EMISSIONS, mask=MASK))
    for found, expected in zip(head.scores, crf.scores, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_round_trip():
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(len(TAGS)), SoftmaxHead()])
    again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    inputs = RNG.normal(size=(2, 4, 3))
    np.testing.assert_array_equal(model(inputs), again(inputs))
    assert isinstance(SoftmaxHead.from_config(model.layers[-1].get_config()), SoftmaxHead)


def test_loss_within_adds_the_probabilities_of_the_allowed_tags(head):
    allowed = RNG.random(EMISSIONS.shape) < 0.5
    allowed[..., 0] = True
    allowed[0, 0] = True  # nothing is known
    probabilities = np.asarray(keras.ops.softmax(EMISSIONS))
    expected = -(np.log((probabilities * allowed).sum(-1)) * MASK).sum(1)
    np.testing.assert_allclose(head.loss_within(EMISSIONS, allowed, mask=MASK), expected, rtol=1e-5)


def test_costs_are_those_of_a_crf_without_scores():
    costs = RNG.random(len(TAGS)).tolist()
    head, crf = SoftmaxHead(tag_costs=costs), CRF(tag_costs=costs)
    head(EMISSIONS), crf(EMISSIONS)
    tags = RNG.integers(-1, len(TAGS), size=MASK.shape)
    allowed = RNG.random(EMISSIONS.shape) < 0.5
    allowed[..., 1] = True
    for loss, told in (("negative_log_likelihood", tags), ("loss_within", allowed)):
        found, expected = (getattr(layer, loss)(EMISSIONS, told, mask=MASK) for layer in (head, crf))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert SoftmaxHead.from_config(head.get_config()).tag_costs == costs
