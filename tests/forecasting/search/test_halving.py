"""Successive halving with known losses."""

from __future__ import annotations

import math

import pytest

from seqtag.forecasting.search.halving import halve, rounds_of


class Scores:
    """Gives known losses, one for each round of a candidate, the last one for all later rounds; notes what is asked."""

    def __init__(self, *losses, time=math.inf):
        self.losses, self.time = losses, time
        self.asked = {}

    def __call__(self, number, candidate, share):
        if sum(map(len, self.asked.values())) >= self.time:
            return None
        self.asked.setdefault((number, share), []).append(candidate)
        losses = self.losses[candidate]
        return losses[min(number, len(losses)) - 1]


def test_each_round_keeps_the_better_half_and_the_default():
    scores = Scores([0.5], [0.9], [0.4], [0.3], [0.8], [0.7], [0.2])
    assert halve(7, scores) == 6
    assert scores.asked == {(1, 1 / 7): [0, 1, 2, 3, 4, 5, 6], (2, 1 / 3): [0, 6, 3], (3, 1 / 2): [0, 6]}
    assert rounds_of(7) == [7, 3, 2]


@pytest.mark.parametrize(("candidates", "sizes"), [(1, []), (2, [2]), (3, [3, 2]), (4, [4, 2]), (8, [8, 4, 2])])
def test_each_round_takes_as_long_as_a_whole_fit(candidates, sizes):
    scores = Scores(*[[1.0 + number] for number in range(candidates)])
    assert halve(candidates, scores) == 0
    assert [len(asked) for asked in scores.asked.values()] == sizes == rounds_of(candidates)
    assert all(share * len(asked) == pytest.approx(1) for (_, share), asked in scores.asked.items())


def test_the_default_is_replaced_only_by_a_lower_loss():
    assert halve(3, Scores([0.5], [0.5], [0.5])) == 0
    assert halve(3, Scores([0.5], [0.5], [0.499])) == 2


def test_the_last_round_decides_though_the_default_was_the_worst_of_the_first():
    assert halve(4, Scores([0.9, 0.1], [0.4, 0.2], [0.3], [0.5])) == 0


def test_what_cannot_be_fitted_is_never_chosen():
    assert halve(3, Scores([math.inf], [math.inf], [math.inf])) == 0
    assert halve(3, Scores([0.5], [math.inf], [0.4])) == 2


@pytest.mark.parametrize(
    ("time", "best"),
    [
        # None or one was fitted: nothing to compare.
        (0, 0),
        (1, 0),
        # The first two were.
        (2, 1),
        # The first round is whole, and the second has the default alone.
        (5, 3),
        # The second compares the default with the best of the first.
        (6, 0),
    ],
)
def test_what_was_fitted_when_the_time_ends_is_compared(time, best):
    assert halve(4, Scores([0.5, 0.1], [0.4], [0.45], [0.2], time=time)) == best
