"""Formats of tagged sentences: nothing of a token is dropped, and a terminal obeys none of it."""

from __future__ import annotations

import json

import pytest

from seqtag.tagging.formats import to_columns, to_json, to_rich, to_text
from seqtag.tagging.tagged_sentence import Entity, TaggedSentence

ODD = ["\x08", "\x0c", "a\rb", "\x1b[31mred", "\x07\x0b", "\x85", "\u2028", "\u202eab", "\x9b2J", "[bold]", ":smile:"]
LABELLED = TaggedSentence(ODD, ["X\x1b"] * len(ODD), [0.5] * len(ODD), [])
SPANS = TaggedSentence(["in", *ODD], ["O", *["B-LOC"] * len(ODD)], [0.5] * 12, [Entity("LOC", 1, 12, 0.5)])


def test_text_keeps_every_character():
    assert to_text(LABELLED) == " ".join(f"{token}/X\x1b" for token in ODD) + "\n"
    assert to_text(SPANS) == f"in [{' '.join(ODD)} LOC]\n"


def test_columns_and_json_keep_every_character():
    assert to_columns(LABELLED) == "".join(f"{token}\tX\x1b\n" for token in ODD) + "\n"
    assert json.loads(to_json(SPANS))["tokens"] == SPANS.tokens


@pytest.mark.parametrize("tagged", [LABELLED, SPANS], ids=["labels", "spans"])
def test_colours_show_the_same_escaped(tagged):
    shown = to_rich(tagged, ["LOC"]).plain
    assert shown.isprintable() and "[bold]" in shown and ":smile:" in shown
    for token in ("\\x08", "\\x0c", "a\\rb", "\\x1b[31mred", "\\u202eab", "\\x9b2J"):
        assert token in shown
