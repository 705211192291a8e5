from __future__ import annotations

from itertools import pairwise

import pytest

from seqtag.training.schedule import rate_factor


@pytest.mark.parametrize("decay", ["none", "linear", "cosine"])
def test_warmup_is_linear_and_reaches_the_full_rate(decay):
    assert [rate_factor(step, 100, 4, decay) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_decay_never_rises_and_ends_at_zero(decay):
    factors = [rate_factor(step, 50, 5, decay) for step in range(5, 60)]
    assert all(a >= b for a, b in pairwise(factors))
    assert factors[0] == 1.0
    assert factors[-1] == pytest.approx(0.0, abs=1e-12)


def test_half_way_both_decays_are_at_half():
    assert rate_factor(5, 10, 0, "linear") == pytest.approx(0.5)
    assert rate_factor(5, 10, 0, "cosine") == pytest.approx(0.5)


def test_without_decay_the_rate_stays():
    assert {rate_factor(step, 10, 0, "none") for step in range(30)} == {1.0}
