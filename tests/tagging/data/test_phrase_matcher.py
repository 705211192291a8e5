"""Phrases found in sentences, against a search in Python."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.tagging.data.gazetteers import BEGIN, END, INSIDE, NONE, WHOLE, Gazetteers
from seqtag.tagging.data.phrase_matcher import MOST_TOKENS, PhraseMatcher

PHRASES = {"A": ["a", "ab", "bab", "aB", "BaAb"], "B": ["b", "ab", "abba", "a" * 20, "Ab"]}


def expected(sentence: list[str]) -> list[list[int]]:
    """The rows of a sentence, by trying every phrase: the longest first, then the first."""
    rows = np.full((len(sentence), len(PHRASES)), NONE)
    spans = [(end - start, start) for start in range(len(sentence)) for end in range(start + 1, len(sentence) + 1)]
    for column, phrases in enumerate(PHRASES.values()):
        for length, start in sorted(spans, key=lambda span: (-span[0], span[1])):
            text = "".join(sentence[start : start + length])
            if length <= MOST_TOKENS and (text in phrases or text.lower() in phrases):
                kinds = [WHOLE] if length == 1 else [BEGIN, *[INSIDE] * (length - 2), END]
                for place, kind in enumerate(kinds, start):
                    rows[place, column] = kind if rows[place, column] == NONE else rows[place, column]
    return rows.tolist()


@pytest.fixture(scope="module")
def matcher():
    return PhraseMatcher(Gazetteers(PHRASES))


def test_it_finds_what_a_search_in_python_finds(matcher):
    rng = np.random.default_rng(1)
    sentences = [list(rng.choice(list("aaabbAB"), size=rng.integers(0, 14))) for _ in range(60)]
    sentences += [["a"] * 20, ["a" * 10, "a" * 10], [], ["ab", "ba"], ["a b", "ba"]]
    sentences = [list(map(str, sentence)) for sentence in sentences]
    found = tf.function(matcher)(tf.ragged.constant(sentences, tf.string)).to_list()
    wanted = [expected(sentence) for sentence in sentences]
    assert found == wanted
    assert {kind for rows in wanted for row in rows for kind in row} == {NONE, BEGIN, INSIDE, END, WHOLE}


def test_letters_of_all_scripts_are_lowered(matcher):
    matcher = PhraseMatcher(Gazetteers({"A": ["ærø", "Øst"]}))
    found = matcher(tf.ragged.constant([["ÆRØ", "ØST", "Øst", "øst"]])).to_list()
    assert found == [[[WHOLE], [NONE], [WHOLE], [NONE]]]


def test_nothing_is_found_in_nothing(matcher):
    assert matcher(tf.RaggedTensor.from_row_lengths(tf.constant([], tf.string), [0, 0])).to_list() == [[], []]
