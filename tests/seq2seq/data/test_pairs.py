"""Pairs in memory."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.data.pairs import Pairs, Row
from seqtag.seq2seq.data.references import grouped


def test_a_subset_keeps_all_that_belongs_to_a_pair():
    pairs = Pairs(["a", "b", "c"], ["x", "y", "z"], [("1",), ("2",), ("3",)], "a.tsv", [2, 4, 6], keys=["k", "l", "m"])
    part = pairs.subset([2, 0])
    assert (part.sources, part.targets, part.features) == (["c", "a"], ["z", "x"], [("3",), ("1",)])
    assert (part.lines, part.keys, part.place(0)) == ([6, 2], ["m", "k"], {"path": "a.tsv", "line": 6})


def test_pairs_of_python_keep_their_numbers_in_subsets_of_subsets():
    part = Pairs(["a", "b", "c"], ["x", "y", "z"]).subset([1, 2]).subset([1])
    assert part.place(0) == {"path": "pair 2", "line": None}


def test_sources_without_targets():
    pairs = Pairs.of_rows([Row(0, "a"), Row(1, "")], None, "source")
    assert (pairs.targets, pairs.subset([1]).targets, pairs.keys) == ([], [], None)
    with pytest.raises(DataError, match=r"^expected sources, found none$"):
        Pairs.of_rows([], None, "source")


def test_references_are_of_a_source_with_its_features():
    pairs = Pairs(
        ["saw", "saw", "ran", "saw", "saw"],
        ["see", "saw", "run", "see", "sew"],
        [("VERB",), ("NOUN",), ("VERB",), ("VERB",), ("VERB",)],
    )
    references = grouped(pairs)
    assert list(zip(references.sources, references.features, references.targets, strict=True)) == [
        ("saw", ("VERB",), ["see", "sew"]),
        ("saw", ("NOUN",), ["saw"]),
        ("ran", ("VERB",), ["run"]),
    ]
    assert (references.groups, references.first, len(references)) == ([0, 1, 2, 0, 0], [0, 1, 2], 3)


def test_frames_are_the_same_source_where_shape_and_numbers_are():
    flat = np.arange(6, dtype=np.float32)
    references = grouped(Pairs([flat.reshape(3, 2), flat.reshape(2, 3), flat.reshape(3, 2).copy()], ["a", "b", "c"]))
    assert references.targets == [["a", "c"], ["b"]]
