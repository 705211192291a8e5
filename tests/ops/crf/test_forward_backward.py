"""The two ways to run the recursions agree, and the fast one knows when it may be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

from seqtag.ops.crf import CRFScores
from seqtag.ops.crf import forward_backward as recursions
from seqtag.ops.crf.alignment import Alignment


def _inputs(emissions, mask, start, transitions, end):
    emissions, *scores = (ops.convert_to_tensor(np.float32(x)) for x in (emissions, start, transitions, end))
    alignment = Alignment(ops.convert_to_tensor(mask))
    return emissions, CRFScores(*scores), alignment, recursions._Directions(alignment)


def _random(seed: int, scale: float, tags: int = 9):
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 40)) < 0.8
    emissions = np.where(mask[..., None], rng.normal(size=(6, 40, tags)) * scale, 0)
    return [emissions, mask, rng.normal(size=tags), rng.normal(size=(tags, tags)), rng.normal(size=tags)]


def _chunk_constraints(arguments: list) -> None:
    """Forbid as IOBES does: O, then B, I, E, S of two types."""
    _, _, start, transitions, end = arguments
    kind = {"O": [0], "B": [1, 5], "I": [2, 6], "E": [3, 7], "S": [4, 8]}
    start[kind["I"] + kind["E"]] = -np.inf
    end[kind["B"] + kind["I"]] = -np.inf
    for first in range(9):
        for second in range(9):
            opened, inside = first in kind["B"] + kind["I"], second in kind["I"] + kind["E"]
            same = (first - 1) // 4 == (second - 1) // 4
            if opened != inside or (opened and not same):
                transitions[first, second] = -np.inf


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_products_and_log_sums_agree_on_usual_scores(scale: float, constrained: bool):
    arguments = _random(0, scale)
    if constrained:
        _chunk_constraints(arguments)
    emissions, scores, alignment, directions = _inputs(*arguments)
    certain, fast = recursions._by_products(emissions, scores, alignment, directions)
    exact = recursions._by_log_sums(emissions, scores, directions)
    assert bool(certain), "the fast way should serve usual scores"
    assert_allclose(fast.log_partition, exact.log_partition, rtol=1e-6)
    real = np.asarray(directions.real)
    assert_allclose(np.asarray(fast.marginals)[real], np.asarray(exact.marginals)[real], atol=2e-5)
    assert_allclose(fast.transitions, exact.transitions, atol=1e-4)


def test_a_state_too_far_below_the_best_is_noticed():
    """The best tag of the first step may not be followed by what the second step needs."""
    emissions = np.array([[[200.0, 0.0], [0.0, 0.0]]])
    transitions = np.array([[-np.inf, -np.inf], [0.0, 0.0]])
    emissions, scores, alignment, directions = _inputs(
        emissions, np.ones((1, 2), bool), np.zeros(2), transitions, np.zeros(2)
    )
    certain, _ = recursions._by_products(emissions, scores, alignment, directions)
    assert not bool(certain)
    found = recursions.forward_backward(emissions, scores, alignment)
    assert_allclose(found.log_partition, [np.log(2)], atol=2e-5)
    assert_allclose(found.marginals[:, 0], [[0, 1], [0.5, 0.5]], atol=2e-5)
