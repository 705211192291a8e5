"""Texts as symbols, in the graph."""

from __future__ import annotations

import sys

import tensorflow as tf

from seqtag.seq2seq.data.symbols import stripped


def test_the_graph_strips_what_python_strips():
    characters = [chr(code) for code in range(1, sys.maxunicode + 1) if chr(code).isspace() or code % 97 == 0]
    texts = [f"{c}a{c}b{c}{c}" for c in characters if not "\ud800" <= c <= "\udfff"]
    assert [text.decode() for text in stripped(tf.constant(texts)).numpy()] == [text.strip() for text in texts]
    assert stripped(tf.constant([b"", b" \t\n", b"\xff a "])).numpy().tolist() == [b"", b"", b"\xff a"]
