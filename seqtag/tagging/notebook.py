"""How a tagged sentence draws itself in a notebook: HTML whose colours are read on light and on dark ground."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from seqtag.tagging.report.markup import Markup, element, joined

if TYPE_CHECKING:
    from seqtag.tagging.tagged_sentence import TaggedSentence

# Half transparent colours and the letters of the notebook itself: styles that notebooks keep, without a style sheet.
LINE = "2px solid hsla({hue},80%,45%,.9)"
SPAN = f"background:hsla({{hue}},80%,50%,.22);border-bottom:{LINE};border-radius:4px;padding:.1em .3em"
LABEL = "font-size:.72em;font-weight:600;opacity:.8;margin-left:.35em"
TOKEN = "display:inline-block;text-align:center;line-height:1.25;margin:.15em .35em .15em 0;vertical-align:top"
UNDER = f"border-top:{LINE};font-size:.72em;font-weight:600"
BREAK = Markup("<br>")
# Spreads the names that are met most (PER, LOC, ORG, MISC, DATE) over the circle of colours.
SPREAD = 59


def to_html(tagged: TaggedSentence) -> str:
    """Entities on coloured ground with their types, or each token above its label; probabilities where one points.

    A type has the same colour in every sentence. Further columns of tags stand below, each after its name.
    """
    if tagged.entities or set(tagged.tags) <= {"O", "o"}:
        parts = _spans(tagged)
    else:
        labels = [element("span", tag, style=UNDER.format(hue=_hue(tag))) for tag in tagged.tags]
        parts = [
            _marked(TOKEN, score, token, BREAK, label)
            for token, label, score in zip(tagged.tokens, labels, tagged.scores, strict=True)
        ]
    own = element("div", *_apart(parts), dir="auto", style="line-height:2")
    further = [joined(element("div", name, style=LABEL), Markup(to_html(one))) for name, one in tagged.further.items()]
    return joined(own, *further)


def _spans(tagged: TaggedSentence) -> list[str]:
    parts: list[str] = []
    position = 0
    for entity in tagged.entities:
        parts += tagged.tokens[position : entity.start]
        words = " ".join(tagged.tokens[entity.start : entity.end])
        label = element("span", entity.type, style=LABEL)
        parts.append(_marked(SPAN.format(hue=_hue(entity.type)), entity.score, words, label))
        position = entity.end
    return [*parts, *tagged.tokens[position:]]


def _marked(style: str, score: float, *parts: str) -> Markup:
    return element("span", *parts, style=style, title=f"{score:.1%}")


def _apart(parts: list[str]) -> list[str]:
    """Parts with a space between."""
    return [piece for part in parts for piece in (" ", part)][1:]


def _hue(name: str) -> int:
    """The colour of a type, in degrees."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) * SPREAD % 360
