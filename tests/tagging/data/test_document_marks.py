from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.data.document_marks import Mark, marks_of
from seqtag.tagging.data.inputs import read_columns
from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.shares import split_off_dev

CONLL2003 = "-DOCSTART- -X- O O\n\nAnn NNP I-NP B-PER\n\nBo NNP I-NP B-PER\n\n-DOCSTART- -X- O O\n\nit PRP I-NP O\n"
WORD = "1\t{}\t_\tX\t_\t_\t_\t_\t_\t_\n\n"
CONLLU = f"# newdoc id = a\n# sent_id = 1\n{WORD}{WORD}# text = newdoc\n{WORD}# newdoc\n{WORD}"
ONTONOTES = "#begin document (a); part 000\n{0}\n{0}\n#end document\n#begin document (a); part 001\n{0}\n".format(
    "a 0 0 Ann NNP * - - - s (PERSON)\n"
)
JSON = "".join(
    json.dumps({"tokens": ["Ann"], "tags": ["O"]} | more) + "\n"
    for more in ({}, {"doc_id": 7}, {"doc_id": 7}, {"doc_id": 8}, {"doc_id": 7})
)
TABLE = "document,sentence,token,tag\nx,1,Ann,O\nx,1,ran,O\nx,2,Bo,O\ny,3,it,O\n"


def marks(text, layout="auto", **reading):
    reader = SentenceReader(io.StringIO(text), layout, **reading)
    return "".join(mark.name[0] for _, mark in marks_of(reader))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONLL2003, "DND"),
        (CONLLU.replace("{}", "a"), "DNND"),
        (ONTONOTES, "DND"),
        (JSON, "NDNDD"),
        (TABLE, "DND"),
        ("a\tO\n\nb\tO\n\n\nc\tO\n \n\t\n\nd\tO\n", "NNSS"),
        ("a/O b/O\n\n\nc/O d/O\ne/O f/O\n", "NSN"),
        ("#\tO\nnewdoc\tO\n\n#\tO\n", "NN"),
        ("\n\n\na\tO\n\nb\tO\n", "NN"),
        ("\n\n\na/O b/O\nc/O d/O\n", "NN"),
        ("a O\n-DOCSTART- O\nb O\n\n-DOCSTART- O\nc O\n", "NDD"),
        (CONLL2003.replace("\n", "\r\n"), "DND"),
        ("a\tO\r\n\r\nb\tO\r\n\r\n\r\nc\tO\r\n", "NNS"),
    ],
)
def test_what_begins_a_document(text, expected):
    assert marks(text) == expected


def test_a_sentence_whose_column_says_nothing_is_alone():
    """Not in one document with all others of the kind."""
    lines = [{"doc": None}, {}, {"doc": 1}, {"doc": 1}, {"doc": None}, {}, {"doc": ""}, {"doc": 1}]
    text = "".join(json.dumps({"tokens": ["Ann"], "tags": ["O"]} | more) + "\n" for more in lines)
    assert marks(text) == "NNDNDDDD"
    rows = ["x,1", "x,2", ",3", " ,4", "x,5", "x,6"]
    assert marks("doc,sentence,token,tag\n" + "".join(f"{row},Ann,O\n" for row in rows)) == "DNDDDN"
    for nothing in (None, float("nan"), pd.NA, ""):
        frame = pd.DataFrame({"sentence": range(5), "token": ["a"] * 5, "tag": ["O"] * 5})
        frame["doc"] = pd.Series([nothing, "x", "x", nothing, nothing], dtype=object)
        assert load_corpus(frame).documents == [None, 0, 0, 1, 2]


def test_marks_among_comments_of_sentence_lines():
    """Such layouts give the lines between two sentences to the first one."""
    text = "a/O b/O\n# newdoc\nc/O d/O\ne/O f/O\n\n# newdoc\n\ng/O h/O\n"
    assert marks(text, comment_prefix="#") == "NDND"


def test_a_byte_order_mark_hides_no_mark():
    assert marks("\ufeff" + CONLL2003) == "DND"


@pytest.mark.parametrize(
    ("text", "documents", "expected"),
    [
        (CONLL2003, "auto", [0, 0, 1]),
        (CONLL2003.replace("-DOCSTART- -X- O O", "", 1), "marked", [None, None, 0]),
        ("a\tO\n\n\nb\tO\n\nc\tO\n", "auto", [0, 1, 1]),
        ("a\tO\n\n\nb\tO\n\nc\tO\n", "marked", [None] * 3),
        ("a\tO\n\n\nb\tO\n\nc\tO\n", 2, [0, 0, 1]),
        ("a\tO\n\nb\tO\n\nc\tO\n", "auto", [None] * 3),
    ],
)
def test_a_corpus_and_a_stream_have_the_same_documents(tmp_path, text, documents, expected):
    path = tmp_path / "data.txt"
    path.write_text(text)
    corpus = load_corpus(path, ReadingOptions(documents=documents))
    assert corpus.documents == expected
    later = ReadingOptions().spelt_as(corpus)
    assert [read.document for _, read in read_columns(str(path), later).items] == expected
    assert [read.document for read in corpus.inputs] == expected


def test_a_frame_has_documents_by_its_column():
    frame = pd.DataFrame({"sentence": [1, 1, 2, 3], "token": list("abcd"), "tag": ["O"] * 4, "Doc ID": list("xxxy")})
    assert load_corpus(frame).documents == [0, 0, 1]
    assert load_corpus(frame.drop(columns="Doc ID")).documents == [None] * 3


def test_files_beside_the_training_file_are_told_as_it_is():
    sections = load_corpus([(["a"], ["O"])] * 4, ReadingOptions(documents=3))
    assert ReadingOptions().spelt_as(sections).documents == 3
    assert sections.documents == [0, 0, 0, 1]


def test_dev_sentences_are_of_documents_that_training_does_not_have():
    corpus = load_corpus([([str(n)], ["O"]) for n in range(60)], ReadingOptions(documents=3))
    train, dev = split_off_dev(corpus)
    assert sorted(set(dev.documents)) == [9, 19] and len(dev) == 6
    assert not set(dev.documents) & set(train.documents)
    rest, other = split_off_dev(train.subset([n for n, number in enumerate(train.documents) if number != 10]))
    assert sorted(set(other.documents)) == [11] and len(rest) + len(other) == 51


def test_a_mark_is_told_once():
    sentences = SentenceReader(io.StringIO(CONLL2003))
    assert [mark for _, mark in marks_of(sentences)].count(Mark.DOCUMENT) == 2


def test_each_document_may_count_its_sentences_anew(tmp_path):
    """Sentence 1 of one document is not that of the next."""
    rows = [("x", 1, "a"), ("x", 1, "b"), ("y", 1, "c"), ("y", 2, "d"), ("z", 2, "e"), ("z", 2, "f")]
    frame = pd.DataFrame(rows, columns=["doc_id", "sentence", "token"]).assign(tag="O")
    expected = [["a", "b"], ["c"], ["d"], ["e", "f"]]
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    for source in (frame, path):
        corpus = load_corpus(source)
        assert (corpus.tokens, corpus.documents) == (expected, [0, 1, 1, 2])
    # Also where both stand on the first row of a sentence alone, and documents on the first of a document.
    first = pd.DataFrame({"doc_id": ["x", "", "y", "", "z", ""], "sentence": ["1", "", "1", "2", "2", ""]})
    frame[["doc_id", "sentence"]] = first
    frame.to_csv(path, index=False)
    assert load_corpus(path).tokens == expected
