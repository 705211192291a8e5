"""Scores of sentences of which some gold tags are not known."""

from __future__ import annotations

import pytest

from seqtag.tagging.data.tags import UNKNOWN_TAG as U
from seqtag.tagging.evaluation.evaluate import final_report, quick_report
from seqtag.tagging.evaluation.known_tags import at_known, corpus_at_known
from seqtag.tagging.evaluation.words import KNOWN, evaluate_words

GOLD = [["B-A", "I-A", "O", U, "B-B"], [U, "I-A", "O"], [U, U]]
PREDICTED = [["B-A", "I-A", "O", "B-B", "I-B"], ["B-A", "I-A", "B-B"], ["B-A", "I-A"]]


@pytest.mark.parametrize("report", [final_report, quick_report])
def test_tokens_and_parts_of_entities_count_that_are_known(report):
    found = report(GOLD, PREDICTED, "IOB2")
    assert (found.tokens, found.sentences) == (6, 3)
    assert found.overall.support == 3 and found.overall.predicted == 4 and found.overall.correct == 3
    assert found.strict == found.overall
    assert (found.repaired_sequences, found.illegal_gold_sequences) == (0, 0)
    assert found.accuracy == 5 / 6
    assert sum(map(sum, (row.values() for row in found.confusion.values()))) == 6


def test_labels_and_words_count_that_are_known():
    gold, predicted = [["N", U, "V"]], [["N", "V", "N"]]
    report = final_report(gold, predicted, None)
    assert report.accuracy == 0.5 and set(report.per_tag) == {"N", "V"}
    words = evaluate_words(*corpus_at_known(gold, predicted, None), [[KNOWN] * 3], None)["known"]
    assert (words.tokens, words.right) == (2, 1)


def test_a_report_on_known_tags_alone_is_as_it_was():
    assert at_known(["B-A", "I-B"], ["I-A", "O"], "IOB2") == (["B-A", "I-B"], ["I-A", "O"])


def test_what_is_illegal_apart_from_unknown_tags_stays_so():
    gold = [["O", "I-A", U]]
    assert final_report(gold, gold, "IOB2").illegal_gold_sequences == 0
    gold = [["O", "I-A", "O", U]]
    assert final_report(gold, gold, "IOB2").illegal_gold_sequences == 1
