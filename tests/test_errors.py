"""What messages show of the files: escaped, on one line, and no more of it than a line can take."""

from __future__ import annotations

import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.errors import ConfigError, DataError, RunError, escaped, one_line, shown

# Control characters, marks of text direction, separators of lines and halves of pairs: what a terminal may obey.
OBEYED = [*map(chr, range(32)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u202e", "\u2066", "\u2028", "\u2029", "\ud800"]


@pytest.mark.parametrize("character", OBEYED, ids=lambda character: f"{ord(character):04x}")
def test_what_a_terminal_would_obey_is_escaped(character):
    text = f"a{character}b"
    assert escaped(text) == f"a{ascii(character)[1:-1]}b"
    assert shown(text) == ascii(text)
    assert one_line(text).isprintable() and str(DataError(text, text)).isprintable()


@given(st.text())
def test_letters_of_any_script_stay(text):
    kept = "".join(c for c in text if unicodedata.category(c)[0] in "LMNPS")
    assert kept == escaped(kept) and escaped(text).isprintable() and escaped(escaped(text)) == escaped(text)


def test_kept_characters():
    assert escaped("a\tb\nc\r\x1b", keep="\t\n") == "a\tb\nc\\r\\x1b"


def nested(depth: int) -> list:
    """A list that is written in a few words and printed in 2 to the power of `depth`."""
    value: list = ["x"]
    for _ in range(depth):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "value",
    ["a" * 10**6, "\x1b" * 10**6, 10**5000, -(10**5000), nested(60), {"k" * 10**6: {"v": "w" * 10**6}}, range(10**9)],
    ids=["text", "controls", "number", "negative", "nested", "mapping", "range"],
)
def test_long_values_are_shortened(value):
    assert len(shown(value)) < 120 and shown(value).isprintable()


@pytest.mark.parametrize("value", ["B-LOC", "", 3, 1.5, None, True, float("nan"), ["a", 1]])
def test_short_values_are_shown_as_they_are(value):
    assert shown(value) == repr(value)


@pytest.mark.parametrize("kind", [DataError, RunError, ConfigError])
def test_messages_are_bounded_and_keep_both_ends(kind):
    message = str(kind("expected " + "a, " * 10_000 + "found b"))
    assert len(message) <= 300 and message.startswith("expected a, ") and message.endswith("a, found b")


def test_a_path_stays_whole():
    path = "folder/" * 60 + "x.conll"
    error = DataError("m" * 1000, path, 7)
    assert str(error).startswith(f"{path}:7: mmm") and (error.path, error.line) == (path, 7)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.line) == (str(error), path, 7)
