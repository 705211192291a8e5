"""Telling layouts apart."""

from __future__ import annotations

import io

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.detection import detect_layout, layout_of_lines
from seqtag.tagging.data.layouts import LAYOUTS

TEN = "\t".join("abcdefghi")


@pytest.mark.parametrize(
    ("text", "name", "width"),
    [
        ("EU NNP B-NP B-ORG\n", "conll2003", 4),
        ("-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n", "conll2003", 4),
        ("EU\tNNP\tB-NP\tB-ORG\n", "conll2003", 4),
        ("Melbourne NP B-LOC\n( Fpa O\n", "conll2002", 3),
        ("Melbourne B-LOC\n( O\n", "conll2002", 2),
        ("Confidence NN B-NP\nin IN B-PP\n. . O\n", "conll2000", 3),
        ("Confidence\tNN\tB-NP\n", "conll2000", 3),
        ("EU\tB-ORG\n", "tsv", 2),
        ("#1 fan\tO\n", "tsv", 2),
        ("# \tO\n1\tO\n", "tsv", 2),
        ("1\tO\n2\tO\n", "tsv", 2),
        ("New York\tB-LOC\n", "tsv", 2),
        ("1\tHr.\tO\tO\ts\n", "uner", 5),
        ("# text = x\n# y\n1\tHr.\tO\tO\ts\n", "uner", 5),
        (f"# text\n1-2\t{TEN}\n1\t{TEN}\n", "conllu", 10),
        (f"\ufeff1\t{TEN}\r\n", "conllu", 10),
        ("EU\n#1\n\nrejects\n", "plain", 1),
        ("The/DT cat/NN\n\nit/PRP\n", "slashes", 2),
        ("and/or\n1/2\n", "plain", 1),
        ("1/2 CD\nand/or CC\n", "conll2002", 2),
        ("in Rome\tO B-LOC\n", "parallel", 2),
        ("New York\tB-LOC\nin\tO\n", "tsv", 2),
        ('{"text": "a", "label": []}\n', "jsonl", 2),
        ("Sentence #,Word,POS,Tag\n", "csv", 4),
        ("1 It PRON\n2 is AUX\n", "columns", 3),
        ("# x\n1\ta\tO\n", "columns", 3),
        ("a b c d e\n", "columns", 5),
        ("a\tb\tc\td\te\tf\n", "columns", 6),
    ],
)
def test_detection(text, name, width):
    layout = detect_layout(io.StringIO(text))
    assert (layout.name, layout.width) == (name, width)


def test_unknown_layouts_have_tokens_first_and_tags_last():
    assert layout_of_lines(["a b c d e\n"]).columns == ("token", "column2", "column3", "column4", "tag")
    numbered = layout_of_lines(["1\ta\tx\tO\n", "2\tb\tx\tO\n"])
    assert numbered.columns == ("id", "token", "column3", "tag")
    assert numbered.has_ids and (numbered.token, numbered.tag) == ("token", "tag")


def test_separator_follows_the_file():
    assert layout_of_lines(["New York\tNNP\tB-NP\tB-LOC\n"]).split("New York\tNNP") == ["New York", "NNP"]


def test_optional_columns_are_settled_by_the_width():
    layout = LAYOUTS["conll2002"]
    assert layout.of_width(2).columns == ("word", "ner")
    assert layout.of_width(3).columns == ("word", "pos", "ner")
    assert layout.of_width(3).of_width(2).columns == ("word", "pos", "ner")


def test_nothing_to_detect():
    with pytest.raises(DataError, match="<stream>: expected sentences, found an empty file"):
        detect_layout(io.StringIO(""))
