"""The best of several answers: by hand, and of one answer the report itself."""

from __future__ import annotations

import pytest

from seqtag.errors import ConfigError
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.evaluation.evaluate import evaluate_model, evaluate_oracle
from seqtag.tagging.model import TaggingModel


def test_the_candidate_with_the_fewest_errors_counts():
    gold = [["B-A", "I-A", "O"], ["B-B", "O", "O"]]
    candidates = [[["B-A", "O", "O"], gold[0]], [["B-B", "B-A", "O"], ["B-A", "B-A", "B-A"]]]
    found = evaluate_oracle(gold, candidates, "IOB2", 2)
    # Two right, one too many.
    assert (found.measure, found.score, found.found) == ("f1", pytest.approx(0.8), 0.5)
    labels = evaluate_oracle([["N", "V"]], [[["N", "N"], ["V", "N"]]], None, 2)
    assert (labels.measure, labels.score, labels.found) == ("accuracy", 0.5, 0)
    assert labels.to_metrics() == {"n_best": 2, "accuracy": 0.5, "sentences_found": 0}


def test_of_one_candidate_it_is_the_report(run_folder):
    model = TaggingModel.load(run_folder)
    tokens = [["Ann", "met", "Paris"], ["late", "York", "Bo"], []]
    corpus = TaggedCorpus(tokens, [["B-PER", "B-PER", "B-LOC"], ["B-LOC", "B-LOC", "O"], []])
    one, many = (evaluate_model(model, corpus, n_best=n) for n in (1, 40))
    assert one.details.oracle.score == one.f1 < many.details.oracle.score
    assert many.to_metrics()["oracle"]["n_best"] == 40 and "best of 40 candidates: f1" in many.to_text()
    with pytest.raises(ConfigError, match="expected from 1 to 1000 candidates, found 2000"):
        evaluate_model(model, corpus, n_best=2000)
