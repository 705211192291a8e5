"""What reports of spans and of labels share, as people see it."""

from __future__ import annotations

import pytest

from seqtag.measures.scores import confusion_table, confusion_text
from seqtag.tagging.evaluation.labels import evaluate_labels
from seqtag.tagging.evaluation.spans import evaluate_spans


@pytest.fixture
def columns(monkeypatch):
    """`columns(n)`: the terminal is n characters wide."""
    return lambda count: monkeypatch.setenv("COLUMNS", str(count))


def test_a_table_that_fits_is_shown_whole(columns):
    confusion = confusion_table({("LOC", "O"): 12, ("O", "O"): 7})
    table = "gold \\ predicted  LOC   O\n             LOC    0  12\n               O    0   7"
    columns(max(map(len, table.splitlines())))
    assert confusion_text(confusion) == table
    columns(max(map(len, table.splitlines())) - 1)
    assert confusion_text(confusion).splitlines()[1:] == ["12  LOC as O"]


def test_forty_types_are_shown_by_their_greatest_errors(columns):
    """Type 1 is taken for 0 in 39 tokens, 2 in 38 and so on."""
    pairs = {(f"TYPE{n:02}", "TYPE00"): 40 - n for n in range(1, 40)} | {("TYPE00", "TYPE00"): 1000}
    columns(80)
    first, *lines, last = confusion_text(confusion_table(pairs)).splitlines()
    assert lines == [f"{40 - n:>2}  TYPE{n:02} as TYPE00" for n in range(1, 21)]
    assert last == f"and {sum(range(1, 20))} in 19 other pairs"
    assert max(map(len, (first, last, *lines))) <= 80


@pytest.mark.parametrize("evaluate", [evaluate_labels, lambda *sides: evaluate_spans(*sides, "IOB2")])
def test_no_report_of_many_types_is_wider_than_the_terminal_but_for_its_head(columns, evaluate):
    gold = [[f"B-{'X' * (n % 8)}{n}" for n in range(60)]]
    columns(80)
    lines = evaluate(gold, [gold[0][::-1]]).to_text().splitlines()
    assert max(map(len, lines[2:])) <= 80


def test_one_long_name_does_not_move_the_figures_of_others_away():
    name = "Case=Nom|Gender=Masc|Number=Sing|Person=3|PronType=Prs"
    lines = evaluate_labels([[name, "NOUN"]], [["NOUN", "NOUN"]]).to_text().splitlines()
    assert f"{'NOUN':>20}: precision:" in lines[3] and f"{name}: precision:" in lines[2]
