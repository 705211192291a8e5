"""Spellings of tags: every one is found, comes back as it was, and labels are left alone."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.tagging.data.notation import Normaliser, Notation, detect_notation

OURS = ["O", "B-PER", "I-PER", "B-org-name_x", "I-org-name_x"]
NOTATIONS = [
    Notation(suffix=True),
    Notation(separator="_"),
    Notation(lower=True),
    Notation(lower=True, outside="o"),
    Notation(suffix=True, separator="_", lower=True, outside="o"),
    Notation(inside="M"),
    Notation(suffix=True, separator=":", inside="M", single="W"),
    Notation(separator="|"),
]


@pytest.mark.parametrize("notation", NOTATIONS, ids=str)
def test_every_notation_is_found_and_written_back(notation):
    tags = [*OURS, "E-PER", "S-PER"] if notation.single == "W" or notation.inside == "M" else OURS
    written = [notation.write(tag) for tag in tags]
    assert detect_notation(written) == notation
    assert [notation.read(tag) for tag in written] == tags
    assert Notation.from_dict(asdict(notation)) == notation


def test_bmes():
    written = ["B-NAME", "M-NAME", "E-NAME", "O", "S-ORG"]
    normaliser = Normaliser(written)
    assert normaliser(written) == ["B-NAME", "I-NAME", "E-NAME", "O", "S-ORG"]
    assert normaliser.changes() == ["tags spelt like 'M-NAME' are read as 'I-NAME': 1"]


@pytest.mark.parametrize(
    "tags",
    [
        [],
        ["O"],
        OURS,
        ["O", "I-PER"],
        ["B-PER", "L-PER", "U-PER", "O"],
        ["NOUN", "VERB", "PUNCT"],
        ["B", "I", "O"],
        ["B", "M", "E", "S"],
        ["B-PER", "b-per", "O"],  # two spellings: a mistyped tag is an error that names its line
        ["B-PER", "I-PER", "0"],
        ["I-PER", "M-PER", "B-PER", "O"],
        ["Number=Sing", "Case=Nom|Number=Sing", "_"],
        ["NN-SBJ", "VB", "S-TPC"],
        ["b-x"],
        ["s_noun", "e_verb"],
        ["atis_flight", "atis_b", "o"],
    ],
)
def test_our_own_spelling_and_labels_stay(tags):
    assert detect_notation(tags) is None


def test_a_likely_notation_counts_where_tags_alone_show_too_little():
    likely = Notation(suffix=True)
    assert detect_notation(["PER-B"]) is None
    assert detect_notation(["PER-B"], likely) == likely
    assert detect_notation(["O", "B-PER"], likely) is None
    assert detect_notation(["O", "NOUN"], likely) is None


def test_blanks_around_tags_make_no_second_type():
    tags = ["B-PER", "B-PER ", "I-PER\u00a0", " O", "O"]
    normaliser = Normaliser(tags)
    assert normaliser(tags) == ["B-PER", "B-PER", "I-PER", "O", "O"]
    assert normaliser.changes() == ["blanks around tags are left out: 3"]
    labels = Normaliser(["b-x ", "o", "i-x"], labels=True)
    assert (labels(["b-x ", "o"]), labels.notation) == (["b-x", "o"], None)


def test_what_is_not_changed_is_not_said():
    normaliser = Normaliser(OURS)
    assert (normaliser(OURS), normaliser.changes(), normaliser.notation) == (OURS, [], None)


@given(
    st.builds(
        Notation,
        suffix=st.booleans(),
        separator=st.sampled_from("-_:.|/"),
        lower=st.booleans(),
        inside=st.sampled_from("IM"),
        single=st.sampled_from("SW"),
        outside=st.sampled_from("Oo"),
    ),
    st.sampled_from("BIESLU"),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=5),
)
def test_what_a_notation_writes_it_reads(notation, letter, kind):
    assert notation.read(notation.write(f"{letter}-{kind}")) == f"{letter}-{kind}"
    assert replace(notation).read(notation.write("O")) == "O"
