"""Which of two dev measures is better."""

from __future__ import annotations

import math

import pytest

from seqtag.training.measure import Measure

SCORE, LOSS, LAST = Measure("f1"), Measure("loss", is_loss=True), Measure("loss", is_loss=True, keeps_last=True)


@pytest.mark.parametrize(("measure", "better"), [(SCORE, False), (LOSS, True), (LAST, True)])
def test_a_loss_falls_and_a_score_rises(measure, better):
    assert measure.better(0.1, 0.2) is better
    assert measure.better(0.1, measure.worst)
    assert measure.better(0.2, 0.2) is measure.keeps_last


def test_the_last_value_counts_whatever_it_is():
    assert LAST.better(9.0, 0.1) and not LOSS.better(9.0, 0.1)


def test_nothing_is_better_than_a_number_that_is_none():
    assert not LOSS.better(math.nan, 0.5) and not SCORE.better(math.nan, 0.5)
