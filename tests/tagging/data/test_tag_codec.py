from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from seqtag.errors import DataError, DataWarning
from seqtag.tagging.data.corpus import TaggedCorpus, load_corpus
from seqtag.tagging.data.schemes import convert, spans, violations
from seqtag.tagging.data.tag_codec import TagCodec

SCHEMES = ("IOB1", "IOB2", "IOBES", "BILOU")


def legal_iobes(length: int):
    """Every legal IOBES sequence over two types."""
    labels = TagCodec("IOBES", ["A", "B"]).labels
    for tags in itertools.product(labels, repeat=length):
        if not violations(tags, "IOBES"):
            yield list(tags)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_legal_sequence_comes_back_in_the_files_scheme(scheme):
    codec = TagCodec(scheme, ["A", "B"])
    for length in range(5):
        for iobes in legal_iobes(length):
            in_file = convert(iobes, "IOBES", scheme)
            indices = codec.encode(in_file)
            assert [codec.labels[n] for n in indices] == iobes
            assert codec.decode(np.array(indices, int)) == in_file


def test_io_joins_neighbours_of_one_type_as_it_must():
    codec = TagCodec("IO", ["A"])
    for iobes in legal_iobes(3):
        if "B" in "".join(tag[2:] for tag in iobes):
            continue
        assert codec.decode(np.array([codec.labels.index(tag) for tag in iobes])) == convert(iobes, "IOBES", "IO")


def test_plain_labels_stay_as_they_are():
    corpus = TaggedCorpus(tokens=[["a", "b"]], tags=[["VERB", "NOUN"]])
    codec = TagCodec.fit(corpus, None)
    assert codec.labels == ["NOUN", "VERB"]
    assert codec.encode_corpus(corpus) == [[1, 0]]
    assert codec.decode(np.array([1, 0])) == ["VERB", "NOUN"]
    assert codec.constraints() is None


def test_a_known_type_has_all_its_tags_also_those_that_training_lacked():
    codec = TagCodec.fit(TaggedCorpus(tokens=[["x"]], tags=[["B-LOC"]]), "IOB2")
    assert codec.decode(np.array(codec.encode(["B-LOC", "I-LOC"]))) == ["B-LOC", "I-LOC"]


def in_file(*tags):
    """A corpus of sentences with these tags, each a line further down in `test.conll`."""
    numbers = itertools.count(1)
    lines = [[next(numbers) for _ in sentence] for sentence in tags]
    return TaggedCorpus([["x"] * len(sentence) for sentence in tags], list(tags), path="test.conll", lines=lines)


def test_an_unknown_type_is_given_no_index_and_its_neighbours_keep_theirs():
    codec = TagCodec("IOB1", ["LOC", "PER"])
    sentence = ["I-LOC", "I-ORG", "I-ORG", "I-PER", "O", "B-ORG"]
    labels = [codec.labels[n] if n >= 0 else None for n in codec.encode(sentence)]
    assert labels == ["S-LOC", None, None, "S-PER", "O", None]
    assert TagCodec(None, ["NOUN"]).encode(["ADJ", "NOUN"]) == [-1, 0]


def test_tags_that_training_did_not_have_are_warned_of_once(recwarn):
    codec = TagCodec("IOB2", ["LOC", "PER"])
    codec.check(in_file(["O", "B-LOC", "I-PER"]))
    assert not recwarn.list
    codec.check(in_file(["B-LOC"], ["I-ORG", "I-ORG", "B-ORG", "S-LOC"], ["I-ORG"]))
    [warning] = recwarn.list
    assert warning.category is DataWarning
    found = "found 5 tags (I-ORG 3, B-ORG 1, S-LOC 1) that training did not have; they count as missed"
    assert str(warning.message) == f"test.conll:2: {found}"


def test_labels_that_training_did_not_have_are_warned_of():
    corpus = load_corpus([(["a"], ["NOUN"]), (["b", "c"], ["NOUN", "ADJ"])])
    with pytest.warns(DataWarning, match=r"^sentence 1, position 1: found 1 tag \(ADJ 1\) that training did not have"):
        TagCodec(None, ["NOUN"]).check(corpus)


def test_a_tag_that_no_scheme_reads_is_a_fault():
    with pytest.raises(DataError) as error:
        TagCodec("IOB2", ["LOC"]).check(in_file(["B-ORG", "B-LOC"], ["VERB"], ["0", "0"]))
    assert str(error.value) == "test.conll:3: expected O or a tag such as B-LOC, found 'VERB'"


def test_constraints_are_those_of_the_scheme_inside():
    codec = TagCodec("IOB1", ["A"])
    start, moves, end = codec.constraints()
    at = {label: n for n, label in enumerate(codec.labels)}
    assert not start[at["I-A"]] and not start[at["E-A"]] and start[at["S-A"]]
    assert not end[at["B-A"]] and end[at["E-A"]]
    assert moves[at["B-A"], at["E-A"]] and not moves[at["O"], at["E-A"]]


@pytest.mark.parametrize("scheme", [*SCHEMES, None])
def test_round_trip_through_json(scheme):
    codec = TagCodec(scheme, ["A", "B"])
    again = TagCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again.labels == codec.labels
    assert np.array_equal(again.file_tags, codec.file_tags)
    assert np.array_equal(again.file_tag_rows, codec.file_tag_rows)


def test_decoding_agrees_with_spans():
    codec = TagCodec("IOB1", ["A", "B"])
    tags = codec.decode(np.array([codec.labels.index(t) for t in ["S-A", "S-A", "B-B", "E-B", "O", "S-B"]]))
    assert tags == ["I-A", "B-A", "I-B", "I-B", "O", "I-B"]
    assert spans(tags, "IOB1") == [("A", 0, 1), ("A", 1, 2), ("B", 2, 4), ("B", 5, 6)]
