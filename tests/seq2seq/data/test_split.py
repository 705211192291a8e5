"""The fixed rule that holds pairs out."""

from __future__ import annotations

import hashlib
import random

import pytest

from seqtag.data.held_out import position_of
from seqtag.errors import DataError
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.split import hold_out


@pytest.fixture
def pairs():
    return Pairs([f"source {n % 400}" for n in range(1000)], [f"target {n}" for n in range(1000)])


def test_no_source_stands_on_both_sides_and_no_pair_is_lost(pairs):
    parts = hold_out(pairs, 0.2, 0.1)
    sources = [set(part.sources) for part in parts.values()]
    assert sum(map(len, sources)) == len(set().union(*sources)) == 400
    assert sorted(t for part in parts.values() for t in part.targets) == sorted(pairs.targets)
    for part in parts.values():
        assert [part.lines[n] for n in range(len(part))] == [int(t.split()[1]) for t in part.targets]


def test_the_shares_are_of_distinct_sources():
    parts = hold_out(Pairs([str(n) for n in range(20000)], ["x"] * 20000), 0.05, 0.2)
    assert len(parts["dev"]) / 20000 == pytest.approx(0.05, abs=0.006)
    assert len(parts["test"]) / 20000 == pytest.approx(0.2, abs=0.01)


def test_neither_order_nor_other_rows_change_a_side(pairs):
    dev = set(hold_out(pairs, 0.2)["dev"].sources)
    some = random.Random(3).sample(range(1000), 300)
    part = pairs.subset(some)
    assert set(hold_out(part, 0.2)["dev"].sources) == dev & set(part.sources)


def test_the_rule_is_as_the_docstring_says():
    digest = hashlib.blake2b("Kör!".encode(), digest_size=8).hexdigest()
    assert position_of("Kör!") == int(digest, 16) / 2**64


def test_another_column_may_decide(pairs):
    keyed = Pairs(pairs.targets, pairs.sources, keys=pairs.sources)
    assert hold_out(keyed, 0.2)["dev"].targets == hold_out(pairs, 0.2)["dev"].sources


def test_a_share_of_zero_leaves_a_split_out(pairs):
    assert list(hold_out(pairs, 0.0)) == ["train"]


def test_too_few_sources_are_told():
    with pytest.raises(DataError, match=r"a\.tsv: expected pairs for dev, found 2 pairs of which the rule"):
        hold_out(Pairs(["two", "two"], ["2", "zwei"], path="a.tsv"), 0.1)
