"""Losses that are the cost of a network's own answers: computed by hand where its answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.seq2seq.data.batches import gathered
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.length_bound import LengthBound
from seqtag.seq2seq.network.risk import Risk, RiskTraining

# "a" and "aab" are the targets; rows of the vocabulary: the end, unknown, then "a" and "b".
TRAIN = Pairs(["x", "y"], ["a", "aab"])
STEPS = 5


@pytest.fixture
def model(unfitted):
    return unfitted(TRAIN, members=1)


def training(model, objective, cost="error_rate", sharpness=1.0):
    network = model.network.members[0]
    return RiskTraining(network, objective, cost, candidates=4, sharpness=sharpness, bound=LengthBound.fixed(STEPS - 1))


def batch_of(model):
    return gathered(model.symbols(TRAIN), tf.range(2), model.coders)


def ends_at_once(model):
    """Makes every answer of the network empty."""
    model.network.members[0].scores.bias.assign([60.0, -60.0, 0.0, 0.0])


@pytest.mark.parametrize("cost", ["error_rate", "mismatch"])
def test_the_risk_of_equal_candidates_is_that_of_one(model, cost):
    ends_at_once(model)
    batch = batch_of(model)
    tuned = training(model, "minimum_risk", cost, sharpness=0.02)
    risk = tuned(batch)
    # The target comes first, then four empty answers, of which one counts; each costs all of its target.
    np.testing.assert_array_equal(risk.costs, [[0, 1, 1, 1, 1]] * 2)
    np.testing.assert_array_equal(risk.distinct, [[True, True, False, False, False]] * 2)
    np.testing.assert_array_equal(risk.baseline, [1, 1])
    logs = model.log_probabilities(model.symbols(TRAIN))
    empty = model.log_probabilities(model.symbols(Pairs(TRAIN.sources, ["", ""])))
    np.testing.assert_allclose(risk.log_probabilities[:, :2], np.stack([logs, empty], axis=1), rtol=1e-4, atol=1e-5)
    weights = np.exp(0.02 * (empty - logs))
    assert float(tuned.compute_loss(batch, y_pred=risk)) == pytest.approx(np.mean(weights / (1 + weights)), rel=1e-3)


def test_candidates_like_the_greedy_answer_teach_nothing(model):
    ends_at_once(model)
    tuned = training(model, "self_critical")
    risk = tuned(batch_of(model))
    assert risk.costs.shape == (2, 4)
    assert float(tuned.compute_loss(batch_of(model), y_pred=risk)) == 0.0


def test_costs_are_edit_distances_over_the_length_of_the_target(model):
    # Always "a", up to the bound: four deletions of five for "a"; for "aab" one wrong symbol and two too many.
    model.network.members[0].scores.bias.assign([-60.0, -60.0, 60.0, 0.0])
    risk = training(model, "self_critical")(batch_of(model))
    written = STEPS - 1
    np.testing.assert_allclose(risk.costs, [[written - 1] * 4, [(written - 2) / 3] * 4])
    np.testing.assert_allclose(risk.baseline, [written - 1, (written - 2) / 3])


@pytest.mark.parametrize("objective", ["minimum_risk", "self_critical"])
def test_gradients_make_cheap_candidates_likelier(model, objective):
    logs = np.array([[-1.0, -2.0, -0.5], [-0.2, -3.0, -3.0]], np.float32)
    costs = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.0]], np.float32)
    baseline, distinct = np.array([0.5, 1.0], np.float32), np.array([[True] * 3, [True, True, False]])
    tuned = training(model, objective, sharpness=0.5)
    with tf.GradientTape() as tape:
        variable = tf.Variable(logs)
        loss = tuned.compute_loss({}, y_pred=Risk(variable, tf.constant(costs), baseline, distinct))
    found = tape.gradient(loss, variable)
    if objective == "minimum_risk":
        shares = np.where(distinct, np.exp(0.5 * logs), 0)
        shares /= shares.sum(axis=1, keepdims=True)
        risks = (shares * costs).sum(axis=1, keepdims=True)
        wanted = 0.5 * shares * (costs - risks) / 2
        assert float(loss) == pytest.approx(risks.mean(), rel=1e-5)
    else:
        wanted = (costs - baseline[:, None]) / 6
    np.testing.assert_allclose(found, wanted, atol=1e-6)
