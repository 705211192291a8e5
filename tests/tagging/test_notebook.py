"""Tagged sentences in a notebook: all words are there, once and in their order, and nothing of them is markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from seqtag.tagging.tagged_sentence import Entity, TaggedSentence

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;", "\u202eab", "\ud800", "Ærø"]
SPANS = TaggedSentence(
    HOSTILE, ["O", *["B-<b>X"] * 5], [0.5] * 6, [Entity("<b>X", 1, 3, 0.876), Entity("Y", 3, 6, 0.5)]
)
LABELS = TaggedSentence(HOSTILE, ["</span><b>"] * 6, [0.25] * 6, [])


class Parsed(HTMLParser):
    """The elements, the attributes and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("tagged", [SPANS, LABELS], ids=["spans", "labels"])
def test_words_stay_words(tagged):
    html = tagged._repr_html_()
    html.encode("utf-8")
    found = Parsed(html)
    assert found.elements <= {"div", "span", "br"}
    assert {name for name, _ in found.attributes} == {"style", "title", "dir"}
    shown = [HOSTILE[0], HOSTILE[1], "&lt;", "\\u202eab", "\\ud800", "Ærø"]
    places = [found.text.index(word) for word in shown]
    assert places == sorted(places) and all(found.text.count(word) == 1 for word in shown)


def test_entities_have_their_type_and_their_probability():
    found = Parsed(SPANS._repr_html_())
    assert "<b>X" in found.text and ("title", "87.6%") in found.attributes
    plain = TaggedSentence(["a", "b"], ["O", "O"], [1.0, 1.0], [])
    assert Parsed(plain._repr_html_()).text == "a b"


def test_a_type_has_one_colour_and_others_have_others():
    def styles(*names):
        entities = [Entity(name, n, n + 1, 0.5) for n, name in enumerate(names)]
        found = Parsed(
            TaggedSentence(["w"] * len(names), ["B-X"] * len(names), [1.0] * len(names), entities)._repr_html_()
        )
        return [value for name, value in found.attributes if name == "style" and "background" in value]

    assert styles("PER", "PER")[0] == styles("LOC", "PER")[1]
    assert len(set(styles("PER", "LOC", "ORG", "MISC"))) == 4


def test_further_columns_stand_below():
    both = TaggedSentence(["Ann"], ["B-PER"], [0.5], [Entity("PER", 0, 1, 0.5)], further={"<i>": LABELS})
    assert Parsed(both._repr_html_()).text.startswith("AnnPER<i>")
