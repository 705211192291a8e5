"""The table of errors: counts sum to the distances, bins hold each length once."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from seqtag.seq2seq.evaluation.errors import MAX_BINS, MOST_ERRORS, error_table, length_bins
from seqtag.seq2seq.evaluation.measures import nearest_references, token_error_rate


def table_of(answers, references, lengths):
    return error_table(answers, nearest_references(answers, references), lengths)


def test_errors_by_hand():
    answers = [list("kitten"), list("sundae"), [], list("ok")]
    references = [[list("kitchen")], [list("sunday"), list("monday")], [list("a")], [list("ok")]]
    table = table_of(answers, references, [3, 9, 9, 3])
    assert table.substitutions == {("y", "e"): 1, ("c", "t"): 1}
    assert table.deletions == {"h": 1, "a": 1}
    assert table.insertions == {}
    assert [vars(score) for score in table.by_length] == [
        {"shortest": 3, "longest": 3, "sources": 2, "exact_match": 0.5, "token_error_rate": 2 / 9},
        {"shortest": 9, "longest": 9, "sources": 2, "exact_match": 0.0, "token_error_rate": 2 / 7},
    ]


def test_what_the_answer_has_too_much_is_inserted():
    table = table_of([["B", "AH", "IY"]], [[["B", "IY"]]], [1])
    assert (table.insertions, table.deletions, table.substitutions) == ({"AH": 1}, {}, {})


def test_the_counts_sum_to_the_distances():
    source = np.random.default_rng(0)
    rows = [["abcdé"[n] for n in source.integers(0, 5, source.integers(0, 12))] for _ in range(300)]
    answers, references = rows[:100], [rows[100 + n : 300 : 100] for n in range(100)]
    found = nearest_references(answers, references)
    table = error_table(answers, found, source.integers(1, 40, 100).tolist())
    distances = sum(each.distance for each in found)
    assert sum(kind.total() for kind in (table.substitutions, table.insertions, table.deletions)) == distances
    assert sum(score.sources for score in table.by_length) == 100
    assert len(table.by_length) == MAX_BINS
    lengths = sum(len(each.reference) for each in found)
    assert token_error_rate(answers, references) == distances / lengths


@pytest.mark.parametrize("lengths", [[], [7], [2] * 50, [0, 0, 10_000], list(range(100)), [1] * 99 + [2, 3, 4]])
def test_each_length_is_in_one_bin_and_no_bin_is_empty(lengths):
    edges = length_bins(lengths)
    assert len(edges) <= MAX_BINS
    assert edges == sorted(set(edges))
    assert set(edges) <= set(lengths)
    if lengths:
        assert edges[-1] == max(lengths)
    bins = table_of([["a"]] * len(lengths), [[["a"]]] * len(lengths), lengths).by_length
    assert [score.longest for score in bins] == edges
    assert sum(score.sources for score in bins) == len(lengths)
    assert all(before.longest < after.shortest for before, after in pairwise(bins))


def test_equal_bins_hold_equal_numbers_of_sources():
    bins = table_of([["a"]] * 80, [[["b"]]] * 80, list(range(80))).by_length
    assert {score.sources for score in bins} == {10}


def test_the_table_in_json_is_bounded_and_its_order_is_that_of_no_file():
    symbols = [chr(ord("a") + n) for n in range(26)]
    tables = [table_of([[s, s] for s in order], [[[s]] for s in order], [1] * 26) for order in (symbols, symbols[::-1])]
    first, second = (json.loads(json.dumps(table.to_metrics(), allow_nan=False)) for table in tables)
    assert first == second
    assert first["insertions"] == [{"symbol": s, "count": 1} for s in symbols[:MOST_ERRORS]]
    assert first["counts"] == {"substitutions": 0, "insertions": 26, "deletions": 0}


def test_a_rate_without_a_length_is_none_in_json():
    metrics = table_of([["a"]], [[[]]], [1]).to_metrics()
    assert metrics["by_length"] == [
        {"shortest": 1, "longest": 1, "sources": 1, "exact_match": 0.0, "token_error_rate": None}
    ]


def test_the_text_shows_kinds_side_by_side_and_symbols_that_can_be_read():
    answers = [["\x1b", "b", "z"], [" ", "b"], [" ", "b"]]
    text = table_of(answers, [[["a", "b"]]] * 3, [2, 5, 6]).to_text()
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0].split("  ") == ["source length", "sources", "exact match", "token errors"]
    assert [line.split()[0] for line in lines[1:4]] == ["2", "5", "6"]
    assert lines[5] == "wrong symbols: 3 substitutions, 1 insertions, 0 deletions"
    assert lines[6].split() == ["substitutions", "insertions"]
    assert lines[7].split() == ["2", "␣", "for", "a", "1", "z"]
    assert lines[8].split() == ["1", r"\x1b", "for", "a"]
