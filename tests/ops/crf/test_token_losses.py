"""The loss of each step, against the enumeration of all paths."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from seqtag.ops import crf


def tags_of(case, seed: int = 0, unknown: float = 0.0) -> np.ndarray:
    """Random tags; -1 at some steps."""
    random = np.random.default_rng(seed)
    tags = random.integers(case.tags, size=case.mask.shape)
    return np.where(random.random(tags.shape) < unknown, -1, tags)


def by_enumeration(case, tags: np.ndarray, extra=None) -> np.ndarray:
    """`-log` of the share of the paths with the known tags up to a step, among those with the tags before it.

    `extra` gives what a path's score gains for its steps.
    """
    losses = np.zeros(case.mask.shape)
    for row in case.rows:
        steps = np.flatnonzero(case.mask[row])
        paths = [
            (path, score + (0 if extra is None else extra(path, tags[row, steps]))) for path, score in case.paths(row)
        ]
        for n, step in enumerate(steps):
            before, after = (
                np.logaddexp.reduce(
                    [
                        s
                        for path, s in paths
                        if all(t < 0 or t == p for p, t in zip(path[:m], tags[row, steps], strict=False))
                    ]
                )
                for m in (n, n + 1)
            )
            losses[row, step] = before - after
    return losses


@pytest.mark.parametrize("unknown", [0.0, 0.5])
def test_each_step_has_the_share_of_its_paths(make_case, compiled, unknown):
    case = make_case(3, scale=2.0)
    tags = tags_of(case, unknown=unknown)
    emissions, mask, scores = case.arguments
    found = np.asarray(compiled(crf.token_losses)(emissions, tags, mask, scores))
    assert_allclose(found, by_enumeration(case, tags), atol=2e-5)
    assert_allclose(found.sum(1), compiled(crf.negative_log_likelihood)(emissions, tags, mask, scores), atol=5e-5)


def test_costs_count_in_the_paths_that_miss_a_tag(make_case):
    case, costs = make_case(4), np.array([0.5, 1.5, 0.0])
    tags = tags_of(case, 1)
    emissions, mask, scores = case.arguments

    def extra(path, true):
        return sum(costs[t] for p, t in zip(path, true, strict=True) if p != t)

    found = crf.token_losses(emissions, tags, mask, scores, tag_costs=costs)
    assert_allclose(found, by_enumeration(case, tags, extra), atol=2e-5)


def test_steps_sum_to_the_likelihood_where_tags_break_constraints(make_case, compiled, summed_gradients):
    """Also in value and gradient of each weight, and finite."""
    case = make_case(5)
    constraints = (
        [True, True, False],
        [[True, True, False], [True, True, True], [True, True, True]],
        [True, False, True],
    )
    emissions, mask, scores = case.arguments
    tags = np.array([[0, 2, 1, 0, 2], [2, 0, 0, 0, 0], [0, 0, 0, 0, 2], [0, 1, 0, 0, 0], [0] * 5])

    def by_steps(emissions, *scores):
        return crf.token_losses(emissions, tags, mask, crf.CRFScores(*scores), constraints)

    def by_rows(emissions, *scores):
        return crf.negative_log_likelihood(emissions, tags, mask, crf.CRFScores(*scores), constraints)

    arguments = [emissions, *scores]
    assert_allclose(np.asarray(compiled(by_steps)(*arguments)).sum(1), compiled(by_rows)(*arguments), atol=5e-5)
    for ours, theirs in zip(summed_gradients(by_steps, arguments), summed_gradients(by_rows, arguments), strict=True):
        assert_allclose(ours, theirs, atol=2e-5)


def test_gradients_of_weighted_steps_are_those_of_differences(make_case, compiled, summed_gradients):
    case = make_case(6)
    emissions, mask, scores = case.arguments
    tags = tags_of(case, 2, unknown=0.3)
    weights = np.random.default_rng(7).uniform(0, 2, size=mask.shape).astype("float32")

    def weighted(emissions, *scores):
        return weights * crf.token_losses(emissions, tags, mask, crf.CRFScores(*scores))

    arguments = [emissions, *scores]
    found, value = summed_gradients(weighted, arguments), compiled(weighted)
    random = np.random.default_rng(8)
    for n, gradient in enumerate(found):
        direction = random.normal(size=gradient.shape).astype("float32")
        ends = []
        for sign in (1, -1):
            moved = list(arguments)
            moved[n] = moved[n] + np.float32(sign * 1e-2) * direction
            ends.append(float(np.sum(np.asarray(value(*moved)), dtype="float64")))
        assert_allclose((gradient * direction).sum(), (ends[0] - ends[1]) / 2e-2, rtol=2e-3, atol=2e-3)


def test_long_rows_lose_no_digits(compiled):
    random = np.random.default_rng(0)
    emissions = random.normal(size=(1, 3000, 3)).astype("float32") * 30
    scores = crf.CRFScores(np.zeros(3, "f"), random.normal(size=(3, 3)).astype("f"), np.zeros(3, "f"))
    mask = np.ones((1, 3000), bool)
    tags = random.integers(3, size=(1, 3000))
    losses = compiled(crf.token_losses)
    found = np.asarray(losses(emissions, tags, mask, scores))[0, -9:]
    # Close to the end, a row of its last steps alone, whose first one the chain before decides.
    short = losses(emissions[:, -60:], tags[:, -60:], mask[:, -60:], scores)
    assert_allclose(found, np.asarray(short)[0, -9:], rtol=1e-4, atol=1e-4)
