from __future__ import annotations

import json

import pytest

from seqtag.data.text.vocabulary import UNKNOWN, Vocabulary


def test_order_is_by_frequency_then_symbol_and_singletons_come_last():
    vocabulary = Vocabulary.count(["b", "a", "a", "c", "b", "d"])
    assert vocabulary.symbols == ["a", "b", "c", "d"]
    assert [vocabulary.index(s) for s in "abcd?"] == [2, 3, 4, 5, UNKNOWN]
    assert vocabulary.singletons_from == 4
    assert vocabulary.indices("d?a") == [5, UNKNOWN, 2]


def test_order_does_not_depend_on_the_order_of_occurrences():
    assert Vocabulary.count(["x", "y", "z", "z"]).symbols == Vocabulary.count(["z", "y", "z", "x"]).symbols


def test_rare_symbols_stay_unknown():
    vocabulary = Vocabulary.count(["a", "a", "b"], min_count=2)
    assert vocabulary.symbols == ["a"]
    assert vocabulary.singletons_from == len(vocabulary) == 3


def test_round_trip_through_json():
    vocabulary = Vocabulary.count(["é", "日", "é"])
    again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert (again.symbols, again.singletons_from) == (vocabulary.symbols, vocabulary.singletons_from)


def test_duplicates_are_refused():
    with pytest.raises(ValueError, match="expected distinct symbols"):
        Vocabulary(["a", "a"])
