"""Forced tags: read from files and lists, refused where no answer can have them."""

from __future__ import annotations

import io
import itertools

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.corpus import LONGEST, ReadingOptions
from seqtag.tagging.data.forced_tags import ForcedTagError, ForcedTags, forced_of_lists
from seqtag.tagging.data.inputs import read_columns
from seqtag.tagging.data.notation import Notation
from seqtag.tagging.data.schemes import tagset, violations
from seqtag.tagging.data.tag_codec import TagCodec


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IOBES", "BILOU", "IO"])
def test_what_is_refused_is_what_no_legal_sequence_has(scheme):
    codec, tags = TagCodec(scheme, ["A", "B"]), tagset(["A", "B"], scheme)
    read, legal = ForcedTags(codec), set()
    for sequence in itertools.product(tags, repeat=3):
        if not violations(sequence, scheme):
            shown = itertools.product(*((tag, "?") for tag in sequence))
            legal |= set(shown)
    for forced in itertools.product([*tags, "?"], repeat=3):
        if forced in legal:
            assert read(forced) == ["" if tag == "?" else tag for tag in forced]
        else:
            with pytest.raises(ForcedTagError, match=f"expected forced tags in {scheme}, found"):
                read(forced)


@pytest.mark.parametrize(
    ("scheme", "tags", "position", "message"),
    [
        ("IOB2", ["I-A"], 0, "expected forced tags in IOB2, found 'I-A' at the start of a sentence"),
        ("IOBES", ["B-A", "?", "I-B"], 2, "expected forced tags in IOBES, found 'I-B' after '?'"),
        ("IOBES", ["O", "B-A"], 1, "expected forced tags in IOBES, found 'B-A' before the end of a sentence"),
        ("IOB2", ["O", "B-C"], 1, "expected a tag of the tagger, found 'B-C'"),
        (None, ["A", "C"], 1, "expected a tag of the tagger, found 'C'"),
        (None, ["?"] * LONGEST + ["A"], LONGEST, "expected 4000 tokens at most with forced tags, found 4001"),
    ],
)
def test_the_first_tag_that_cannot_be_is_told(scheme, tags, position, message):
    with pytest.raises(ForcedTagError) as error:
        ForcedTags(TagCodec(scheme, ["A", "B"]))(tags)
    assert (str(error.value), error.value.position) == (message, position)


def test_tags_are_read_as_the_training_file_spells_them():
    notation = Notation(suffix=True, separator="_", lower=True, outside="o")
    assert ForcedTags(TagCodec("IOB2", ["A"]), notation, "*")(["A_b", None, "*", "o"]) == ["B-A", "", "", "O"]


def test_a_file_has_them_in_its_column_of_tags():
    forced = ForcedTags(TagCodec("IOB2", ["A"]))
    [(_, one), (_, two)] = read_columns(io.StringIO("a\tB-A\nb\t?\n\nc\t?\n"), ReadingOptions("tsv"), forced).items
    assert (one.forced, two.forced) == (["B-A", ""], [""])
    with pytest.raises(DataError, match=":3: expected forced tags in IOB2, found 'I-A' after 'O'"):
        list(read_columns(io.StringIO("a\t?\nb\tO\nc\tI-A\n"), ReadingOptions("tsv"), forced).items)
    with pytest.raises(DataError, match="expected column 'tags', found columns token"):
        list(read_columns(io.StringIO("a\n"), ReadingOptions("tsv"), forced).items)


def test_lists_fit_the_sentences():
    read = ForcedTags(TagCodec("IOB2", ["A"]))
    assert forced_of_lists([None, ["B-A", None]], [3, 2], read) == [[], ["B-A", ""]]
    for forced, message in (
        ([None], "expected forced tags for 2 sentences, found them for 1"),
        ([None, ["O"]], "sentence 1: expected 2 forced tags, found"),
        ([None, ["O", "I-A"]], "sentence 1, position 1: expected forced tags in IOB2, found 'I-A' after 'O'"),
    ):
        with pytest.raises(DataError, match=message):
            forced_of_lists(forced, [3, 2], read)
