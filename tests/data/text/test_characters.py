from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from seqtag.data.text.characters import (
    DIGIT,
    EXTEND,
    IDEOGRAPH,
    LETTER,
    REGIONAL,
    SPACE,
    SYMBOL,
    class_of,
    class_runs,
)


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("aÆøệЖעش가ก_ªⅣ²", LETTER),
        ("07٣९７", DIGIT),
        ("界語あカｶㄅ々〇", IDEOGRAPH),
        (" \t\n\r\u00a0\u3000\u2028\u0000\u0085\u200b\u200e\ufeff", SPACE),
        ("\u0301\u094d\u0e31\u200c\u200d\u00ad\ufe0f\U0001f3fd\u20e3", EXTEND),
        (".,!?-'’“€+@#😀\ufffd\ue000\u0378", SYMBOL),
        ("🇩🇰", REGIONAL),
    ],
)
def test_class_of_hand_checked_characters(characters: str, expected: int) -> None:
    assert {class_of(character) for character in characters} == {expected}


def test_runs_give_the_class_of_every_code_point() -> None:
    firsts, classes = class_runs()
    assert firsts[0] == 0 and np.all(np.diff(firsts) > 0) and np.all(np.diff(classes) != 0)
    sample = np.concatenate([np.arange(0x3000), np.arange(0x3000, 0x110000, 97)])
    looked_up = classes[np.searchsorted(firsts, sample, side="right") - 1]
    np.testing.assert_array_equal(looked_up, [class_of(chr(code)) for code in sample])


def test_whatever_python_calls_space_is_space() -> None:
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    assert len(spaces) > 20
    assert {class_of(space) for space in spaces} == {SPACE}
    assert all(unicodedata.category(space)[0] in "ZC" for space in spaces)
