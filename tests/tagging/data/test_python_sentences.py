from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.python_sentences import paired, pairs_of, sentences_of

TOKENS = [["Ann", "sleeps"], ["Ærø", "𝔸"], []]


@pytest.mark.parametrize(
    "made",
    [
        list,
        tuple,
        iter,
        np.array,
        pd.Series,
        lambda tokens: np.array(tokens, object),
        lambda tokens: pd.Series(tokens, index=range(5, 5 + len(tokens)), dtype="string"),
        lambda tokens: (token for token in tokens),
    ],
)
def test_whatever_holds_strings_is_a_sentence(made):
    found = list(sentences_of(made(tokens) for tokens in TOKENS))
    assert found == TOKENS
    assert {type(token) for tokens in found for token in tokens} == {str}
    tags = [["O"] * len(tokens) for tokens in TOKENS]
    pairs = [(made(tokens), made(of)) for tokens, of in zip(TOKENS, tags, strict=True)]
    assert list(pairs_of(pairs)) == list(zip(TOKENS, tags, strict=True))


def test_sentences_of_one_length_may_be_an_array():
    assert list(sentences_of(np.array(TOKENS[:2]))) == TOKENS[:2]
    assert list(sentences_of(pd.Series(TOKENS))) == TOKENS


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, "expected a token as a string, found None"),
        (3, "expected a token as a string, found 3"),
        (float("nan"), "expected a token as a string, found nan"),
        (pd.NA, "expected a token as a string, found <NA>"),
        (b"Ann", "expected a token as a string, found b'Ann'"),
        (["Ann"], "expected a token as a string, found ['Ann']"),
        ("", "expected a token, found an empty string"),
        ("x\ud83d", r"expected a token in Unicode, found half of a surrogate pair in 'x\ud83d'"),
    ],
)
def test_what_is_no_token_is_placed(value, fault):
    for sentence in (["é", value], np.array(["é", value], object), iter(["é", value])):
        with pytest.raises(DataError) as error:
            list(sentences_of([["Ann"], [], sentence]))
        assert str(error.value) == f"sentence 2, position 1: {fault}"


@pytest.mark.parametrize(
    ("X", "fault"),
    [
        ("Ann sleeps", "expected sentences, each a list of tokens, found 'Ann sleeps'"),
        (None, "expected sentences, each a list of tokens, found None"),
        (np.array("Ann"), "expected sentences, each a list of tokens, found array"),
        (["Ann", "sleeps"], "sentence 0: expected a list of tokens, found 'Ann'"),
        ([["Ann"], "sleeps"], "sentence 1: expected a list of tokens, found 'sleeps'"),
        ([["Ann"], 5], "sentence 1: expected a list of tokens, found 5"),
        ([["Ann"], b"sleeps"], "sentence 1: expected a list of tokens, found b'sleeps'"),
    ],
)
def test_what_is_no_sentence_is_placed(X, fault):
    with pytest.raises(DataError) as error:
        list(sentences_of(X))
    assert str(error.value).startswith(fault)


@pytest.mark.parametrize(
    ("pair", "fault"),
    [
        ((["a", "b"], ["O", 1]), "sentence 1, position 1: expected a tag as a string, found 1"),
        ((["a", "b"], np.array([0, 1])), "sentence 1, position 0: expected a tag as a string, found np.int64(0)"),
        ((["a", "b"], ["O", ""]), "sentence 1, position 1: expected a tag, found an empty string"),
        ((["a", None], ["O", "O"]), "sentence 1, position 1: expected a token as a string, found None"),
        ((["a", "b"], ["O"]), "sentence 1: expected as many tags as tokens, found 1 for 2"),
        ((["a"], "O"), "sentence 1: expected a list of tags, found 'O'"),
        ((["a"], None), "sentence 1: expected a list of tags, found None"),
        (3, "sentence 1: expected a pair (tokens, tags), found 3"),
        (["a", "b", "c"], "sentence 1: expected a pair (tokens, tags), found ['a', 'b', 'c']"),
    ],
)
def test_what_is_no_pair_is_placed(pair, fault):
    with pytest.raises(DataError) as error:
        list(pairs_of([(["a"], ["O"]), pair]))
    assert str(error.value) == fault


def test_two_lists_are_of_one_length():
    assert list(paired(iter([["a"]]), iter([["O"]]))) == [(["a"], ["O"])]
    with pytest.raises(DataError, match="expected as many tag lists as sentences, found 2 for 1"):
        paired([["a"]], [["O"], ["O"]])
    with pytest.raises(DataError, match="expected lists of tags, one a sentence, found 3"):
        paired([["a"]], 3)
