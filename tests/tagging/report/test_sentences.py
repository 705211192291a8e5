"""Which sentences a page shows, and how much of them."""

from __future__ import annotations

import numpy as np

from seqtag.measures.reliability import Answers
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.answers import JudgedTags
from seqtag.tagging.report import sentences
from seqtag.tagging.report.sentences import MOST_SENTENCES, MOST_TOKENS, most_telling, shown_sentences
from seqtag.tagging.tagged_sentence import Entity

NO_ANSWERS = Answers(np.zeros(0, bool), np.zeros(0), np.zeros(0))


def judged(predicted, scores, given=None):
    given = given or [[] for _ in predicted]
    words = [[0] * len(tags) for tags in predicted]
    arrays = list(map(np.array, scores))
    return JudgedTags(predicted, NO_ANSWERS, NO_ANSWERS, np.array([], str), words, arrays, given)


def test_every_kind_of_error_is_among_those_that_tell_most():
    kinds = [[]] * 900 + [["boundary"]] * 90 + [["type"]] * 9 + [["missed", "boundary"]]
    doubts = np.random.default_rng(1).uniform(size=1000).tolist()
    first = most_telling(kinds, doubts)
    assert sorted(first) == list(range(1000))
    assert 999 in first[:4]
    for low, high in ((0, 900), (900, 990), (990, 999)):
        group = range(low, high)
        least, most = min(group, key=doubts.__getitem__), max(group, key=doubts.__getitem__)
        assert {least, most} <= set(first[:9])


def test_a_file_of_many_sentences_makes_no_large_page(monkeypatch):
    count = 20 * MOST_SENTENCES
    corpus = TaggedCorpus([["word", "é" * 500]] * count, [["O", "B-X"]] * count)
    answers = judged([["O", "O"]] * count, [[1.0, 0.5]] * count)
    shown = shown_sentences(corpus, answers, "IOB2")
    assert (len(shown.rows), shown.total) == (MOST_SENTENCES, count)
    assert len(shown.rows[0]["tokens"][1]) < 100
    monkeypatch.setattr(sentences, "MOST_SIZE", 10_000)
    assert 1 < len(shown_sentences(corpus, answers, "IOB2").rows) < 30


def test_of_a_long_sentence_the_part_around_the_first_error_is_shown():
    length, end = 100_000, 50_002
    gold = ["O"] * length
    gold[50_000:end] = ["B-X", "I-X"]
    predicted = ["O"] * length
    predicted[50_001:end] = ["B-X"]
    predicted[10:13] = gold[10:13] = ["B-Y", "I-Y", "I-Y"]
    corpus = TaggedCorpus([list(map(str, range(length)))], [gold])
    given = [[Entity("X", 50_001, end, 0.25)]]
    [row] = shown_sentences(corpus, judged([predicted], [np.ones(length)], given), "IOB2").rows
    assert len(row["tokens"]) == MOST_TOKENS and row["length"] == length
    [(start, stop, agree, true, found)] = row["regions"]
    assert row["tokens"][start:stop] == ["50000", "50001"] and not agree
    x = true[0][0]
    assert (true, found) == ([(x, start, stop, None)], [(x, start + 1, stop, 0.25)])
    assert row["errors"] == [("boundary", x, x)] and row["pairs"] == [(x, -1)]


def test_a_span_over_the_edge_of_a_part_is_cut():
    gold = ["O"] * 10 + ["B-X"] + ["I-X"] * 998
    corpus = TaggedCorpus([["w"] * 1009], [gold])
    [row] = shown_sentences(corpus, judged([gold], [np.arange(1009) / 1009]), "IOB2").rows
    assert row["regions"] == [(10, MOST_TOKENS, True, [(0, 10, MOST_TOKENS, None)], [(0, 10, MOST_TOKENS, None)])]


def test_what_gold_does_not_know_is_no_error():
    corpus = TaggedCorpus([["a", "b", "c"]] * 2, [["X", UNKNOWN_TAG, "Y"], ["X", "X", "Y"]])
    shown = shown_sentences(corpus, judged([["X", "Y", "Y"]] * 2, [[0.9] * 3] * 2), None)
    x, y = shown.types.index("X"), shown.types.index("Y")
    assert [row["gold"] for row in shown.rows] == [[x, -1, y], [x, x, y]]
    assert [row["errors"] for row in shown.rows] == [[], [("wrong", x, y)]]
    corpus = TaggedCorpus([["a", "b", "c"]], [["B-X", UNKNOWN_TAG, "O"]])
    [row] = shown_sentences(corpus, judged([["B-X", "I-X", "O"]], [[0.9] * 3]), "IOB2").rows
    assert row["errors"] == [] and row["regions"][0][:3] == (0, 1, True)


def test_places_are_lines_of_a_file_or_numbers_of_sentences():
    corpus, answers = TaggedCorpus([["a"], ["b"]], [["X"], ["X"]], lines=[[3], [5]]), judged([["X"]] * 2, [[1.0]] * 2)
    assert [row["at"] for row in shown_sentences(corpus, answers, None).rows] == ["line 3", "line 5"]
    corpus.lines = []
    assert [row["at"] for row in shown_sentences(corpus, answers, None).rows] == ["sentence 1", "sentence 2"]
