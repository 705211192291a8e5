"""Texts from files and from Python, their documents, and how they are split."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from seqtag.errors import ConfigError, DataError
from seqtag.language_model.config import DataConfig
from seqtag.language_model.data.texts import Texts, hold_out, load_splits, load_texts


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("whole", ["one\ntwo\n\n \nthree\n"]),
        ("lines", ["one", "two", "three"]),
        ("paragraphs", ["one\ntwo", "three"]),
    ],
)
def test_documents_of_a_file(tmp_path, documents, expected):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\r\ntwo\n\n \nthree\n".encode())
    texts = load_texts(path, DataConfig(documents=documents))
    assert (texts.documents, texts.ends, texts.path) == (expected, documents != "whole", str(path))


def test_several_files_are_several_documents(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(name * 3)
    assert load_texts((tmp_path / "a", tmp_path / "b")).documents == ["aaa", "bbb"]
    assert load_texts(io.BytesIO(b"xy")).documents == ["xy"]


def test_a_text_is_split_by_position_at_the_character():
    text = "".join(chr(97 + n % 26) for n in range(1000))
    parts = hold_out(Texts([text]), {"dev": 0.05, "test": 0.05})
    assert {name: len(part.documents[0]) for name, part in parts.items()} == {"train": 900, "dev": 50, "test": 50}
    assert "".join(part.documents[0] for part in parts.values()) == text
    two = hold_out(Texts([text[:600], text[600:]]), {"dev": 0.5})
    assert [len(d) for d in two["train"].documents] == [500]
    assert [len(d) for d in two["dev"].documents] == [100, 400]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15, 0.3, 1 / 3, 0.7])
def test_no_character_is_lost_between_parts(share):
    text = "".join(chr(97 + n % 26) for n in range(997))
    parts = hold_out(Texts([text]), {"dev": share, "test": 0.0})
    assert "".join(document for part in parts.values() for document in part.documents) == text
    lines = [c * 3 for c in text]
    parts = hold_out(Texts(lines, ends=True), {"dev": share * 0.5, "test": share * 0.5})
    assert [document for part in parts.values() for document in part.documents] == lines


def test_lines_are_not_cut():
    lines = [chr(97 + n) * 9 for n in range(10)]
    parts = hold_out(Texts(lines, ends=True), {"dev": 0.25})
    assert parts["train"].documents + parts["dev"].documents == lines
    assert len(parts["dev"].documents) == 2
    assert parts["dev"].characters == 20


@pytest.mark.parametrize("content", ["", " \n\n"])
def test_an_empty_text_is_told(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=r"a\.txt: expected a text, found an empty one"):
        load_texts(path)


def test_what_is_no_text_is_told():
    with pytest.raises(DataError, match="text 1: expected a text, found 3"):
        load_texts(["a", 3])
    with pytest.raises(DataError, match="expected a path or texts, found 3"):
        load_texts(3)
    with pytest.raises(DataError, match="expected a text long enough for train to have a part, found 1 characters"):
        hold_out(Texts(["a"]), {"dev": 0.5})


def test_splits_of_a_configuration(tmp_path: Path):
    (tmp_path / "a.txt").write_text("x" * 100)
    (tmp_path / "b.txt").write_text("y" * 10)
    root = {"root": str(tmp_path), "train": "a.txt"}
    sizes = {name: part.characters for name, part in load_splits(DataConfig(**root, test="b.txt")).items()}
    assert sizes == {"train": 95, "dev": 5, "test": 10}
    with pytest.raises(ConfigError, match=r"data\.train: expected a path, found none"):
        load_splits(DataConfig())
