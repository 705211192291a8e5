"""How long an answer may be."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.seq2seq.length_bound import LengthBound


@pytest.mark.parametrize("scale", [0.02, 0.5, 1.0, 3.7])
def test_no_target_of_training_is_near_its_bound(scale):
    rng = np.random.default_rng(3)
    sources = rng.integers(0, 200, 500)
    targets = rng.poisson(scale * sources + 1)
    bound = LengthBound.fit(sources, targets)
    assert (bound.of(sources).numpy() >= targets + 5).all()
    assert bound.of([10**6]).numpy() == bound.most == 2 * targets.max() + 5
    # A short source cannot have as long an answer as a long one.
    assert bound.of([5]).numpy() < bound.most / 2


def test_targets_without_symbols_leave_some():
    bound = LengthBound.fit(np.array([3, 0]), np.array([0, 0]))
    assert bound.of([0, 3, 50]).numpy().tolist() == [5, 5, 5]


def test_a_fixed_bound_is_that_of_all_sources():
    assert LengthBound.fixed(7).of([0, 3, 10**6]).numpy().tolist() == [7, 7, 7]
