from __future__ import annotations

import json

import pandas as pd
import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.data.layouts import LAYOUTS

TEXT = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nPeter NNP I-NP I-PER\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "train.conll"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_file_its_lines_and_further_columns(path):
    corpus = load_corpus(path, ReadingOptions(features=("pos", 3)))
    assert corpus.tokens == [["EU", "rejects"], ["Peter"]]
    assert corpus.tags == [["I-ORG", "O"], ["I-PER"]]
    assert corpus.columns == [[["NNP", "VBZ"], ["I-NP", "I-VP"]], [["NNP"], ["I-NP"]]]
    assert corpus.lines == [[3, 4], [6]]
    assert corpus.place(1, 0) == {"path": str(path), "line": 6}
    assert corpus.layout.name == "conll2003"


def test_the_same_from_pairs_lists_and_a_frame(path):
    from_file = load_corpus(path)
    pairs = list(zip(from_file.tokens, from_file.tags, strict=True))
    frame = pd.DataFrame(
        [(n, token, tag) for n, (tokens, tags) in enumerate(pairs) for token, tag in zip(tokens, tags, strict=True)],
        columns=["sentence", "token", "tag"],
    )
    for corpus in (load_corpus(iter(pairs)), load_corpus(from_file.tokens, tags=from_file.tags), load_corpus(frame)):
        assert (corpus.tokens, corpus.tags) == (from_file.tokens, from_file.tags)


def test_a_frame_keeps_the_order_of_its_sentences():
    frame = pd.DataFrame({"sentence": [7, 7, 2], "token": ["b", "c", "a"], "tag": ["O", "O", "O"]})
    assert load_corpus(frame).tokens == [["b", "c"], ["a"]]


def test_the_sample_corpus_has_a_name():
    assert len(load_corpus("sample:test")) > 100
    with pytest.raises(DataError, match="sample:all: expected a split of train, dev, test, found 'all'"):
        load_corpus("sample:all")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "expected sentences, found none"),
        ([(["a", "b"], ["O"])], "expected as many tags as tokens, found 1 for 2 in item 0"),
        ([3], r"expected \(tokens, tags\) pairs, found int as item 0"),
        (pd.DataFrame({"token": []}), "expected a DataFrame with columns sentence, token, tag, found no sentence, tag"),
        (pd.DataFrame({"sentence": [], "token": [], "tag": []}), "found an empty DataFrame"),
    ],
)
def test_bad_python_objects(source, message):
    with pytest.raises(DataError, match=message):
        load_corpus(source)


def test_a_subset_keeps_places():
    corpus = load_corpus([(["a"], ["O"]), (["b", "c"], ["O", "O"])]).subset([1])
    assert corpus.tokens == [["b", "c"]]


@pytest.mark.parametrize("layout", ["auto", "conllu", LAYOUTS["conll2002"].of_width(2)])
def test_options_round_trip_through_json(layout):
    options = ReadingOptions(layout, "FORM", -1, ("pos", 2), "latin-1")
    assert ReadingOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options
