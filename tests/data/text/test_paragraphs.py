"""Lines of raw text of any length."""

from __future__ import annotations

import io
import random

import pytest

from seqtag.data.text import paragraphs
from seqtag.data.text.paragraphs import read_text, tokenize_lines

# Words on which a rule of the tokeniser looks to its neighbours, and plain ones.
WORDS = [
    "J.",
    "Smith",
    "U.S.",
    "Army",
    "don't",
    "well-known",
    "@ab",
    "#cd",
    "e.g.",
    "...",
    "etc.",
    "A/S",
    "3:30",
    "1",
    "000",
    ".",
    "!",
    "?!",
    "naïve",
    "x",
    "y",
    "Mr.",
    "X",
]
WORDS += ["\U0001f1e9\U0001f1f0\U0001f1e9\U0001f1f0", ":-)", "www.a.com/b", "e\u0301"]
PLAIN = ["street", "house", "Ærø", "the"]


@pytest.mark.parametrize("seed", range(3))
def test_a_line_in_pieces_has_the_tokens_of_the_whole_line(monkeypatch, seed):
    source = random.Random(seed)
    words = [source.choice(WORDS if source.random() < 0.6 else PLAIN) for _ in range(3000)]
    line = "".join(word + source.choice([" ", " ", "  ", "\t"]) for word in words)
    lines = [line, "a short one", line[:500], "", "the last"]
    expected = tokenize_lines(lines)
    monkeypatch.setattr(paragraphs, "CHUNK_CHARACTERS", 300)
    pieces = [piece for _, piece in paragraphs._pieces(line)]
    assert "".join(pieces) == line and len(pieces) > 20
    assert list(read_text(io.StringIO("\n".join(lines)))) == expected


def test_text_without_spaces_is_cut_between_ideographs(monkeypatch):
    line = "東京は日本の首都です。ラーメンがおいしい。" * 50
    [expected] = tokenize_lines([line])
    monkeypatch.setattr(paragraphs, "CHUNK_CHARACTERS", 40)
    assert len(list(paragraphs._pieces(line))) > 5
    assert list(read_text(io.StringIO(line))) == [expected]


def test_what_cannot_be_cut_stays_whole(monkeypatch):
    monkeypatch.setattr(paragraphs, "CHUNK_CHARACTERS", 10)
    line = "x" * 1000
    assert list(read_text(io.StringIO(line))) == tokenize_lines([line])
