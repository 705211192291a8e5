"""Texts as symbols and back: the graph's splitting, Python's, and that nothing is lost."""

from __future__ import annotations

import pytest
import tensorflow as tf

from seqtag.language_model.data.coder import TextCoder, parts_of_texts
from seqtag.language_model.data.text_symbols import join_text, split_text

TEXTS = ["", "a", "Go on.\nNow", "\n\n", "no end\n", "Ann's  here,\tnow", "e\u0301 界 ￭ 🙂\r", " lead", "a\n\nb "]


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_the_graph_splits_as_python_does(kind, monkeypatch):
    rows = [[symbol.decode() for symbol in row] for row in split_text(kind, tf.constant(TEXTS)).to_list()]
    coder = TextCoder.count(kind, TEXTS)
    assert coder.symbols_of_texts(TEXTS) == rows == [coder.symbols(text) for text in TEXTS]
    expected = [coder.rows_of(row).tolist() for row in rows]
    # Parts of two lines hold the end of one text and the start of another.
    monkeypatch.setattr("seqtag.language_model.data.coder.CHUNK_LINES", 2)
    assert [row.tolist() for row in coder.rows_of_texts(TEXTS)] == expected


def test_characters_are_joined_to_the_same_text():
    assert [t.decode() for t in join_text("characters", split_text("characters", tf.constant(TEXTS))).numpy()] == TEXTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Go on.\nNow", "Go on.\nNow"),
        ("\n\n", "\n\n"),
        ("no end\n", "no end\n"),
        ("Ann's  here,\tnow", "Ann's here, now"),
        ("a \n b", "a\nb"),
        ("", ""),
    ],
)
def test_words_are_joined_but_for_runs_of_spaces(text, expected):
    assert join_text("words", split_text("words", tf.constant([text]))).numpy()[0].decode() == expected


def test_many_lines_are_split_in_parts_as_at_once(monkeypatch):
    text = "one two.\n\nthree\n" * 5
    whole = [symbol for _, part in parts_of_texts("words", [text]) for symbol in part]
    monkeypatch.setattr("seqtag.language_model.data.coder.CHUNK_LINES", 2)
    assert [symbol for _, part in parts_of_texts("words", [text]) for symbol in part] == whole
    assert whole.count("\n") == 15


def test_a_coder_goes_through_json_and_names_what_it_does_not_know():
    coder = TextCoder.from_dict(TextCoder.count("words", ["a b b c", "b a"], min_count=2).to_dict())
    assert coder.rows("b a c").tolist() == [2, 3, 1]
    assert coder.unknown("c b d c") == ["c", "d"]
    assert coder.names([3, 2]) == ["a", "b"]
    symbols, rows = coder.split(tf.constant(["a zz", ""]))
    assert rows.to_list() == [[3, 1], []]
    assert symbols.to_list() == [[b"a", b"zz"], []]


@pytest.mark.parametrize(
    ("prompt", "rows", "expected"),
    [
        ("Go", [[2, 3]], "Go on."),
        ("Go ", [[2, 3]], "Go on."),
        ("Go", [[3, 2]], "Go. on"),
        ("", [[2, 3]], "on."),
        ("a\n", [[2]], "a\non"),
        ("Go", [[4, 2]], "Go\non"),
    ],
)
def test_words_go_on_after_a_prompt_with_one_space(prompt, rows, expected):
    coder = TextCoder.count("words", ["on. on.\non on. on on\non on."])
    assert coder.vocabulary.symbols == ["on", "￭.", "\n"]
    found = coder.join_after(tf.constant([prompt]), tf.constant(rows), tf.constant([len(rows[0])]))
    assert found.numpy()[0].decode() == expected
