"""Scores of spans against seqeval and against figures worked by hand."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2, IOBES

from seqtag.measures.scores import Score
from seqtag.tagging.data.schemes import tagset
from seqtag.tagging.evaluation.spans import evaluate_spans


@st.composite
def corpora(draw: st.DrawFn, scheme: str) -> tuple[list[list[str]], list[list[str]]]:
    """Gold tags and predictions that are often equal; both may be illegal. One type of gold is not predicted."""
    pair = st.tuples(
        st.sampled_from(tagset(["LOC", "ORG", "PER"], scheme)),
        st.sampled_from(tagset(["LOC", "PER"], scheme)),
        st.booleans(),
    )
    drawn = draw(st.lists(st.lists(pair, min_size=1, max_size=8), min_size=1, max_size=4))
    gold = [[gold for gold, _, _ in sentence] for sentence in drawn]
    return gold, [
        [gold if same and "ORG" not in gold else other for gold, other, same in sentence] for sentence in drawn
    ]


@pytest.mark.parametrize(("scheme", "oracle"), [("IOB2", IOB2), ("IOBES", IOBES)])
def test_all_scores_are_seqevals(scheme, oracle):
    @settings(max_examples=60, deadline=None)
    @given(corpora(scheme))
    def check(corpus):
        gold, predicted = corpus
        report = evaluate_spans(gold, predicted, scheme)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert report.accuracy == pytest.approx(accuracy_score(gold, predicted))
            assert report.precision == pytest.approx(precision_score(gold, predicted))
            assert report.recall == pytest.approx(recall_score(gold, predicted))
            assert report.f1 == pytest.approx(f1_score(gold, predicted))
            strict = {"mode": "strict", "scheme": oracle}
            assert report.f1_strict == pytest.approx(f1_score(gold, predicted, **strict))
            assert report.strict.precision == pytest.approx(precision_score(gold, predicted, **strict))
            assert report.strict.recall == pytest.approx(recall_score(gold, predicted, **strict))
            expected = classification_report(gold, predicted, output_dict=True)
        for kind, score in report.per_type.items():
            assert score.to_dict() == pytest.approx(_renamed(expected[kind]))

    check()


def _renamed(entry: dict) -> dict:
    return {("f1" if key == "f1-score" else key): value for key, value in entry.items()}


def _ends(before: tuple[str, str], tag: tuple[str, str]) -> bool:
    pairs = {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")}
    return (before[0], tag[0]) in pairs or (before[0] != "O" and before[1] != tag[1])


def _starts(before: tuple[str, str], tag: tuple[str, str]) -> bool:
    pairs = {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}
    return (before[0], tag[0]) in pairs or (tag[0] != "O" and before[1] != tag[1])


def conlleval(gold: list[list[str]], predicted: list[list[str]]) -> tuple[int, int, int]:
    """Correct, predicted and gold spans as the shared tasks' script counts them: in one pass, tag by tag."""
    rows = [pair for tags in zip(gold, predicted, strict=True) for pair in [*zip(*tags, strict=True), ("O", "O")]]
    correct = found = support = 0
    inside, last_gold, last_guess = False, ("O", ""), ("O", "")
    for row in rows:
        true, guess = [tuple(tag.split("-", 1)) if tag != "O" else ("O", "") for tag in row]
        ends = _ends(last_gold, true), _ends(last_guess, guess)
        if inside and all(ends) and last_gold[1] == last_guess[1]:
            inside, correct = False, correct + 1
        elif inside and (ends[0] != ends[1] or true[1] != guess[1]):
            inside = False
        starts = _starts(last_gold, true), _starts(last_guess, guess)
        if all(starts) and true[1] == guess[1]:
            inside = True
        support, found = support + starts[0], found + starts[1]
        last_gold, last_guess = true, guess
    return correct, found, support


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2"])
def test_counts_are_those_of_conlleval(scheme):
    @given(corpora("IOB2"))
    def check(corpus):
        overall = evaluate_spans(*corpus, scheme).overall
        assert (overall.correct, overall.predicted, overall.support) == conlleval(*corpus)

    check()


GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "O"], ["B-LOC", "B-LOC"]]
PREDICTED = [["B-PER", "I-PER", "O", "I-LOC"], ["O", "B-LOC", "I-LOC"], ["B-LOC", "I-LOC"]]


def test_scores_worked_by_hand():
    """Lenient: PER, LOC of 5 gold and 4 predicted are right; strict: PER alone, of 3 predicted."""
    report = evaluate_spans(GOLD, PREDICTED, "IOB2")
    assert report.overall == Score(correct=2, predicted=4, support=5)
    assert (report.precision, report.recall, report.f1) == (2 / 4, 2 / 5, 4 / 9)
    assert (report.strict.precision, report.strict.recall, report.f1_strict) == (1 / 3, 1 / 5, 2 / 8)
    assert report.accuracy == 5 / 9
    assert (report.repaired_sequences, report.illegal_gold_sequences) == (1, 0)
    assert (report.tokens, report.sentences) == (9, 3)
    assert report.per_type["LOC"].to_dict() == {
        "precision": 1 / 3,
        "recall": 1 / 3,
        "f1": 1 / 3,
        "support": 3,
    }
    assert report.per_type["ORG"].to_dict() == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert report.confusion == {
        "LOC": {"LOC": 3, "O": 0, "ORG": 0, "PER": 0},
        "O": {"LOC": 1, "O": 2, "ORG": 0, "PER": 0},
        "ORG": {"LOC": 1, "O": 0, "ORG": 0, "PER": 0},
        "PER": {"LOC": 0, "O": 0, "ORG": 0, "PER": 2},
    }


def test_illegal_sequences_are_counted_by_side():
    illegal, legal = ["O", "I-LOC"], ["O", "B-LOC"]
    report = evaluate_spans([illegal, illegal, legal], [illegal, legal, legal], "IOB2")
    assert (report.repaired_sequences, report.illegal_gold_sequences) == (1, 2)
    assert "illegal sequences: 1 predicted, 2 in gold" in report.to_text()
    assert (report.f1, report.strict) == (1.0, Score(correct=1, predicted=2, support=1))


def test_gold_of_another_scheme_marks_the_same_spans():
    """Its tags are wrong one by one, and no span is well-formed in the scheme."""
    report = evaluate_spans([["S-LOC", "O", "B-PER", "E-PER"]], [["B-LOC", "O", "B-PER", "I-PER"]], "IOB2")
    assert (report.f1, report.accuracy, report.strict.support) == (1.0, 2 / 4, 0)
    assert report.illegal_gold_sequences == 1


def test_metrics_have_the_keys_of_a_run():
    metrics = evaluate_spans(GOLD, PREDICTED, "IOB2").to_metrics()
    assert list(metrics) == [
        "accuracy",
        "precision",
        "recall",
        "f1",
        "f1_strict",
        "per_type",
        "repaired_sequences",
        "illegal_gold_sequences",
        "tokens",
        "sentences",
    ]
    assert metrics["per_type"]["PER"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}


def test_text_is_conllevals_table():
    lines = evaluate_spans(GOLD, PREDICTED, "IOB2").to_text().splitlines()
    assert lines[0] == "3 sentences, 9 tokens with 5 spans; found: 4 spans; correct: 2."
    assert lines[1].startswith("accuracy:  55.56%; precision:  50.00%; recall:  40.00%; F1:  44.44%")
    assert lines[2] == "LOC: precision:  33.33%; recall:  33.33%; F1:  33.33%  3"
    assert lines[-1].split() == ["PER", "0", "0", "0", "2"]


@pytest.mark.parametrize(("gold", "predicted"), [([], []), ([[]], [[]]), ([["O"]], [["O"]])])
def test_nothing_to_find_scores_zero(gold, predicted):
    report = evaluate_spans(gold, predicted, "IOBES")
    assert (report.precision, report.recall, report.f1, report.f1_strict) == (0.0, 0.0, 0.0, 0.0)
    assert report.to_metrics()["per_type"] == {}
    assert report.to_text()


def test_inputs_are_read_once():
    assert evaluate_spans(iter(GOLD), iter(PREDICTED), "IOB2") == evaluate_spans(GOLD, PREDICTED, "IOB2")


def test_inputs_that_do_not_match():
    with pytest.raises(ValueError, match="expected 4 predicted tags in sentence 1, found 3"):
        evaluate_spans([GOLD[0]], [PREDICTED[1]], "IOB2")
    with pytest.raises(ValueError, match="as many predicted as gold sentences, found more than 1 gold"):
        evaluate_spans(GOLD, PREDICTED[:1], "IOB2")
    with pytest.raises(ValueError, match="found more than 1 predicted"):
        evaluate_spans(GOLD[:1], PREDICTED, "IOB2")
    with pytest.raises(ValueError, match="expected O or a tag such as B-LOC, found 'NOUN'"):
        evaluate_spans([["NOUN"]], [["NOUN"]], "IOB2")
