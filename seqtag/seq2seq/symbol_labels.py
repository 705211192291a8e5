r"""Symbols as tables and pictures show them.

>>> print(*map(symbol_label, ["AH", "a b", "\t", "\u0301", ""]))
AH a␣b \t \u0301 ''
"""

from __future__ import annotations

import unicodedata

from seqtag.errors import escaped

SPACE = "␣"
EMPTY = "''"
MAX_CHARACTERS = 24


def symbol_label(symbol: str, limit: int = MAX_CHARACTERS) -> str:
    """A symbol that can be read wherever it stands: on one line, and shortened where it is longer than `limit`.

    Spaces are visible. What is no printable character is escaped, and so is a combining mark at the beginning, which
    would be drawn upon what stands before it.
    """
    short = symbol if len(symbol) <= limit else f"{symbol[: limit - 1]}…"
    label = escaped(short).replace(" ", SPACE)
    if label and unicodedata.category(label[0]).startswith("M"):
        label = label[0].encode("unicode_escape").decode("ascii") + label[1:]
    return label or EMPTY
