"""Weights of sentences: where they are read from, and what is refused."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, load_corpus
from seqtag.tagging.data.weights import checked_weights, relative_weights

CONLLU = "# weight = {}\n1\ta\ta\tX\t_\t_\t_\t_\t_\t_\n\n1\tb\tb\tY\t_\t_\t_\t_\t_\t_\n"
CSV = "sentence,token,tag,weight\n1,a,X,{}\n1,b,Y,2\n2,c,X,1\n"
JSON = json.dumps({"tokens": ["a"], "tags": ["X"], "weight": 2}) + "\n" + '{"tokens": ["b"], "tags": ["Y"]}\n'


def load(text, path, **options):
    path.write_text(text, "utf-8")
    return load_corpus(path, ReadingOptions(**options))


def test_each_kind_of_file_says_it_in_its_way(tmp_path):
    assert load(CONLLU.format(".5"), tmp_path / "a").weights == [0.5, 1.0]
    assert load("% weight = 3\na\tX\n\nb\tY\n", tmp_path / "b", comment_prefix="%").weights == [3.0, 1.0]
    assert load(CSV.format(2), tmp_path / "c.csv").weights == [2.0, 1.0]
    assert load(JSON, tmp_path / "d.jsonl").weights == [2.0, 1.0]
    frame = pd.read_csv(io.StringIO(CSV.format(2)))
    assert load_corpus(frame).weights == [2.0, 1.0]
    assert load("a\tX\n\nb\tY\n", tmp_path / "e").weights == []
    assert load(CONLLU.format(".5"), tmp_path / "a").subset([1]).weights == [1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONLLU.format("much"), ":1: expected a weight, a number from 0 on, found 'much'"),
        (CONLLU.format("-1"), ":1: expected a weight, a number from 0 on, found '-1'"),
        (CONLLU.format("1\n# weight = 2"), ":2: expected one weight for all of a sentence, found 1 and 2"),
        (CSV.format("inf"), ":2: expected a weight, a number from 0 on, found 'inf'"),
        (CSV.format("1.0"), ":3: expected one weight for all of a sentence, found 1 and 2"),
        (JSON.replace("2", "true"), ":1: expected a weight, a number from 0 on, found True"),
    ],
)
def test_what_is_no_weight_is_told_with_its_line(tmp_path, text, message):
    with pytest.raises(DataError) as error:
        load(text, tmp_path / "file")
    assert str(error.value) == f"{tmp_path / 'file'}{message}"


def test_python_lists_are_checked():
    assert checked_weights(np.array([1, 0]), 2) == [1.0, 0.0]
    with pytest.raises(DataError, match="expected as many weights as sentences, found 1 for 2"):
        checked_weights([1], 2)
    with pytest.raises(DataError, match="sentence 1: expected a weight, a number from 0 on, found nan"):
        checked_weights([1, float("nan")], 2)
    with pytest.raises(DataError, match="row 5: expected a weight, a number from 0 on, found nan"):
        load_corpus(pd.DataFrame({"sentence": [1], "token": ["a"], "tag": ["X"], "weight": [np.nan]}, index=[5]))


def test_the_mean_over_tokens_is_one():
    corpus = TaggedCorpus([["a"] * 3, ["b"]], weights=[1.0, 3.0])
    np.testing.assert_allclose(relative_weights(corpus), [2 / 3, 2])
    assert relative_weights(TaggedCorpus([["a"]])) is None
    with pytest.raises(DataError, match="expected a weight above 0, found 0 for every sentence"):
        relative_weights(TaggedCorpus([["a"]], weights=[0.0]))
