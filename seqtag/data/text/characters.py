"""Classes of Unicode characters, as the tokeniser reads them.

The classes come from Python's `unicodedata` and are kept as runs: the first code point of each run, in order,
and the run's class. A lookup is then one binary search over a constant table of some 1,900 entries.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np

__all__ = ["DIGIT", "EXTEND", "IDEOGRAPH", "LETTER", "REGIONAL", "SPACE", "SYMBOL", "ZWJ", "class_runs"]

SPACE, LETTER, DIGIT, IDEOGRAPH, SYMBOL, EXTEND, REGIONAL = range(7)
"""White space and controls; letters; decimal digits; ideographs and kana; the rest; what extends the character
before it; the letters of flags."""

ZWJ = 0x200D
_BIDI_AND_ZERO_WIDTH_SPACES = frozenset(
    [0x061C, 0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_PREPENDED = frozenset([*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x08E2, 0x110BD, 0x110CD])
_EMOJI_MODIFIERS = range(0x1F3FB, 0x1F400)
_REGIONAL_INDICATORS = range(0x1F1E6, 0x1F200)
_ONE_BY_ONE = ("CJK ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "BOPOMOFO ", "IDEOGRAPHIC ")
_BY_CATEGORY = {"L": LETTER, "N": LETTER, "M": EXTEND, "Z": SPACE}


def class_of(character: str) -> int:
    """Class of one character.

    >>> [class_of(c) for c in "a7 \u0301界-"] == [LETTER, DIGIT, SPACE, EXTEND, IDEOGRAPH, SYMBOL]
    True
    """
    category, code = unicodedata.category(character), ord(character)
    if category == "Cc" or code in _BIDI_AND_ZERO_WIDTH_SPACES:
        return SPACE
    if (category == "Cf" and code not in _PREPENDED) or code in _EMOJI_MODIFIERS:
        return EXTEND
    if category == "Nd":
        return DIGIT
    if category in ("Lo", "Lm", "Nl") and unicodedata.name(character, "").startswith(_ONE_BY_ONE):
        return IDEOGRAPH
    if category == "Pc":
        return LETTER
    if code in _REGIONAL_INDICATORS:
        return REGIONAL
    return _BY_CATEGORY.get(category[0], SYMBOL)


@lru_cache(maxsize=1)
def class_runs() -> tuple[np.ndarray, np.ndarray]:
    """The first code point of each run of equal class, int32 `(runs,)` in rising order, and their classes.

    >>> firsts, classes = class_runs()
    >>> classes[np.searchsorted(firsts, [ord("a"), ord("!")], side="right") - 1] == [LETTER, SYMBOL]
    array([ True,  True])
    """
    classes = np.fromiter((class_of(chr(code)) for code in range(0x110000)), np.int32, 0x110000)
    firsts = np.flatnonzero(np.diff(classes, prepend=-1)).astype(np.int32)
    return firsts, classes[firsts]
