from __future__ import annotations

import json

import numpy as np
import tensorflow as tf

from seqtag.data.text.vectors.forms import EXACT, LOWER, MISSING
from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vectors.store import WordVectors

KNOWN = ["the", "Paris", "00", "0th", "##", "strasse", "οδος", "ærø", "x²", "x0", "i̇stanbul", "B-0", "b-#"]
ASKED = [
    *KNOWN,
    *["The", "PARIS", "paris", "42", "7th", "7TH", "123", "ΟΔΟΣ", "ÆRØ", "X²", "x③", "٣٤", "İstanbul", "B-7", "b-7"],
    *["cat", "", "\u00a0", "🙂", "五"],
]


def test_the_graph_finds_what_python_finds():
    vectors = WordVectors(KNOWN, np.zeros((len(KNOWN), 2), np.float32))
    lookup = VectorLookup.of(vectors)
    rows = lookup(tf.constant(ASKED))
    assert rows.numpy().tolist() == [[1 + vectors.find(word)[1]] for word in ASKED]
    again = VectorLookup.from_dict(json.loads(json.dumps(lookup.to_dict())))
    assert again.num_rows == 1 + len(KNOWN)
    np.testing.assert_array_equal(again(tf.constant(ASKED)), rows)


def test_kinds():
    vectors = WordVectors(KNOWN, np.zeros((len(KNOWN), 2), np.float32))
    found = {word: vectors.find(word) for word in ASKED}
    assert found["Paris"] == (EXACT, 1) and found["PARIS"] == (MISSING, -1)
    assert found["The"] == (LOWER, 0) and found["7TH"] == ("digits", 3) and found["42"] == ("digits", 2)
    assert found["123"] == (MISSING, -1) and found["B-7"] == ("digits", 11) and found["b-7"] == ("digits", 12)


def test_an_empty_table_has_nothing():
    lookup = VectorLookup([])
    assert lookup.num_rows == 1
    assert lookup(tf.constant(["", "a"])).numpy().tolist() == [[0], [0]]
