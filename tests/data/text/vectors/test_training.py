from __future__ import annotations

import importlib.util
import sys

import pytest

from seqtag.cli import run
from seqtag.data.text.vectors.reading import read_vectors

TEXT = "Ann's cat met Bo in Paris.\nBo saw Ann, in Paris!\n\nÆrø and Paris: rare\n" * 3


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_vectors_of_a_text(text, tmp_path, capsys):
    pytest.importorskip("gensim", reason="gensim is not installed")
    text.write_text(TEXT + "once\n" + "Paris " * 10_001, encoding="utf-8")
    for name, seed in (("a.txt", 1), ("b.txt", 1), ("c.txt", 2)):
        options = ["--width", "4", "--epochs", "2", "--seed", str(seed), "-o", str(tmp_path / name)]
        assert run(["vectors", str(text), *options]) == 0
    assert capsys.readouterr().out == ""
    made = read_vectors(tmp_path / "a.txt", verbose=False)
    assert made.width == 4
    assert made.words[0] == "Paris" and {"Ann", "'s", "Ærø", "!"} <= set(made.words) and "once" not in made.words
    contents = [(tmp_path / name).read_bytes() for name in ("a.txt", "b.txt", "c.txt")]
    assert contents[0] == contents[1] != contents[2]


def test_what_is_wrong_is_a_line_and_no_file(text, tmp_path, capsys, monkeypatch):
    output = tmp_path / "vectors.txt"

    def told(code, *arguments):
        assert run(["vectors", *map(str, arguments), "-o", str(output)]) == code
        return capsys.readouterr().err.splitlines()[-1]

    if importlib.util.find_spec("gensim"):
        expected = f"error: {text}: expected words that occur at least 99 times, found none"
        assert told(1, text, "--min-count", 99) == expected
        text.write_bytes(b"\xff")
        assert told(1, text).startswith(f"error: {text}:1: expected utf-8, found byte 0xff")
    assert told(1, "-") == "error: -: expected a file, which is read several times, found none"
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    missing = "error: expected gensim for making word vectors, found none; install seqtag[vectors]"
    assert told(2, text) == missing
    assert not output.exists()
