from __future__ import annotations

import json

from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.dictionary import Dictionary

PAIRS = Pairs(
    ["saw", "saw", "saw", "mice", "mice", "saw"],
    ["see", "saw", "saw", "mouse", "mouse", "see"],
    [("V",), ("N",), ("N",), ("N",), ("N",), ("N",)],
)


def test_it_is_sure_of_sources_with_one_target_in_most_pairs():
    dictionary = Dictionary.fit(PAIRS)
    found = [dictionary.target(*key) for key in (("saw", ("V",)), ("saw", ("N",)), ("mice", ("N",)))]
    assert found == ["see", "saw", "mouse"]
    assert dictionary.target("mice", ("V",)) is None
    assert dictionary.target("Saw", ("V",)) is None


def test_it_is_not_sure_of_others():
    half = Pairs(["saw", "saw", "a", "b", "b", "b", "b"], ["see", "saw", "a", "x", "y", "x", "z"])
    assert Dictionary.fit(half).targets == {("a",): "a"}


def test_it_is_stored():
    dictionary = Dictionary.fit(PAIRS)
    again = Dictionary.from_dict(json.loads(json.dumps(dictionary.to_dict())))
    assert again.targets == dictionary.targets
