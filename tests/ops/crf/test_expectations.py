"""Log-partition, marginals and gradients against sums over all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from seqtag.ops import crf


def test_log_partition_sums_over_all_paths(case, compiled):
    found = np.asarray(compiled(crf.log_partition)(*case.arguments))
    assert_allclose(found, [case.log_partition(row) for row in case.rows], rtol=1e-6, atol=2e-5)


def test_expectations_are_those_of_all_paths(case, compiled):
    found = compiled(crf.expectations)(*case.arguments)
    for row in case.rows:
        marginals, counts = np.zeros_like(case.emissions[row]), np.zeros_like(case.transitions)
        total = case.log_partition(row)
        for path, score in case.paths(row):
            probability = np.exp(score - total) if total > -np.inf else 0.0
            marginals[np.flatnonzero(case.mask[row]), list(path)] += probability
            for pair in itertools.pairwise(path):
                counts[pair] += probability
        assert_allclose(found.marginals[row], marginals, atol=3e-5)
        assert_allclose(found.transitions[row], counts, atol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 200.0])
def test_gradients_of_the_log_partition_are_central_differences(make_case, compiled, summed_gradients, scale: float):
    case = make_case(4, scale)
    weights = np.array([1.0, 2.0, -1.0, 3.0, 5.0])  # one for each row, so that rows are told apart
    names = ("emissions", "start", "transitions", "end")

    def loss(emissions, *scores):
        return compiled(crf.log_partition)(emissions, case.mask, crf.CRFScores(*scores)) * np.float32(weights)

    found = summed_gradients(loss, [getattr(case, name) for name in names])
    for name, gradient in zip(names, found, strict=True):
        values = getattr(case, name)
        for index in np.ndindex(values.shape):
            either = []
            for step in (1e-4, -1e-4):
                values[index] += step
                either.append(weights @ [case.log_partition(row) for row in case.rows])
                values[index] -= step
            assert_allclose(gradient[index], (either[0] - either[1]) / 2e-4, atol=2e-4, err_msg=name)


def test_gradients_stay_finite_where_scores_are_forbidden(make_case, compiled, summed_gradients):
    case = make_case(1, 1.0)
    case.transitions[0, 1] = case.start[2] = -np.inf
    found = summed_gradients(
        lambda *x: compiled(crf.log_partition)(x[0], case.mask, crf.CRFScores(*x[1:])),
        [case.emissions, case.start, case.transitions, case.end],
    )
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert found[1][2] == 0 and found[2][0, 1] == 0
