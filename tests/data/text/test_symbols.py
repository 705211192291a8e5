"""Texts as symbols and back."""

from __future__ import annotations

import re
import sys

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.text.symbols import (
    JOINER,
    OTHER_SQUARE,
    SymbolCoder,
    join_symbols,
    split_symbols,
    stripped,
    symbols_of,
)

TEXTS = [
    'He said: "No, I can\'t!" (really?)',
    "l'été à 12,5 % – 3.14/2 … e.g. U.S.A.",
    "'tis -- rock 'n' roll",
    "Ærø cafe\u0301s 東京 🙂👍 Москва",
    "https://example.org/a?b=c me@example.org #tag",
    "x",
    "...",
    "( a ) [b] {c}",
    "",
]


def there_and_back(kind: str, texts: list[str]) -> list[str]:
    return [text.decode() for text in join_symbols(kind, symbols_of(kind, texts)).numpy()]


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_texts_are_put_back_exactly(kind):
    assert there_and_back(kind, TEXTS) == TEXTS


def test_symbols_are_put_back_with_one_space_between():
    assert there_and_back("symbols", ["AH B AW T", "  AH   B ", ""]) == ["AH B AW T", "AH B", ""]


@settings(max_examples=25)
@given(st.lists(st.text(alphabet=st.sampled_from("ab1'.,-() éß🙂\u0301東"), max_size=12), min_size=1, max_size=4))
def test_words_are_put_back_but_for_runs_of_spaces(texts):
    wanted = [re.sub(" +", " ", text).strip() for text in texts]
    assert there_and_back("words", texts) == wanted
    assert there_and_back("characters", texts) == texts


def test_the_joiner_in_a_text_is_another_square():
    assert there_and_back("words", [f"a{JOINER}b"]) == [f"a{OTHER_SQUARE}b"]
    assert there_and_back("characters", [f"a{JOINER}b"]) == [f"a{JOINER}b"]


def test_the_first_word_of_a_text_joins_none_before_it():
    found = split_symbols("words", tf.constant(["a.", ".b", ""])).to_list()
    assert found == [[b"a", "￭.".encode()], [b".", "￭b".encode()], []]


def test_rows_and_back():
    coder = SymbolCoder.count("characters", symbols_of("characters", ["aab", "ac"]), min_count=2)
    assert coder.vocabulary.symbols == ["a"]
    rows = coder.rows(symbols_of("characters", ["acb", "", "aa"]))
    assert rows.to_list() == [[2, 1, 1], [], [2, 2]]
    assert coder.symbols(tf.constant([[2, 1, 0]])).numpy().tolist() == [[b"a", b"", b""]]
    again = SymbolCoder.from_dict(coder.to_dict())
    assert (again.kind, again.vocabulary.symbols) == ("characters", ["a"])


def test_no_texts_and_many():
    assert symbols_of("words", []).to_list() == []
    many = symbols_of("symbols", ["a b"] * 20_001)
    assert many.nrows() == 20_001 and many.row_lengths().numpy().min() == 2


def test_the_graph_strips_what_python_strips():
    characters = [chr(code) for code in range(1, sys.maxunicode + 1) if chr(code).isspace() or code % 97 == 0]
    texts = [f"{c}a{c}b{c}{c}" for c in characters if not "\ud800" <= c <= "\udfff"]
    assert [text.decode() for text in stripped(tf.constant(texts)).numpy()] == [text.strip() for text in texts]
    assert stripped(tf.constant([b"", b" \t\n", b"\xff a "])).numpy().tolist() == [b"", b"", b"\xff a"]
