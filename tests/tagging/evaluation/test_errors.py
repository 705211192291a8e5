"""Kinds of errors: each of them by hand, and that every wrong entity has one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from seqtag.tagging.data.schemes import Span, tagset
from seqtag.tagging.evaluation.entities import read_entities
from seqtag.tagging.evaluation.errors import EntityError, errors_of, find_errors
from seqtag.tagging.evaluation.spans import evaluate_spans

PER, LOC = Span("PER", 2, 4), Span("LOC", 6, 8)


@pytest.mark.parametrize(
    ("predicted", "kind", "true"),
    [
        (Span("PER", 2, 3), "boundary", PER),
        (Span("PER", 1, 4), "boundary", PER),
        (Span("PER", 3, 7), "boundary", PER),
        (Span("LOC", 3, 7), "boundary", LOC),
        (Span("LOC", 2, 4), "type", PER),
        (Span("ORG", 3, 7), "both", PER),
        (Span("LOC", 3, 5), "both", PER),
        (Span("PER", 4, 6), "spurious", None),
    ],
)
def test_kinds_of_a_wrong_entity(predicted, kind, true):
    first, *missed = errors_of([PER, LOC], [predicted])
    assert first == EntityError(kind, predicted, true)
    alone = [span for span in (PER, LOC) if span.end <= predicted.start or predicted.end <= span.start]
    assert missed == [EntityError("missed", None, span) for span in alone]


def test_every_wrong_entity_is_one_error():
    source, tags = np.random.default_rng(6), tagset(["A", "B"], "IOB2")
    gold, predicted = (source.choice(tags, (60, 8)).tolist() for _ in range(2))
    report = find_errors(gold, read_entities(gold, predicted, "IOB2"))
    scores = evaluate_spans(gold, predicted, "IOB2").overall
    assert sum(report.counts.values()) - report.counts["missed"] == scores.predicted - scores.correct
    assert 0 < report.counts["missed"] < scores.support - scores.correct
    assert min(report.counts.values()) > 0 and len(report.examples) == 2 * len(report.counts)
    assert not any(find_errors(gold, read_entities(gold, gold, "IOB2")).counts.values())


def test_entities_overlap_where_they_share_a_token():
    source, tags = np.random.default_rng(7), tagset(["A", "B"], "IOB2")
    sides = read_entities(*(source.choice(tags, (200, 9)).tolist() for _ in range(2)), "IOB2")
    for true, predicted in zip(*sides, strict=True):
        covered = [{*range(span.start, span.end)} for span in predicted]
        missed = [span for span in true if not any({*range(span.start, span.end)} & places for places in covered)]
        assert [error.true for error in errors_of(true, predicted) if error.kind == "missed"] == missed


def test_a_document_of_very_many_entities_takes_no_time_that_grows_with_the_square():
    true = [Span("A", 3 * n, 3 * n + 1) for n in range(30_000)]
    predicted = [Span("B" if n % 3 else "A", span.start + n % 2, span.end + n % 2) for n, span in enumerate(true)]
    counts = Counter(error.kind for error in errors_of(true, predicted))
    assert counts == {"type": 10_000, "spurious": 15_000, "missed": 15_000}


def test_examples_show_what_was_predicted_and_expected_on_one_safe_line():
    words = ["a", "b", "c", "d", "e", "New", "Y\x1b[31m", "f", "g"]
    gold = [["O"] * 5 + ["B-LOC", "I-LOC", "O", "O"]]
    predicted = [["O"] * 5 + ["B-ORG", "I-ORG", "O", "O"]]
    entities = read_entities(gold, predicted, "IOB2")
    [line] = find_errors([words], entities, lambda sentence: f"line {sentence + 7}").examples
    assert line == "type, line 7: b c d e [New Y\\x1b[31m ORG] f g; expected b c d e [New Y\\x1b[31m LOC] f g"
