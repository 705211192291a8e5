"""Tag schemes against seqeval, against each other, and on cases worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB2, IOBES, Entities

from seqtag.tagging.data.schemes import (
    Scheme,
    Span,
    TagError,
    convert,
    detect_scheme,
    legal_transitions,
    repair,
    spans,
    split_tag,
    tagset,
    to_tags,
    violations,
)

TYPES = ["LOC", "PER", "protein-DNA"]
SELF_SUFFICIENT = [Scheme.IOB1, Scheme.IOB2, Scheme.IOBES, Scheme.BILOU]


def tag_sequences(scheme: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(tagset(TYPES, scheme)), max_size=12)


@st.composite
def sentences_of_spans(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Spans that do not overlap, and the length of their sentence."""
    found, position = [], 0
    for gap, length, kind in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(TYPES)), max_size=5)
    ):
        found.append(Span(kind, position + gap, position + gap + length))
        position += gap + length
    return found, position + draw(st.integers(0, 2))


@given(tag_sequences("IOBES"))
def test_lenient_reading_is_seqevals_default(tags):
    assert [tuple(span) for span in spans(tags, "IOBES")] == [
        (kind, start, end + 1) for kind, start, end in get_entities(tags)
    ]


@pytest.mark.parametrize(("scheme", "oracle"), [("IOB2", IOB2), ("IOBES", IOBES), ("BILOU", BILOU)])
def test_strict_reading_is_seqevals_strict_mode(scheme, oracle):
    @given(tag_sequences(scheme))
    def check(tags):
        [entities] = Entities([tags], scheme=oracle).entities
        expected = [(entity.tag, entity.start, entity.end) for entity in entities]
        assert [tuple(span) for span in spans(tags, scheme, strict=True)] == expected

    check()


@pytest.mark.parametrize("scheme", Scheme)
def test_strict_spans_are_some_of_the_lenient_ones(scheme):
    @given(tag_sequences("IOBES") | tag_sequences("BILOU"))
    def check(tags):
        assert set(spans(tags, scheme, strict=True)) <= set(spans(tags, scheme))

    check()


@pytest.mark.parametrize("scheme", SELF_SUFFICIENT)
def test_spans_survive_their_tags_in_both_readings(scheme):
    @given(sentences_of_spans())
    def check(sentence):
        expected, length = sentence
        tags = to_tags(expected, length, scheme)
        assert spans(tags, scheme) == spans(tags, scheme, strict=True) == expected
        assert violations(tags, scheme) == []
        assert repair(tags, scheme) == tags

    check()


@pytest.mark.parametrize("source", SELF_SUFFICIENT)
@pytest.mark.parametrize("target", SELF_SUFFICIENT)
def test_conversion_and_back(source, target):
    @given(sentences_of_spans())
    def check(sentence):
        tags = to_tags(*sentence, source)
        assert convert(convert(tags, source, target), target, source) == tags

    check()


def test_io_joins_spans_that_touch():
    assert spans(convert(["B-LOC", "B-LOC", "I-PER"], "IOB2", "IO"), "IO") == [
        Span("LOC", 0, 2),
        Span("PER", 2, 3),
    ]


@pytest.mark.parametrize("scheme", Scheme)
def test_violations_are_the_illegal_transitions(scheme):
    tags = tagset(TYPES, scheme)
    start, transition, end = legal_transitions(tags, scheme)

    @given(tag_sequences(scheme))
    def check(sequence):
        path = [tags.index(tag) for tag in sequence]
        illegal = [0] if path and not start[path[0]] else []
        illegal += [n for n in range(1, len(path)) if not transition[path[n - 1], path[n]]]
        illegal += [len(path) - 1] if path and not end[path[-1]] else []
        assert [position for position, _ in violations(sequence, scheme)] == illegal

    check()


@pytest.mark.parametrize("scheme", SELF_SUFFICIENT)
def test_repaired_tags_are_legal_and_keep_their_spans(scheme):
    @given(tag_sequences(scheme))
    def check(tags):
        repaired = repair(tags, scheme)
        assert violations(repaired, scheme) == []
        assert spans(repaired, scheme) == spans(tags, scheme)

    check()


@pytest.mark.parametrize("scheme", SELF_SUFFICIENT)
def test_legal_tags_are_what_spans_can_make(scheme):
    """A sequence is legal exactly if writing its spans out gives it back."""

    @given(tag_sequences(scheme))
    def check(tags):
        assert (violations(tags, scheme) == []) == (repair(tags, scheme) == tags)

    check()


@pytest.mark.parametrize(
    ("tags", "lenient"),
    [
        ("I-A I-A O B-A", [("A", 0, 2), ("A", 3, 4)]),
        ("B-A I-B I-B", [("A", 0, 1), ("B", 1, 3)]),
        ("B-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("E-A E-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A E-A I-A", [("A", 0, 2), ("A", 2, 3)]),
        ("B-A S-A I-A", [("A", 0, 1), ("A", 1, 2), ("A", 2, 3)]),
        ("B-A L-A U-A I-A", [("A", 0, 2), ("A", 2, 3), ("A", 3, 4)]),
        ("O", []),
        ("", []),
    ],
)
def test_lenient_reading_by_hand(tags, lenient):
    assert [tuple(span) for span in spans(tags.split(), "IOBES")] == lenient


@pytest.mark.parametrize(
    ("tags", "strict"),
    [
        ("I-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("B-A I-A", []),
        ("O B-A I-A O I-A", [("A", 4, 5)]),
        ("I-B B-A I-B", [("B", 0, 1), ("B", 2, 3)]),
    ],
)
def test_strict_iob1_by_hand(tags, strict):
    assert [tuple(span) for span in spans(tags.split(), "IOB1", strict=True)] == strict


def test_messages_say_what_was_found_where():
    assert violations(["I-A", "O", "I-A", "B-A", "I-B", "E-A", "X"], "IOB2") == [
        (0, "expected tags in IOB2, found 'I-A' at the start of a sentence"),
        (2, "expected tags in IOB2, found 'I-A' after 'O'"),
        (4, "expected tags in IOB2, found 'I-B' after 'B-A'"),
        (5, "expected tags in IOB2, found 'E-A'"),
        (6, "expected tags in IOB2, found 'X'"),
    ]
    assert violations(["S-A", "B-A"], "IOBES") == [(1, "expected tags in IOBES, found 'B-A' at the end of a sentence")]
    assert violations(["O", "B-A"], "IOB1") == [(1, "expected tags in IOB1, found 'B-A' after 'O'")]


@pytest.mark.parametrize(
    ("sequences", "scheme"),
    [
        (["B-A I-A O B-B"], "IOB2"),
        (["I-A I-A B-A O I-B"], "IOB1"),
        (["I-A I-A O I-B"], "IO"),
        (["B-A E-A O S-B"], "IOBES"),
        (["S-B"], "IOBES"),
        (["B-A I-A L-A", "U-B"], "BILOU"),
        (["O O", "O"], "IOB2"),
        (["B-A O", "I-A O", "B-A O"], "IOB2"),
        (["NOUN VERB", "X"], None),
        (["NOUN O"], None),
        ([], None),
    ],
)
def test_detection(sequences, scheme):
    assert detect_scheme(tags.split() for tags in sequences) == scheme


@pytest.mark.parametrize("scheme", SELF_SUFFICIENT)
def test_detection_of_what_was_written(scheme):
    sentence = [Span("A", 0, 3), Span("A", 3, 4), Span("B", 5, 7)]
    assert detect_scheme([to_tags(sentence, 8, scheme)]) is scheme


def test_what_is_no_scheme_is_said():
    with pytest.raises(TagError, match="expected O or tags such as B-LOC, found '0'"):
        detect_scheme([["B-A", "0"]])
    with pytest.raises(TagError, match="expected tags in BILOU, as others are, found 'E-A'") as caught:
        detect_scheme([["E-A", "U-A"]])
    assert caught.value.tag == "E-A"
    with pytest.raises(ValueError, match="expected one of IO, IOB1, IOB2, IOBES, BILOU, found 'BMES'"):
        spans([], "BMES", strict=True)
    with pytest.raises(ValueError, match="expected O or a tag such as B-LOC, found 'B-'"):
        split_tag("B-")


@pytest.mark.parametrize("wrong", [[("A", 1, 3), ("A", 2, 4)], [("A", 2, 2)], [("A", 3, 5)], [("A", -1, 1)]])
def test_spans_that_cannot_be_written(wrong):
    with pytest.raises(ValueError, match="expected spans apart and within 4 tokens, found"):
        to_tags([Span(*span) for span in wrong], 4, "IOB2")


def test_transition_tables_by_hand():
    tags = ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B"]
    start, transition, end = legal_transitions(tags, "IOBES")
    assert [tag for tag, legal in zip(tags, start, strict=True) if legal] == ["O", "B-A", "S-A", "B-B"]
    assert [tag for tag, legal in zip(tags, end, strict=True) if legal] == ["O", "E-A", "S-A"]
    after = {
        before: [tag for tag, legal in zip(tags, row, strict=True) if legal]
        for before, row in zip(tags, transition, strict=True)
    }
    outside = ["O", "B-A", "S-A", "B-B"]
    assert after == {
        "O": outside,
        "B-A": ["I-A", "E-A"],
        "I-A": ["I-A", "E-A"],
        "E-A": outside,
        "S-A": outside,
        "B-B": ["I-B"],
        "I-B": ["I-B"],
    }


def test_plain_labels_may_follow_each_other():
    start, transition, end = legal_transitions(["NOUN", "VERB"], None)
    assert start.all() and transition.all() and end.all() and transition.shape == (2, 2)
