"""A sentence a line: words with slashes, and tokens beside tags."""

from __future__ import annotations

import io

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.reader import SentenceReader

SLASHES = "# c\nThe/DT  1\\/2/CD and/or/CC\t://SYM\r\n\nit/PRP\n\n"
PARALLEL = "\ufeffin New York\tO B-LOC I-LOC\n\nit\tO"


def read(text: str, *args, **kwargs) -> list:
    return list(SentenceReader(io.BytesIO(text.encode()), *args, **kwargs))


def test_the_last_slash_separates():
    first, second = read(SLASHES, "slashes", comment_prefix="# ")
    assert first.tokens == ["The", "1/2", "and/or", ":/"]
    assert first.tags == ["DT", "CD", "CC", "SYM"]
    assert (first.line_numbers[0], second.line_numbers) == (2, [4])
    assert "".join(s.with_tags(s.tags) for s in (first, second)) == SLASHES
    assert second.with_tags(["A/B"]) == "it/A\\/B\n\n"
    assert read(second.with_tags(["A/B"]), "slashes")[0].tags == ["A/B"]


def test_words_without_tags():
    first, second = read("The and/or 1\\/2\n\nit\n", "slashes", tags_required=False)
    assert (first.tokens, first.has_tags) == (["The", "and/or", "1/2"], False)
    assert first.with_tags(["A", "B", "C"]) + second.with_tags(["D"]) == "The/A and/or/B 1\\/2/C\n\nit/D\n"
    with pytest.raises(DataError, match="<stream>:3: expected tags, found none"):
        _ = second.tags


def test_tokens_beside_tags():
    first, second = read(PARALLEL)
    assert (first.tokens, first.tags) == (["in", "New", "York"], ["O", "B-LOC", "I-LOC"])
    assert "".join(s.with_tags(s.tags) for s in (first, second)) == PARALLEL
    [alone] = read("in Rome\n", "parallel", tags_required=False)
    assert alone.with_tags(["O", "B-LOC"]) == "in Rome\tO B-LOC\n"
    with pytest.raises(ValueError, match="expected tags without spaces, found 'a b'"):
        alone.with_tags(["O", "a b"])
    with pytest.raises(ValueError, match="expected 2 values, found 1"):
        alone.with_tags(["O"])
    with pytest.raises(DataError, match="<stream>:1: expected a list of texts called 'pos', found none"):
        alone.column("pos")


@pytest.mark.parametrize(
    ("layout", "text", "message"),
    [
        ("slashes", "a/X b/Y\nc d/Z\n", "2: expected word/TAG, found 'c'"),
        ("slashes", "a/\n", "1: expected word/TAG, found 'a/'"),
        ("slashes", "/X\n", "1: expected word/TAG, found '/X'"),
        ("parallel", "a b\tX\n", "1: expected as many tags as tokens, found 1 for 2"),
        ("parallel", "a b\n", "1: expected tokens, a TAB and tags"),
        ("parallel", "a\tX\tY\n", "1: expected tokens, a TAB and tags"),
    ],
)
def test_faults(layout, text, message):
    with pytest.raises(DataError) as caught:
        read(text, layout)
    assert str(caught.value) == f"<stream>:{message}"


@pytest.mark.parametrize("layout", ["slashes", "parallel", "jsonl", "csv", "conll2012"])
@pytest.mark.parametrize("text", ["", "\n \n"])
def test_nothing(layout, text):
    with pytest.raises(DataError, match="<stream>: expected sentences, found"):
        read(text, layout)
