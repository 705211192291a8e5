"""Reports on a model: its own answers are scored, the perplexity is that of the network, pair by pair."""

from __future__ import annotations

import math
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.batches import gathered
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.evaluation.evaluate import DevMeasure, evaluate_model, perplexity
from seqtag.seq2seq.evaluation.measures import bleu, chrf, exact_match, token_error_rate
from seqtag.seq2seq.fit import Trainer, build_network

# "ab" has two targets, so that the dictionary is not sure of it; "abba" is unknown to it.
TRAIN = Pairs(["ab", "ba", "ab", "b", "bb"], ["A small dog.", "It isn't.", "One dog", "Dogs, dogs", "One dog"])
TEST = Pairs(["ab", "abba", "ba", "ab"], ["A dog.", "One small dog isn't", "It isn't.", "One dog"])
REFERENCES = [["A dog.", "One dog"], ["One small dog isn't"], ["It isn't."]]


def unfitted_model():
    """An unfitted network: it answers something, and its answers are cut early."""
    settings = {"target": "words", "units": 4, "embedding_dim": 3, "dictionary": True, "max_length": 3}
    config = Seq2SeqConfig.model_validate({"task": "seq2seq", "model": settings, "evaluation": {"beam": 2}})
    trainer = Trainer(TRAIN, TRAIN, config)
    keras.utils.set_random_seed(3)  # its answers are words
    return trainer.model([build_network(trainer.coders, trainer.scale, config)])


@pytest.fixture(scope="module")
def evaluated():
    """A model with a dictionary, its report, and its answers by beam and greedily."""
    model = unfitted_model()
    sources = TEST.subset([0, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # answers are cut
        searches = model.search, model.search._replace(beam=1)
        answers = [[answer.target for answer in model.answer(sources, search)] for search in searches]
        return SimpleNamespace(model=model, report=evaluate_model(model, TEST), answers=answers)


def words(texts):
    """The tokeniser's words, a joiner before those that follow without a space."""
    marks = {".": " ￭.", ",": " ￭,", "n't": " ￭n't"}
    for mark, apart in marks.items():
        texts = [text.replace(mark, apart) for text in texts]
    return [text.split() for text in texts]


def test_a_report_scores_the_answers_of_both_searches_word_by_word(evaluated):
    beam, greedy = evaluated.answers
    assert any(greedy)  # not all of them empty, which would try little
    for answers, scores in ((beam, evaluated.report.scores), (greedy, evaluated.report.greedy)):
        apart = words(answers), [words(targets) for targets in REFERENCES]
        assert scores.exact_match == exact_match(*apart)
        assert scores.token_error_rate == token_error_rate(*apart)
        assert scores.bleu.score == bleu(answers, REFERENCES).score
        assert scores.chrf.score == chrf(answers, REFERENCES).score
    assert (evaluated.report.scores.sources, evaluated.report.pairs) == (3, 4)
    assert [score.longest for score in evaluated.report.errors.by_length] == [2, 4]


def test_sources_of_the_dictionary_and_of_the_network_are_told_apart(evaluated):
    parts = evaluated.report.parts
    assert {name: part.sources for name, part in parts.items()} == {"dictionary": 1, "network": 2}
    assert parts["dictionary"].exact_match == 1.0  # "ba" in TRAIN


def test_perplexity_is_the_mean_over_symbols_and_ends_without_padding(evaluated):
    model = evaluated.model
    symbols = model.symbols(TEST)
    total = 0.0
    for number in range(len(TEST)):
        alone = gathered(symbols, np.array([number]), model.coders)
        total += float(np.sum(model.network(alone).log_probabilities))
    count = sum(len(row) + 1 for row in words(TEST.targets))
    assert perplexity(model, model.symbols(TEST)) == pytest.approx(math.exp(-total / count), rel=1e-5)
    assert evaluated.report.perplexity == perplexity(model, model.symbols(TEST))


@pytest.mark.parametrize("name", ["exact_match", "token_error_rate", "bleu", "chrf", "perplexity"])
def test_the_measure_of_an_epoch_is_that_of_greedy_answers(evaluated, name):
    model = evaluated.model
    answers = model.greedy_targets(TEST.subset([0, 1, 2]))
    apart = words(answers), [words(targets) for targets in REFERENCES]
    wanted = {
        "exact_match": lambda: exact_match(*apart),
        "token_error_rate": lambda: token_error_rate(*apart),
        "bleu": lambda: bleu(answers, REFERENCES).score / 100,
        "chrf": lambda: chrf(answers, REFERENCES).score / 100,
        "perplexity": lambda: perplexity(model, model.symbols(TEST)),
    }
    found = DevMeasure(model, TEST, name)
    assert found() == wanted[name]()
    assert found.measure.is_loss == (name in ("token_error_rate", "perplexity"))


def test_sources_alone_cannot_be_scored(evaluated):
    with pytest.raises(DataError, match="expected pairs of a source and a target, found sources alone"):
        evaluate_model(evaluated.model, Pairs(["ab"]))
