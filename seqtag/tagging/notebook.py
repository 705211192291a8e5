"""How a tagged sentence draws itself in a notebook: HTML whose colours are read on light and on dark ground."""

from __future__ import annotations

import html
import zlib
from typing import TYPE_CHECKING

from seqtag.errors import escaped

if TYPE_CHECKING:
    from seqtag.tagging.tagged_sentence import TaggedSentence

# Half transparent colours and the letters of the notebook itself: styles that notebooks keep, without a style sheet.
LINE = "2px solid hsla({hue},80%,45%,.9)"
SPAN = f"background:hsla({{hue}},80%,50%,.22);border-bottom:{LINE};border-radius:4px;padding:.1em .3em"
LABEL = "font-size:.72em;font-weight:600;opacity:.8;margin-left:.35em"
TOKEN = "display:inline-block;text-align:center;line-height:1.25;margin:.15em .35em .15em 0;vertical-align:top"
UNDER = f"border-top:{LINE};font-size:.72em;font-weight:600"
# Spreads the names that are met most (PER, LOC, ORG, MISC, DATE) over the circle of colours.
SPREAD = 59


def to_html(tagged: TaggedSentence) -> str:
    """Entities on coloured ground with their types, or each token above its label; probabilities where one points.

    A type has the same colour in every sentence. Further columns of tags stand below, each after its name.
    """
    if tagged.entities or set(tagged.tags) <= {"O", "o"}:
        parts = _spans(tagged)
    else:
        parts = [
            _element(f'{_text(token)}<br><span style="{UNDER.format(hue=_hue(tag))}">{_text(tag)}</span>', TOKEN, score)
            for token, tag, score in zip(tagged.tokens, tagged.tags, tagged.scores, strict=True)
        ]
    own = f'<div dir="auto" style="line-height:2">{" ".join(parts)}</div>'
    further = [f'<div style="{LABEL}">{_text(name)}</div>{to_html(one)}' for name, one in tagged.further.items()]
    return "".join([own, *further])


def _spans(tagged: TaggedSentence) -> list[str]:
    parts: list[str] = []
    position = 0
    for entity in tagged.entities:
        parts += map(_text, tagged.tokens[position : entity.start])
        words = _text(" ".join(tagged.tokens[entity.start : entity.end]))
        label = f'<span style="{LABEL}">{_text(entity.type)}</span>'
        parts.append(_element(words + label, SPAN.format(hue=_hue(entity.type)), entity.score))
        position = entity.end
    return [*parts, *map(_text, tagged.tokens[position:])]


def _element(content: str, style: str, score: float) -> str:
    return f'<span style="{style}" title="{score:.1%}">{content}</span>'


def _text(text: str) -> str:
    return html.escape(escaped(text))


def _hue(name: str) -> int:
    """The colour of a type, in degrees."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) * SPREAD % 360
