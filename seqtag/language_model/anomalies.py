"""Unlikely symbols in texts: what they are, where they stand, and how to show them."""

from __future__ import annotations

import math
from typing import NamedTuple

from seqtag.data.text.symbols import JOINER
from seqtag.errors import escaped
from seqtag.language_model.data.text_symbols import LINE_END
from seqtag.language_model.model import ScoredText

# A symbol is unlikely where its probability is below this.
UNLIKELY = 1e-3
# How a terminal shows them, on a red ground; and what stands around them in a file.
COLOURS, BRACKETS = ("\x1b[41m", "\x1b[0m"), ("⟦", "⟧")


class Anomaly(NamedTuple):
    """A symbol that was unlikely after all before it.

    Attributes:
        text: the number of the text.
        start, end: where it stands in the text, in characters: `text[start:end]`.
        symbol: what stands there; "" for the end of a text.
        probability: of this symbol here.
    """

    text: int
    start: int
    end: int
    symbol: str
    probability: float


def anomalies_of(number: int, text: str, scored: ScoredText, below: float = UNLIKELY) -> list[Anomaly]:
    """The symbols of a text whose probability is below a threshold, in their order.

    >>> import numpy as np
    >>> anomalies_of(0, "aq", ScoredText(["a", "q"], np.log([0.5, 0.0001])))
    [Anomaly(text=0, start=1, end=2, symbol='q', probability=0.0001)]
    """
    found, at = [], 0
    for symbol, value in zip(scored.symbols, scored.log_probabilities.tolist(), strict=True):
        shown = symbol.removeprefix(JOINER) if len(symbol) > 1 else symbol
        start = text.find(shown, at) if shown else len(text)
        start = at if start < 0 else start
        at = start + len(shown)
        probability = float(f"{math.exp(value):.6g}")
        if probability < below:
            found.append(Anomaly(number, start, at, shown, probability))
    return found


def marked_text(text: str, anomalies: list[Anomaly], around: tuple[str, str] = BRACKETS) -> str:
    r"""A text with marks around its anomalies; `¶` stands for an unlikely end of a line.

    What a terminal would obey is escaped.

    >>> marked_text("aq", [Anomaly(0, 1, 2, "q", 0.0001)])
    'a⟦q⟧'
    """
    mark, unmark = around
    parts, at = [], 0
    for one in anomalies:
        inside = text[one.start : one.end]
        # What cannot be seen has a sign before it.
        body = f"{mark}¶{unmark}{inside}" if inside in ("", LINE_END) else f"{mark}{_shown(inside)}{unmark}"
        parts += [_shown(text[at : one.start]), body]
        at = one.end
    return "".join([*parts, _shown(text[at:])])


def _shown(text: str) -> str:
    return escaped(text, keep="\n\t")
