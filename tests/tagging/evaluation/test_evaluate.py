"""Final reports against seqeval, and the quick reports of each epoch against them."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from seqtag.errors import ConfigError
from seqtag.tagging.data.columns import ColumnReader
from seqtag.tagging.data.schemes import Scheme, convert, tagset
from seqtag.tagging.evaluation import evaluate
from seqtag.tagging.evaluation.evaluate import final_report, quick_report, resolve_measure

GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "O"]]
PREDICTED = [["B-PER", "I-PER", "O", "I-LOC"], ["O", "O", "I-LOC"]]


@st.composite
def corpora(draw: st.DrawFn, scheme: str) -> tuple[list[list[str]], list[list[str]]]:
    """Gold tags and predictions that are often equal; both may be illegal, types may hold hyphens."""
    tag = st.sampled_from(tagset(["LOC", "protein-DNA"], scheme))
    pair = st.tuples(tag, tag, st.booleans())
    drawn = draw(st.lists(st.lists(pair, max_size=8), min_size=1, max_size=4))
    gold = [[gold for gold, _, _ in sentence] for sentence in drawn]
    return gold, [[gold if same else other for gold, other, same in sentence] for sentence in drawn]


def assert_alike(final, quick):
    """All figures equal: counts and those that are ours exactly, seqeval's to the last digits."""
    figures, expected = final.to_metrics(), quick.to_metrics()
    assert list(figures.pop("per_type")) == list(expected.pop("per_type"))
    assert figures == pytest.approx(expected)
    for kind, score in final.per_type.items():
        assert score.to_dict() == pytest.approx(quick.per_type[kind].to_dict())
    for name in ("strict", "accuracy", "confusion", "repaired_sequences", "tokens", "sentences"):
        assert getattr(final, name) == getattr(quick, name)
    counts = ("correct", "predicted", "support")
    assert [getattr(final.overall, name) for name in counts] == [getattr(quick.overall, name) for name in counts]


@pytest.mark.parametrize("scheme", list(Scheme))
def test_final_and_quick_reports_agree_in_every_scheme(scheme):
    @settings(max_examples=60, deadline=None)
    @given(corpora(scheme))
    def check(corpus):
        assert_alike(final_report(*corpus, scheme), quick_report(*corpus, scheme))

    check()


def test_final_figures_are_those_that_seqeval_prints(recwarn):
    report = final_report(GOLD, PREDICTED, "IOB2")
    assert not recwarn.list
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert report.precision == precision_score(GOLD, PREDICTED) == 2 / 3
        assert report.recall == recall_score(GOLD, PREDICTED) == 2 / 3
        assert report.f1 == f1_score(GOLD, PREDICTED)
        assert [score.f1 for score in report.per_type.values()] == f1_score(GOLD, PREDICTED, average=None).tolist()
    assert report.per_type["ORG"].to_dict() == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert {type(value) for value in report.per_type["LOC"].to_dict().values()} == {float, int}, "not NumPy's"


def test_bilou_which_seqeval_does_not_read_is_converted(capfd):
    bilou = [[convert(tags, "IOB2", "BILOU") for tags in side] for side in (GOLD, PREDICTED)]
    report = final_report(*bilou, "BILOU")
    assert report.f1 == final_report(GOLD, PREDICTED, "IOB2").f1
    assert capfd.readouterr() == ("", "")


def test_large_files_are_counted_by_us(monkeypatch):
    def forbidden(*arguments):
        raise AssertionError("seqeval is slow")

    monkeypatch.setattr(evaluate, "with_seqeval_figures", forbidden)
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
    gold = [sentence.tags for sentence in ColumnReader(Path(root, path))]
    # Predictions that go wrong often and in every way: in every third sentence each tag is the next token's.
    predicted = [[*tags[1:], "O"] if number % 3 == 0 else tags for number, tags in enumerate(gold)]
    final = final_report(gold, predicted, scheme)
    assert_alike(final, quick_report(gold, predicted, scheme))
    assert 0 < final.f1 < 1


def test_the_measure_of_plain_labels_is_accuracy():
    assert resolve_measure("f1_strict", "IOB2") == "f1_strict"
    with pytest.raises(ConfigError, match="expected accuracy for plain labels, found 'f1'"):
        resolve_measure("f1", None)
