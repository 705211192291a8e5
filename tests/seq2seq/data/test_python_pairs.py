"""Pairs from Python objects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.load import load_pairs, load_sources

POS = DataConfig(features=("upos",))
FRAMES = np.arange(12).reshape(2, 3, 2)


def test_the_same_pairs_in_every_form():
    sources, targets = ["ABBY ", "A"], [" AE B IY", "AH"]
    forms = [
        load_pairs(list(zip(sources, targets, strict=True))),
        load_pairs(([s, t] for s, t in zip(sources, targets, strict=True))),
        load_pairs(sources, y=targets),
        load_pairs(np.array(sources), y=pd.Series(targets)),
        load_pairs(pd.DataFrame({"target": targets, "source": sources})),
        load_pairs(
            pd.DataFrame({"word": sources, "sound": targets}), DataConfig(source_column="word", target_column=2)
        ),
    ]
    for pairs in forms:
        assert (pairs.sources, pairs.targets, pairs.path) == (["ABBY", "A"], ["AE B IY", "AH"], None)
        assert {type(text) for text in pairs.sources + pairs.targets} == {str}


def test_features_stand_beside_the_source():
    frame = pd.DataFrame({"source": ["saw"], "target": ["see"], "upos": ["VERB"], "lang": ["en"]})
    for pairs in (
        load_pairs([(("saw", "VERB"), "see")], POS),
        load_pairs([("saw", "VERB")], POS, ["see"]),
        load_pairs(frame, POS),
        load_pairs(frame, DataConfig(layout="conllu")),
    ):
        assert (pairs.sources, pairs.features, pairs.targets) == (["saw"], [("VERB",)], ["see"])
    assert load_pairs(frame, DataConfig(split_column="lang")).keys == ["en"]
    assert load_sources(frame, POS).features == load_sources([("saw", "VERB")], POS).features == [("VERB",)]


def test_arrays_are_frames():
    for X in (FRAMES, list(FRAMES), FRAMES.tolist()):
        pairs = load_pairs(X, y=["a", "b"])
        np.testing.assert_array_equal(pairs.sources[1], FRAMES[1])
        assert pairs.sources[1].dtype == np.float32
    assert load_pairs([(FRAMES[0], "a")]).targets == ["a"]


def test_sources_to_be_answered_may_be_empty():
    sources = load_sources(["", " a "])
    assert (sources.sources, sources.targets) == (["", "a"], [])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([("a", "x"), ("b",)], None, "pair 1: expected a pair (source, target), found ('b',)"),
        (["ab", "cd", "ef"], None, "pair 0: expected a pair (source, target), found 'ab'"),
        ([("a", None)], None, "pair 0: expected a target as a string, found None"),
        ([("a", "x"), ("a", " ")], None, "pair 1: expected a target, found an empty string"),
        ([("", "x")], None, "pair 0: expected a source, found an empty string"),
        ([(5, "x")], None, "pair 0: expected a source as a string or as numbers (time, features), found 5"),
        ([(b"a", "x")], None, "pair 0: expected a source as a string or as numbers (time, features), found b'a'"),
        ([(["a", "b"], "x")], None, "pair 0: expected a source as a string or as numbers"),
        ([("\ud800", "x")], None, "pair 0: expected a source in Unicode, found half of a surrogate pair"),
        (7, None, "expected a path, two paths, a DataFrame or pairs (source, target), found 7"),
        ([], None, "expected pairs, found none"),
        (["a"], ["x", "y"], "expected as many targets as sources, found 2 for 1"),
        ("a", ["x"], "expected sources, found 'a'"),
        ([np.ones(3)], ["x"], "found an array of shape (3,)"),
        ([np.ones((0, 2))], ["x"], "pair 0: expected a source of at least one frame, found none"),
        ([np.ones((2, 2)), np.ones((2, 3))], ["x", "y"], "pair 1: expected frames of 2 numbers as before"),
        (["a", np.ones((2, 3))], ["x", "y"], "pair 1: expected a text as before, found frames of 3 numbers"),
        ([[[1.0, np.nan]]], ["x"], "pair 0: expected finite numbers, found nan in frame 0"),
        ([[[1, 2], [3]]], ["x"], "pair 0: expected a source as a string or as numbers"),
        (pd.DataFrame({"source": ["a"], "goal": ["x"]}), None, "expected a DataFrame with a column 'target', found"),
        (pd.DataFrame({"source": ["a", "b"], "target": ["x", np.nan]}), None, "row 1: expected a target as a string"),
    ],
)
def test_faults_are_told_by_their_number(X, y, message):
    with pytest.raises(DataError) as caught:
        load_pairs(X, y=y)
    assert message in str(caught.value)


@pytest.mark.parametrize("source", ["saw", ("saw",), ("saw", "VERB", "x"), 5])
def test_missing_features_are_told(source):
    with pytest.raises(DataError, match=r"^source 0: expected a source with its 1 further column in a tuple, found"):
        load_sources([source], POS)
