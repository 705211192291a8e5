from __future__ import annotations

import json

import pandas as pd
import pytest

from seqtag.errors import DataError, DataWarning
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.data.layouts import LAYOUTS
from seqtag.tagging.data.notation import Notation

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


def test_tags_of_other_spellings_become_ours_and_what_was_done_is_said_once(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("Ann\tB_PER\nLee\tI_PER \n\nsat\tO\nBo\tB_PER\n")
    with pytest.warns(DataWarning) as caught:
        corpus = load_corpus(path)
    assert corpus.tags == [["B-PER", "I-PER"], ["O", "B-PER"]]
    assert [str(warning.message).partition("tsv: ")[2] for warning in caught] == [
        "tags spelt like 'B_PER' are read as 'B-PER': 3",
        "blanks around tags are left out: 1",
    ]
    options = ReadingOptions().spelt_as(corpus)
    with pytest.warns(DataWarning):
        assert load_corpus([(["Al"], ["B_PER"])], options).tags == [["B-PER"]]
    assert load_corpus([(["Al"], ["B-PER"])], options).tags == [["B-PER"]]


def test_labels_are_left_as_they_are_spelt():
    pairs = [(["a", "b", "c"], ["B_X", "I_X", "O"])]
    assert load_corpus(pairs, ReadingOptions(labels=True)).tags == [["B_X", "I_X", "O"]]
    options = ReadingOptions().spelt_as(load_corpus([(["a", "b"], ["B_X", "NN"])]))
    assert load_corpus(pairs, options).tags == [["B_X", "I_X", "O"]]


KAGGLE = {
    "Sentence #": ["Sentence: 1", None, None, "Sentence: 2", None],
    "Word": ["Thousands", "London", ",", "She", "sat"],
    "POS": ["NNS", "NNP", ",", "PRP", "VBD"],
    "Tag": ["O", "B-geo", "O", "O", "O"],
}


def test_a_frame_with_ids_on_the_first_rows_of_sentences():
    corpus = load_corpus(pd.DataFrame(KAGGLE), ReadingOptions(features=("POS",)))
    assert corpus.tokens == [["Thousands", "London", ","], ["She", "sat"]]
    assert corpus.tags == [["O", "B-geo", "O"], ["O", "O"]]
    assert corpus.columns == [[["NNS", "NNP", ","]], [["PRP", "VBD"]]]
    filled = pd.DataFrame(KAGGLE).assign(**{"Sentence #": ["1", "1", "1", "2", "2"]})
    assert load_corpus(filled).tokens == corpus.tokens


def test_a_frame_whose_columns_are_named_by_options():
    frame = pd.DataFrame({"doc": [1, 1, 2], "surface": ["a", "b", "c"], "klass": ["O", "O", "O"]})
    options = ReadingOptions(sentence_column="doc", token_column="surface", tag_column="klass")
    assert load_corpus(frame, options).tokens == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("Tag", 3, float("nan"), "row 3: expected text in column 'Tag', found NaN; pandas reads words such as NA"),
        ("Word", 1, None, "row 1: expected text in column 'Word', found NaN"),
        ("Tag", 2, 7, "row 2: expected text in column 'Tag', found 7"),
        ("Word", 2, "", "row 2: expected text in column 'Word', found ''"),
        ("Sentence #", 1, "Sentence: 1", "row 2: expected a sentence id on each row, as in the rows before, found no"),
        ("Sentence #", 0, None, "row 0: expected a sentence id in the first row, found none"),
    ],
)
def test_what_is_missing_in_a_frame_has_its_row(column, row, value, message):
    frame = pd.DataFrame(KAGGLE, dtype=object)
    frame.loc[row, column] = value
    with pytest.raises(DataError, match=message):
        load_corpus(frame)


def test_sentences_that_are_hardly_ones(tmp_path):
    frame = pd.DataFrame({"sentence": range(10), "token": list("abcdefghij"), "tag": "O"})
    with pytest.warns(DataWarning, match="each of the 10 sentences is one token"):
        load_corpus(frame)
    path = tmp_path / "one.tsv"
    path.write_text("a\tO\n" * 2001)
    with pytest.warns(DataWarning, match=r"one.tsv: one sentence holds all 2001 tokens"):
        load_corpus(path)


def test_the_sample_corpus_has_a_name():
    assert len(load_corpus("sample:test")) > 100
    with pytest.raises(DataError, match="sample:all: expected a split of train, dev, test, found 'all'"):
        load_corpus("sample:all")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "expected sentences, found none"),
        (None, r"expected a path, a DataFrame or \(tokens, tags\) pairs, found None"),
        (pd.DataFrame({"token": []}), "expected a DataFrame with columns sentence, token, tag, found no sentence, tag"),
        (pd.DataFrame({"sentence": [], "token": [], "tag": []}), "found an empty DataFrame"),
    ],
)
def test_bad_python_objects(source, message):
    with pytest.raises(DataError, match=message):
        load_corpus(source)


def test_a_subset_keeps_places():
    corpus = load_corpus([(["a"], ["O"]), (["b", "c"], ["O", "B-X"])]).subset([1])
    assert corpus.tokens == [["b", "c"]]
    assert corpus.find({"B-X"}) == (0, 1)
    assert corpus.place(0, 1)["path"] == "sentence 1, position 1"


@pytest.mark.parametrize("layout", ["auto", "conllu", LAYOUTS["conll2002"].of_width(2), LAYOUTS["conll2012"]])
def test_options_round_trip_through_json(layout):
    options = ReadingOptions(layout, "FORM", -1, ("pos", 2), "latin-1", "# ", "id", True, Notation(lower=True))
    assert ReadingOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options
