"""The forms under which a word is looked up, one after the other, until one has a vector."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

EXACT, LOWER, DIGITS, SUBWORDS, MISSING = KINDS = ("exact", "lower", "digits", "subwords", "missing")
# What vectors were trained with in place of digits: zeros, or the number signs of word2vec's own.
DIGIT_SIGNS = ("0", "#")
_ASCII_DIGIT = re.compile("[0-9]")


def forms_of(word: str) -> Iterator[tuple[str, str]]:
    """Each form of a word with its kind.

    >>> list(forms_of("Ab1"))  # doctest: +NORMALIZE_WHITESPACE
    [('exact', 'Ab1'), ('lower', 'ab1'), ('digits', 'Ab0'), ('digits', 'ab0'), ('digits', 'Ab#'), ('digits', 'ab#')]
    """
    yield EXACT, word
    yield LOWER, word.lower()
    for sign in DIGIT_SIGNS:
        normal = _without_digits(word, sign)
        yield DIGITS, normal
        yield DIGITS, normal.lower()


def _without_digits(word: str, sign: str) -> str:
    if word.isascii():
        return _ASCII_DIGIT.sub(sign, word)
    return "".join(sign if unicodedata.category(c)[0] == "N" else c for c in word)
