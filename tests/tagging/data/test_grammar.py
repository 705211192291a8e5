"""The grammar's notation, on grammars small enough to know every sentence."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from seqtag.tagging.data.grammar import Generator, Grammar


def sentences(text: str, count: int = 200, **names) -> Counter:
    generator = Generator(Grammar(text), random.Random(5), names or None)
    return Counter(" ".join(map("/".join, generator.sentence("s"))) for _ in range(count))


def test_entities_are_tagged_from_begin_to_end():
    assert sentences("<s>\n[PER {a} {b}] saw [LOC {b}] .\n<a>\nAnn\n<b>\nLee") == {
        "Ann/B-PER Lee/I-PER saw/O Lee/B-LOC ./O": 200
    }


def test_parts_of_words_are_filled_in():
    assert set(sentences("<s>\n{a}-{a}s [LOC {a}ton]\n<a>\nx")) == {"x-xs/O xton/B-LOC"}


def test_alternatives_options_and_capitals():
    found = sentences("<s>\n^{a} {?b}\n<a>\nno | yes\n<b>\n{a}")
    assert set(found) == {f"{a}/O{b}" for a in ("No", "Yes") for b in ("", " no/O", " yes/O")}
    assert set(sentences('<s>\n^{a}\n<a>\n" no "')) == {'"/O No/O "/O'}


def test_weights_make_alternatives_likelier():
    found = sentences("<s>\n3* a\nb", 2000)
    assert 2.5 < found["a/O"] / found["b/O"] < 3.5


def test_an_before_a_vowel():
    text = "<s>\na {w} | ^{a} {w}\n<a>\na\n<w>\napple | pear | unit"
    assert set(sentences(text)) == {
        f"{article}/O {word}/O"
        for article, word in [
            ("an", "apple"),
            ("a", "pear"),
            ("a", "unit"),
            ("An", "apple"),
            ("A", "pear"),
            ("A", "unit"),
        ]
    }


def test_language_and_restricted_names():
    text = "<s>\n[LOC {town}]\n<town open>\n{stem}{end} | Rome\n<stem>\nA | O\n<end>\nx | y"
    grammar = Grammar(text)
    assert grammar.open == ["town"]
    assert grammar.language("town") == ["Ax", "Ay", "Ox", "Oy", "Rome"]
    found = sentences(text, town=[["Ax"], ["Oy", "Rome"]])
    assert set(found) == {"Ax/B-LOC", "Oy/B-LOC", "Rome/B-LOC"}
    assert 70 < found["Ax/B-LOC"] < 130  # either pool is as likely, whatever its size


def test_comments_and_blank_lines_say_nothing():
    assert set(sentences("# a comment\n\n<s>\n#tag\n\n# another\n")) == {"#tag/O"}


def test_faults():
    with pytest.raises(ValueError, match="expected a section <b>, found only a reference to it in <s>"):
        Grammar("<s>\nx{b}")
    with pytest.raises(ValueError, match="expected a section such as <sentence>, found 'x'"):
        Grammar("x\n<s>\ny")
