"""How a scored text draws itself in a notebook: the less likely a symbol, the stronger its ground."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

from seqtag.data.text.symbols import JOINER
from seqtag.language_model.data.text_symbols import LINE_END

# So many bits, and more, have the strongest ground, on light and on dark pages.
MOST_BITS, STRONGEST = 14.0, 0.75
BLOCK = "white-space:pre-wrap;font-family:monospace;line-height:1.7"


def to_html(symbols: Iterable[str], log_probabilities: Iterable[float]) -> str:
    """The symbols one after the other, each with its information in bits where one points.

    >>> to_html(["a"], [0.0]).partition("<span")[2]
    ' style="background:hsla(8,85%,50%,0.00)" title="0.0 bits">a</span></div>'
    """
    pairs = zip(symbols, log_probabilities, strict=True)
    return f'<div style="{BLOCK}">{"".join(_span(s, -v / math.log(2), n == 0) for n, (s, v) in enumerate(pairs))}</div>'


def _span(symbol: str, bits: float, is_first: bool) -> str:
    bits = max(0.0, bits)
    ground = f"hsla(8,85%,50%,{STRONGEST * min(bits / MOST_BITS, 1.0):.2f})"
    is_word = len(symbol) > 1
    space = " " if is_word and not is_first and not symbol.startswith(JOINER) else ""
    # What cannot be seen has a sign before it.
    shown = "¶" + symbol if symbol in ("", LINE_END) else symbol.removeprefix(JOINER) if is_word else symbol
    return f'{space}<span style="background:{ground}" title="{bits:.1f} bits">{html.escape(shown)}</span>'
