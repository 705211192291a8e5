"""What a sentence tells an unfitted network by its loss, and what the labels tell of its layers."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from seqtag.tagging import fit
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.batches import batch_of, tags_of
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.data.schemes import violations
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.data.weights import relative_weights
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.network.network import TaggerNetwork

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]
PAIRS = [(["a", "b", "c", "d"], ["B-A", "?", "?", "O"]), (["d", "b"], ["B-B", "I-B"]), (["c"], ["?"])]
OPTIONS = ReadingOptions(unknown_tag="?")


@pytest.fixture(scope="module", params=["crf", "softmax"])
def model(request):
    config = ModelConfig(cell="gru", head=request.param, units=3, char_encoder="none", spelling=False, word_dim=4)
    built = build_tagging_model(load_corpus(PAIRS, OPTIONS), config, OPTIONS)
    rng = np.random.default_rng(3)
    for variable in built.network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return built


def loss(model, corpus) -> float:
    """The loss of all sentences as one batch."""
    encoded, every = model.encode_corpus(corpus), np.arange(len(corpus))
    x, y = batch_of(encoded, every), tags_of(encoded, every)
    return float(model.network.compute_loss(x, y, model.network(x), relative_weights(corpus)))


def test_the_probability_of_known_tags_is_the_sum_over_all_that_the_others_may_be(model):
    if model.tag_column.settings.head == "softmax":
        pytest.skip("it takes each token by itself")
    tokens, tags = PAIRS[0]
    completed = [[tags[0], *free, tags[3]] for free in itertools.product(TAGS, repeat=2)]
    whole = load_corpus([(tokens, tags) for tags in completed if not violations(tags, "IOB2")])
    encoded, every = model.encode_corpus(whole), np.arange(len(whole))
    x, [y] = batch_of(encoded, every), tags_of(encoded, every)
    total = np.exp(-model.network.head.negative_log_likelihood(model.network(x), y)).sum()
    known = loss(model, load_corpus([(tokens, tags)], OPTIONS))
    np.testing.assert_allclose(np.exp(-len(tokens) * known), total, rtol=1e-4)
    assert len(whole) == 15


def test_a_sentence_of_which_nothing_is_known_tells_nothing(model):
    assert loss(model, load_corpus(PAIRS[2:], OPTIONS)) == pytest.approx(0, abs=1e-6)


def test_where_all_tags_are_known_no_set_of_them_is_made(model):
    corpus = load_corpus(PAIRS[1:2], OPTIONS)
    assert UNKNOWN_TAG not in corpus.tags[0]
    assert model.encode_corpus(corpus).tags[0].label_sets is None
    assert model.encode(corpus.inputs).tags == ()


def test_a_weight_of_two_is_a_sentence_given_twice_and_zero_one_left_out(model):
    corpus = load_corpus(PAIRS, OPTIONS)
    plain = loss(model, corpus)
    assert loss(model, replace(corpus, weights=[3.0] * 3)) == pytest.approx(plain, rel=1e-5)
    twice = loss(model, replace(corpus, weights=[1.0, 2.0, 1.0]))
    assert twice == pytest.approx(loss(model, corpus.subset([0, 1, 1, 2])), rel=1e-5) != pytest.approx(plain, rel=1e-3)
    without = loss(model, replace(corpus, weights=[1.0, 0.0, 1.0]))
    assert without == pytest.approx(loss(model, corpus.subset([0, 2])), rel=1e-5)


def test_many_labels_share_the_scores_of_words_around(monkeypatch):
    monkeypatch.setattr(fit, "MOST_SCORED", 2)
    corpus = load_corpus([(["a", "b", "c"], ["X", "Y", "Z"])])
    built = build_tagging_model(corpus, ModelConfig(units=4), ReadingOptions())
    assert built.network.context_features.rank == fit.CONTEXT_RANK
    again = TaggerNetwork.from_config(built.network.get_config())
    assert again.columns[0].settings == built.network.columns[0].settings
    monkeypatch.setattr(fit, "MOST_SCORED", 3)
    assert build_tagging_model(corpus, ModelConfig(units=4), ReadingOptions()).network.context_features.rank is None
