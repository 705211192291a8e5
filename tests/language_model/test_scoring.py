"""Scores of texts: each symbol from all before it, whatever stands beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqtag.errors import DataWarning
from seqtag.language_model import scoring
from seqtag.language_model.anomalies import Anomaly, anomalies_of, marked_text
from seqtag.language_model.data.corpus import Corpus
from seqtag.language_model.data.texts import Texts
from seqtag.language_model.evaluation.evaluate import evaluate_model, figure
from seqtag.language_model.model import ScoredText
from seqtag.language_model.network.cache import Cache

DOCUMENTS = ["the cat", "a", "dog sat on the mat. the dog ran", "on"]


@pytest.mark.parametrize("documents", ["whole", "lines"])
@pytest.mark.parametrize("cache", [Cache(), Cache(4, 0.3, 0.5)])
def test_a_text_is_scored_as_the_network_reads_it(random_model, documents, cache):
    model = random_model(documents=documents, cache=cache)
    texts = Texts(DOCUMENTS, ends=documents == "lines")
    for text, scored in zip(DOCUMENTS, model.score(texts), strict=True):
        rows = np.concatenate([[0], model.coder.rows(text), [0] * texts.ends]).astype(np.int32)
        state = model.cached.begin(1)
        wanted, _ = model.cached.score(rows[None, :-1], rows[None, 1:], state)
        np.testing.assert_allclose(scored.log_probabilities, wanted[0], atol=1e-5)
        assert scored.symbols == [*text, *[""] * texts.ends]
    if not cache.size:
        every = model.networks(np.array([[0]])).numpy()[0, 0]
        assert math.isclose(model.score(texts)[1].log_probabilities[0], every[model.coder.rows("a")[0]], rel_tol=1e-5)


def test_a_long_document_is_scored_in_pieces_that_read_what_is_before(random_model, monkeypatch):
    model = random_model()
    texts = Texts(["the cat sat on the mat. " * 40, "a dog"])
    whole = model.log_probabilities(texts)
    monkeypatch.setattr(scoring, "LONGEST", 100)
    monkeypatch.setattr(scoring, "PIECES", 7)
    monkeypatch.setattr(scoring, "WARM_UP", 60)
    windows = scoring.windows_of(model.corpus(texts))
    assert len(windows) == 8
    assert max(window.scored - window.start for window in windows) == 60
    np.testing.assert_allclose(model.log_probabilities(texts), whole, atol=1e-3)
    monkeypatch.setattr(scoring, "WARM_UP", 0)
    assert np.abs(model.log_probabilities(texts) - whole).max() > 1e-2


def test_documents_longer_than_a_read_carry_their_state(random_model, monkeypatch):
    model = random_model()
    texts = Texts(DOCUMENTS)
    whole = model.log_probabilities(texts)
    monkeypatch.setattr(scoring, "STEPS", 3)
    np.testing.assert_allclose(random_model().log_probabilities(texts), whole, atol=1e-5)


def test_figures_are_those_of_the_log_probabilities(random_model):
    model = random_model(documents="lines")
    texts = Texts(DOCUMENTS, ends=True)
    values = model.log_probabilities(texts).astype(np.float64)
    report = evaluate_model(model, texts)
    characters = sum(len(text) + 1 for text in DOCUMENTS)
    assert report.targets == len(values) == characters
    assert math.isclose(report.perplexity, math.exp(-values.mean()), rel_tol=1e-6)
    assert math.isclose(report.bits_per_character, -values.sum() / math.log(2) / characters, rel_tol=1e-6)
    assert figure("perplexity", np.array([-1e9]), texts) < math.inf
    assert "bits per character" in report.to_text()


def test_characters_never_seen_are_named_once_and_scored(random_model):
    model = random_model()
    with pytest.warns(DataWarning, match="found 2 characters that training had not, such as 'é', '7'; they count as"):
        report = evaluate_model(model, Texts(["é7 cat é"]))
    assert report.unknown == 3
    assert math.isfinite(report.perplexity)


def test_unlikely_symbols_are_found_where_they_stand():
    text = "ab\ncab"
    scored = ScoredText(list(text), np.log([0.5, 1e-4, 1e-5, 0.5, 0.5, 1e-6]))
    found = anomalies_of(3, text, scored)
    assert found == [Anomaly(3, 1, 2, "b", 1e-4), Anomaly(3, 2, 3, "\n", 1e-5), Anomaly(3, 5, 6, "b", 1e-6)]
    assert marked_text(text, found) == "a⟦b⟧⟦¶⟧\nca⟦b⟧"
    assert marked_text("a\x1b[2Jb", [Anomaly(0, 5, 6, "b", 1e-4)], ("<", ">")) == "a\\x1b[2J<b>"
    words = ScoredText(["Go", "￭,", "go", ""], np.log([0.5, 1e-5, 0.5, 1e-9]))
    assert [(one.start, one.end) for one in anomalies_of(0, "Go, go", words)] == [(2, 3), (6, 6)]


def test_backwards_scores_are_those_of_the_turned_text(random_model):
    model = random_model()
    corpus = model.corpus(Texts(["abc dog"]))
    turned = Corpus.of(Texts(["god cba"]), model.coder)
    np.testing.assert_array_equal(corpus.backwards().row, turned.row)
