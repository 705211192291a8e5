"""Reports on corpora small enough to count by hand."""

from __future__ import annotations

import io
import json

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.corpus import ReadingOptions
from seqtag.tagging.data.inspection import inspect_corpus

TRAIN = "Ann\tB-PER\nLee\tI-PER\nsat\tO\n\nhi\tO\n\nin\tO\nRome\tI-LOC\n\nhi\tO\n"
TEST = "hi\tO\n\nBob\tB-PER\nsat\tO\n\nhi\tO\n"


def streams(*texts: str) -> list[io.StringIO]:
    return [io.StringIO(text) for text in texts]


def test_one_file_by_hand():
    [report] = inspect_corpus(streams(TRAIN)).files
    assert (report.layout, report.columns, report.encoding) == ("tsv", ("token", "tag"), "utf-8")
    assert (report.scheme, report.sentences, report.tokens, report.duplicates) == ("IOB2", 4, 7, 1)
    assert report.lengths == {"min": 1, "median": 1, "p95": 3, "max": 3}
    assert report.tags == {"O": 4, "B-PER": 1, "I-PER": 1, "I-LOC": 1}
    assert report.entities == {"PER": 1, "LOC": 1}
    assert report.illegal == 1
    assert report.illegal_examples == ((8, "expected tags in IOB2, found 'I-LOC' after 'O'"),)


def test_overlap_by_hand():
    """Both `hi` of the test part are in train, as is `sat`: of four tokens one is new."""
    report = inspect_corpus(streams(TRAIN, TEST))
    [overlap] = report.overlaps
    assert (overlap.shared_sentences, overlap.shared_lines, overlap.unseen_words) == (2, (1,), 0.25)
    assert report.to_text().endswith(
        "<stream> and <stream>: 2 shared sentences (first at line 1), 25.0% of tokens unseen"
    )
    assert json.loads(json.dumps(report.to_metrics()))["overlaps"][0]["shared_lines"] == [1]


def test_tags_that_an_earlier_file_lacks():
    later = "a\tB-ORG\nb\tI-ORG\nc\tI-PER\nd\tI-LOC\n\ne\tB-ORG\n"
    report = inspect_corpus(streams(TRAIN, later, "hi\n", "x\tNOUN\n"))
    unseen = [overlap.unseen_tags for overlap in report.overlaps]
    assert unseen == [{"B-ORG": 2, "I-ORG": 1}, {}, {}, {"NOUN": 1}, {"NOUN": 1}, {}]
    assert "tokens unseen, and 3 tags (B-ORG 2, I-ORG 1)" in report.to_text()


def test_every_pair_of_files_is_compared(tmp_path):
    paths = [tmp_path / name for name in ("train", "dev", "test")]
    for path in paths:
        path.write_text(TEST)
    pairs = [(overlap.path, overlap.earlier) for overlap in inspect_corpus(paths).overlaps]
    train, dev, test = map(str, paths)
    assert pairs == [(dev, train), (test, train), (test, dev)]


def test_examples_are_limited_and_the_rest_counted():
    [report] = inspect_corpus(streams("a\tI-X\n\nb\tB-X\n\n" * 5), examples=2).files
    assert (report.illegal, [line for line, _ in report.illegal_examples]) == (5, [1, 5])
    assert "illegal tags: 5" in report.to_text() and "and 3 more" in report.to_text()


def test_a_mistyped_tag_is_placed():
    [report] = inspect_corpus(streams("a\tB-X\nb\tI-X\nc\t0\n")).files
    assert (report.scheme, report.entities) == ("IOB2", {"X": 1})
    assert report.illegal_examples == ((3, "expected tags in IOB2, found '0'"),)


def test_prefixes_of_two_schemes_are_placed():
    report = inspect_corpus(streams("a\tS-X\nb\tU-X\nc\tS-X\n", "d\tL-X\n"))
    assert [(file.scheme, file.illegal_examples) for file in report.files] == [
        ("IOBES", ((2, "expected tags in IOBES, found 'U-X'"),)),
        ("BILOU", ((1, "expected tags in BILOU, found 'L-X' at the start of a sentence"),)),
    ]
    assert report.overlaps[0].unseen_tags == {"L-X": 1}


def test_plain_labels_have_no_scheme():
    [report] = inspect_corpus(streams("a\tDET\nb\tNOUN\n")).files
    assert (report.scheme, report.illegal, report.entities) == (None, 0, {})
    assert report.tags == {"DET": 1, "NOUN": 1}
    assert "scheme none" in report.to_text() and "illegal" not in report.to_text()


def test_other_spellings_of_tags_are_read_and_said():
    train, dev = inspect_corpus(streams("Ann\tper-b\nLee\tper-i\nsat\to\n", "Bo\tper-b \n")).files
    assert (train.scheme, train.entities, train.illegal) == ("IOB2", {"per": 1}, 0)
    assert train.notes == ("tags spelt like 'per-b' are read as 'B-per': 3",)
    assert (dev.entities, dev.notes[1]) == ({"per": 1}, "blanks around tags are left out: 1")
    assert "note: tags spelt like 'per-b'" in train.to_text()
    [report] = inspect_corpus(streams("Ann\tB-NAME\nvan\tM-NAME\nLee\tE-NAME\nsat\tO\nBo\tS-NAME\n")).files
    assert (report.scheme, report.entities, report.illegal) == ("IOBES", {"NAME": 2}, 0)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a\tB\nb\tI\nc\tO\n", "labels that look like tags of spans without a type, such as B for B-X: B 1, I 1, O 1"),
        ("a\tB-X\nb\tNN\nc\tVB\n", "labels that look like tags of spans, among others that do not: B-X 1"),
        ("a\tS\nb\tNN\n", None),
    ],
)
def test_labels_that_look_like_tags_of_spans(text, note):
    [report] = inspect_corpus(streams(text)).files
    assert (report.scheme, report.notes) == (None, (note,) if note else ())


def test_files_without_tags():
    [report] = inspect_corpus(streams("a\nb\n\nc\n")).files
    assert (report.layout, report.scheme, report.tags, report.sentences) == ("plain", None, {}, 2)
    assert "no tags" in report.to_text()


@pytest.mark.parametrize(
    ("lengths", "median", "p95"), [([1, 2, 3], 2, 3), (range(1, 21), 10, 19), ([4], 4, 4), ([1, 9], 1, 9)]
)
def test_quantiles_of_lengths(lengths, median, p95):
    """The p-quantile is the least length that a share p of the sentences does not exceed."""
    [report] = inspect_corpus(streams("\n".join("a\tO\n" * length for length in lengths))).files
    assert (report.lengths["median"], report.lengths["p95"]) == (median, p95)


def test_options_are_those_of_the_reader():
    options = ReadingOptions(encoding="latin-1", tag_column=2)
    [report] = inspect_corpus([io.BytesIO("é B-X I-Y".encode("latin-1"))], options).files
    assert (report.encoding, report.tags) == ("latin-1", {"B-X": 1})
    with pytest.raises(DataError, match="expected at least 9 columns, found 2: token, tag"):
        inspect_corpus(streams(TRAIN), ReadingOptions(tag_column=9))
    with pytest.raises(DataError, match="<stream>:2: expected 2 columns, found 1"):
        inspect_corpus(streams("a\tO\nb\n"))
