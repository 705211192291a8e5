"""Scores of labels against scikit-learn and figures worked by hand."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix

from seqtag.tagging.evaluation.labels import evaluate_labels

LABELS = ["ADJ", "NOUN", "VERB"]
sentence = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), max_size=8)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=60, deadline=None)
@given(st.lists(sentence, max_size=4).filter(any))
def test_all_scores_are_scikit_learns(sentences):
    gold = [[gold for gold, _ in pairs] for pairs in sentences]
    predicted = [[predicted for _, predicted in pairs] for pairs in sentences]
    flat_gold, flat_predicted = list(chain(*gold)), list(chain(*predicted))
    expected = classification_report(flat_gold, flat_predicted, output_dict=True, zero_division=0.0)
    report = evaluate_labels(gold, predicted)
    assert report.accuracy == pytest.approx(
        sum(a == b for a, b in zip(flat_gold, flat_predicted, strict=True)) / len(flat_gold)
    )
    assert report.f1_macro == pytest.approx(expected["macro avg"]["f1-score"])
    for tag, score in report.per_tag.items():
        assert score.precision == pytest.approx(expected[tag]["precision"])
        assert score.recall == pytest.approx(expected[tag]["recall"])
        assert score.f1 == pytest.approx(expected[tag]["f1-score"])
        assert score.support == expected[tag]["support"]
    table = [list(row.values()) for row in report.confusion.values()]
    assert table == confusion_matrix(flat_gold, flat_predicted, labels=list(report.confusion)).tolist()


def test_report_worked_by_hand():
    report = evaluate_labels([["NOUN", "VERB"], ["NOUN"]], [["NOUN", "NOUN"], ["ADJ"]])
    metrics = report.to_metrics()
    assert list(metrics) == ["accuracy", "f1_macro", "per_tag", "tokens", "sentences"]
    assert metrics["accuracy"] == 1 / 3
    assert metrics["per_tag"]["NOUN"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert metrics["per_tag"]["ADJ"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert metrics["f1_macro"] == pytest.approx(0.5 / 3)
    assert (metrics["tokens"], metrics["sentences"]) == (3, 2)
    lines = report.to_text().splitlines()
    assert lines[0] == "2 sentences, 3 tokens."
    assert "NOUN: precision:  50.00%; recall:  50.00%; F1:  50.00%  2" in lines


def test_nothing_scores_zero():
    report = evaluate_labels([], [])
    assert (report.accuracy, report.f1_macro, report.tokens, report.per_tag) == (0.0, 0.0, 0, {})
    assert report.to_text()


def test_inputs_that_do_not_match():
    with pytest.raises(ValueError, match="expected 1 predicted tags in sentence 1, found 2"):
        evaluate_labels([["NOUN"]], [["NOUN", "VERB"]])
