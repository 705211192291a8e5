"""The report on answers: what goes into metrics.json, and the text."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqtag.seq2seq.evaluation.measures import bleu, chrf, exact_match, token_error_rate
from seqtag.seq2seq.evaluation.report import Seq2SeqReport, evaluate_answers

ANSWERS = ["a cat sat on the mat", "a dog", ""]
REFERENCES = [["the cat sat on the mat", "a cat sat on a mat"], ["a dog", "one dog"], ["nothing"]]
SOURCES = ["en katt satt på mattan", "en hund", "inget"]


def report_of(kind="words", **options) -> Seq2SeqReport:
    return evaluate_answers(ANSWERS, REFERENCES, SOURCES, str.split, kind, **options)


def metrics_of(report: Seq2SeqReport):
    return json.loads(json.dumps(report.to_metrics(), allow_nan=False))


def test_metrics_hold_the_contract_and_the_measures():
    found = metrics_of(report_of(perplexity=3.5))
    symbols = [answer.split() for answer in ANSWERS], [[target.split() for target in row] for row in REFERENCES]
    assert found["exact_match"] == exact_match(*symbols) == 1 / 3
    assert found["token_error_rate"] == token_error_rate(*symbols) == 2 / 9
    assert found["bleu"] == bleu(ANSWERS, REFERENCES).score
    assert found["chrf"] == chrf(ANSWERS, REFERENCES).score
    assert found["signatures"].keys() == {"bleu", "chrf"}
    assert found["perplexity"] == 3.5
    assert (found["sources"], found["pairs"]) == (3, 5)
    assert found["errors"]["counts"] == {"substitutions": 1, "insertions": 0, "deletions": 1}


@pytest.mark.parametrize("kind", ["characters", "symbols"])
def test_only_words_have_bleu_and_only_what_was_computed_is_named(kind):
    assert metrics_of(report_of(kind)).keys() == {"exact_match", "token_error_rate", "sources", "pairs", "errors"}


def test_symbols_are_compared_and_not_the_spaces_between_them():
    report = evaluate_answers(["AH  B "], [["AH B"]], ["ab"], str.split, "symbols")
    assert (report.exact_match, report.token_error_rate) == (1.0, 0.0)


def test_greedy_beside_beam():
    greedy = ["a cat sat on a mat", "the dog", "nothing"]
    found = metrics_of(report_of(greedy=greedy))
    alone = metrics_of(evaluate_answers(greedy, REFERENCES, SOURCES, str.split, "words"))
    assert found["greedy"] == {name: alone[name] for name in found["greedy"]}
    assert found["greedy"].keys() == {"exact_match", "token_error_rate", "bleu", "chrf", "sources"}
    assert found["exact_match"] == 1 / 3


def test_parts_are_scored_by_themselves():
    labels = ["network", "dictionary", "network"]
    found = metrics_of(report_of(labels=labels))
    assert list(found["parts"]) == ["dictionary", "network"]
    for label, part in found["parts"].items():
        rows = [row for row, name in enumerate(labels) if name == label]
        chosen = ([values[row] for row in rows] for values in (ANSWERS, REFERENCES, SOURCES))
        alone = metrics_of(evaluate_answers(*chosen, str.split, "words"))
        assert part == {name: alone[name] for name in part}
        assert part["sources"] == len(rows)


def test_lengths_are_those_of_the_sources_as_they_are_read():
    by_characters = report_of().errors.by_length
    assert [score.longest for score in by_characters] == [5, 7, 22]
    by_words = report_of(length_of=lambda text: len(text.split())).errors.by_length
    assert [score.longest for score in by_words] == [1, 2, 5]
    frames = [np.zeros((steps, 3)) for steps in (4, 2, 8)]
    report = evaluate_answers(ANSWERS, REFERENCES, frames, str.split, "words")
    assert [score.longest for score in report.errors.by_length] == [2, 4, 8]


def test_no_sources_at_all():
    report = evaluate_answers([], [], [], str.split, "words", greedy=[], labels=[], perplexity=float("inf"))
    found = metrics_of(report)
    for name in ("exact_match", "token_error_rate", "bleu", "chrf", "perplexity"):
        assert found[name] is None
    assert found["sources"] == found["pairs"] == 0
    assert found["errors"]["by_length"] == []
    assert report.to_text().startswith("0 sources with 0 targets; right answers: 0.\nexact match:       -;")


def test_numbers_that_differ_are_told():
    with pytest.raises(ValueError, match="expected references for 3 answers, found 2"):
        evaluate_answers(ANSWERS, REFERENCES[:2], SOURCES, str.split, "words")
    with pytest.raises(ValueError, match="expected greedy for 3 answers, found 1"):
        report_of(greedy=["a"])
    with pytest.raises(ValueError, match="expected labels for 3 answers, found 1"):
        report_of(labels=["a"])
    with pytest.raises(ValueError, match="expected sources for 3 answers, found 0"):
        evaluate_answers(ANSWERS, REFERENCES, [], str.split, "words")


def test_the_text_shows_every_figure():
    report = report_of(greedy=ANSWERS, labels=["network", "dict\x1b", "network"], perplexity=1.25)
    lines = report.to_text().splitlines()
    scores = f"BLEU: {report.scores.bleu.score:>6.2f}; chrF: {report.scores.chrf.score:>6.2f}"
    assert lines[0] == "3 sources with 5 targets; right answers: 1."
    assert lines[1] == f"exact match:  33.33%; token error rate:  22.22%; {scores}; perplexity: 1.2500"
    assert lines[2] == f"signature of bleu: {report.scores.bleu.signature}"
    assert lines[4] == f"greedy search: exact match:  33.33%; token error rate:  22.22%; {scores}"
    assert lines[5].startswith(r"dict\x1b: exact match: 100.00%; token error rate:   0.00%;")
    assert lines[5].endswith("  1 sources")
    assert lines[6].startswith(" network: exact match:   0.00%;")
    assert "wrong symbols: 1 substitutions, 0 insertions, 1 deletions" in lines
