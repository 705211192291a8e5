"""The distribution over tag sequences against the sum over all of them, at a temperature."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from seqtag.ops import crf
from seqtag.tagging.data.schemes import legal_transitions, tagset
from seqtag.tagging.network.tag_distribution import TagDistribution

TAGS = tagset(["A"], "IOBES")
LENGTHS = [4, 2, 1, 0]
TEMPERATURE = 1.7
SOURCE = np.random.default_rng(4)
EMISSIONS = SOURCE.normal(size=(4, 4, 5)).astype("float32") * 2
CHAIN = crf.CRFScores(*(SOURCE.normal(size=shape).astype("float32") for shape in ((5,), (5, 5), (5,))))
# Independent choices: the scores of a softmax head.
ALONE = crf.CRFScores(*map(np.zeros_like, CHAIN))
LEGAL = legal_transitions(TAGS, "IOBES")


def legal(scores):
    return crf.CRFScores(
        *(np.where(table, score, -np.inf).astype("float32") for table, score in zip(LEGAL, scores, strict=True))
    )


def paths_of(row, scores):
    """All paths of a row with their probabilities, the likeliest first."""
    weights = {}
    for path in itertools.product(range(5), repeat=LENGTHS[row]):
        score = sum(EMISSIONS[row, step, tag] for step, tag in enumerate(path))
        score += sum(scores.transitions[pair] for pair in itertools.pairwise(path))
        score += scores.start[path[0]] + scores.end[path[-1]] if path else 0
        weights[path] = np.exp(float(score) / TEMPERATURE)
    total = sum(weights.values())
    found = {path: weight / total for path, weight in weights.items() if weight}
    return sorted(found.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("scores", [legal(CHAIN), legal(ALONE), CHAIN, ALONE], ids=["crf", "softmax", "free", "alone"])
def test_the_likeliest_sequences_are_those_of_brute_force(scores):
    tables = crf.CRFScores(*map(tf.constant, scores))
    distribution = TagDistribution(tf.constant(EMISSIONS), tf.constant(LENGTHS), tables, TEMPERATURE)
    tags, log_probabilities = (found.numpy() for found in distribution.n_best(9))
    probabilities = np.exp(log_probabilities)
    marginals = distribution.marginals().numpy()
    for row, length in enumerate(LENGTHS):
        expected = paths_of(row, scores)
        count = min(9, len(expected))
        assert [tuple(path[:length]) for path in tags[row, :count]] == [path for path, _ in expected[:count]]
        np.testing.assert_allclose(probabilities[row, :count], [p for _, p in expected[:count]], rtol=1e-4)
        assert not probabilities[row, count:].any() and not tags[row, :, length:].any()
        for step, tag in itertools.product(range(length), range(5)):
            of_tag = sum(p for path, p in expected if path[step] == tag)
            assert marginals[row, step, tag] == pytest.approx(of_tag, abs=1e-5)


def test_sequences_of_long_sentences_are_too_improbable_for_float32():
    tables = crf.CRFScores(*map(tf.constant, ALONE))
    _, log_probabilities = TagDistribution(tf.zeros((1, 400, 5)), tf.constant([400]), tables, 3.0).n_best(9)
    np.testing.assert_allclose(log_probabilities, -400 * np.log(5), rtol=1e-4)
