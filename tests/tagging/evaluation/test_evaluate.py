"""Final reports against seqeval, and the quick reports of each epoch against them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report

from seqtag.errors import ConfigError
from seqtag.measures.scores import Score
from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.schemes import Scheme, convert, tagset
from seqtag.tagging.evaluation import evaluate
from seqtag.tagging.evaluation.evaluate import final_report, quick_report, resolve_measure

GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "O"]]
PREDICTED = [["B-PER", "I-PER", "O", "I-LOC"], ["O", "O", "I-LOC"]]


@st.composite
def corpora(draw: st.DrawFn, scheme: str) -> tuple[list[list[str]], list[list[str]]]:
    """Gold tags and predictions that are often equal; both may be illegal, types may hold hyphens.

    Gold has a type that is not predicted, and prefixes of other schemes.
    """
    known = tagset(["LOC", "protein-DNA"], scheme)
    foreign = [*tagset(["NEW"], scheme), "S-LOC", "U-LOC", "L-protein-DNA"]
    pair = st.tuples(st.sampled_from(known + foreign), st.sampled_from(known), st.booleans())
    drawn = draw(st.lists(st.lists(pair, max_size=8), min_size=1, max_size=4))
    gold = [[gold for gold, _, _ in sentence] for sentence in drawn]
    return gold, [[gold if same else other for gold, other, same in sentence] for sentence in drawn]


@pytest.mark.parametrize("scheme", list(Scheme))
def test_final_and_quick_reports_agree_in_every_scheme(scheme):
    @settings(max_examples=60, deadline=None)
    @given(corpora(scheme))
    def check(corpus):
        assert final_report(*corpus, scheme) == quick_report(*corpus, scheme)

    check()


def test_final_figures_are_those_that_seqeval_prints(recwarn):
    report = final_report(GOLD, PREDICTED, "IOB2")
    assert not recwarn.list
    expected = classification_report(GOLD, PREDICTED, output_dict=True, zero_division=0)
    assert report.precision == expected["micro avg"]["precision"] == 2 / 3
    assert report.recall == expected["micro avg"]["recall"] == 2 / 3
    assert report.f1 == pytest.approx(expected["micro avg"]["f1-score"])
    for kind, score in report.per_type.items():
        figures = expected[kind] | {"f1": expected[kind]["f1-score"]}
        assert score.to_dict() == pytest.approx({name: figures[name] for name in score.to_dict()})


def test_seqeval_reads_the_spans(monkeypatch):
    monkeypatch.setattr("seqeval.metrics.sequence_labeling.get_entities", lambda tags: [("LOC", 0, 0)])
    assert final_report(GOLD, PREDICTED, "IOB2").overall == Score(correct=2, predicted=2, support=2)
    assert quick_report(GOLD, PREDICTED, "IOB2").overall == Score(correct=2, predicted=3, support=3)


def test_bilou_which_seqeval_does_not_read_is_converted(capfd):
    bilou = [[convert(tags, "IOB2", "BILOU") for tags in side] for side in (GOLD, PREDICTED)]
    report = final_report(*bilou, "BILOU")
    assert report.f1 == final_report(GOLD, PREDICTED, "IOB2").f1
    assert capfd.readouterr() == ("", "")


def test_large_files_are_counted_by_us(monkeypatch):
    def forbidden(*arguments):
        raise AssertionError("seqeval is slow")

    monkeypatch.setattr(evaluate, "seqeval_reader", forbidden)
    monkeypatch.setattr(evaluate, "MOST_SEQEVAL_TOKENS", 6)
    assert final_report(GOLD, PREDICTED, "IOB2") == quick_report(GOLD, PREDICTED, "IOB2")
    monkeypatch.setattr(evaluate, "MOST_SEQEVAL_TOKENS", 7)
    with pytest.raises(AssertionError, match="seqeval is slow"):
        final_report(GOLD, PREDICTED, "IOB2")


def test_plain_labels_and_nothing_to_find():
    assert final_report([["NOUN"]], [["VERB"]], None) == quick_report([["NOUN"]], [["VERB"]], None)
    for nothing in ([], [[]], [["O", "O"]]):
        assert final_report(nothing, nothing, "IOB2") == quick_report(nothing, nothing, "IOB2")


@pytest.mark.parametrize(
    ("path", "scheme"),
    [("wnut17/emerging.dev.conll", "IOB2"), ("bio_ner/NCBI-disease-IOB/devel.tsv", "IOB2")],
)
def test_they_agree_on_real_data(path, scheme):
    root = os.environ.get("SEQTAG_DATA")
    if not root or not Path(root, path).exists():
        pytest.skip(f"{path} is not under SEQTAG_DATA")
    gold = [sentence.tags for sentence in SentenceReader(Path(root, path))]
    # Predictions that go wrong often and in every way: in every third sentence each tag is the next token's.
    predicted = [[*tags[1:], "O"] if number % 3 == 0 else tags for number, tags in enumerate(gold)]
    final = final_report(gold, predicted, scheme)
    assert final == quick_report(gold, predicted, scheme)
    assert 0 < final.f1 < 1


def test_the_measure_of_plain_labels_is_accuracy():
    assert resolve_measure("f1_strict", "IOB2") == "f1_strict"
    with pytest.raises(ConfigError, match="expected accuracy for plain labels, found 'f1'"):
        resolve_measure("f1", None)
