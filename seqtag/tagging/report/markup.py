"""HTML and SVG in which all text is escaped, unless it is markup that was made here.

>>> element("td", "<b>", element("i", "&"), class_="name")
'<td class="name">&lt;b&gt;<i>&amp;</i></td>'
"""

from __future__ import annotations

import html
import json
from typing import Any

from seqtag.errors import escaped

MOST_CHARACTERS = 60
# Marks of text direction, which would also hold for what stands after their token.
TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")


class Markup(str):
    """Text that is HTML already, which `element` takes as it is."""


def element(name: str, *parts: str, **attributes: object) -> Markup:
    """An element with its content.

    Args:
        name: of the element.
        parts: its content: texts, which are escaped, and `Markup`.
        attributes: their values; `data_kind` is written as `data-kind`, `class_` as `class`, and None leaves one out.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_safe(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{told}>{joined(*parts)}</{name}>")


def joined(*parts: str) -> Markup:
    """Parts one after the other, as the content of an element."""
    return Markup("".join(part if isinstance(part, Markup) else _safe(part) for part in parts))


def _safe(text: str) -> str:
    return html.escape(escaped(text))


def shortened(text: str, limit: int = MOST_CHARACTERS) -> str:
    """A text of data, cut where it is very long, without the marks that would turn the words after it around.

    >>> shortened("abcdef", limit=3)
    'abc…'
    """
    return (text if len(text) <= limit else f"{text[:limit]}…").translate(TURNS)


def script_data(data: Any) -> Markup:
    r"""Data as JSON that can stand in a `script` element: nothing in it can end the element or begin another.

    >>> script_data(["</script>", "\ud800"])
    '["\\u003c/script\\u003e","\\ud800"]'
    """
    text = json.dumps(data, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
