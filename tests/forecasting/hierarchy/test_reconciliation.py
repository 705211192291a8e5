"""Combined forecasts against the projection as it is written in the literature, and correlations against loops."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.forecasting.hierarchy.reconciliation import LEAST_SHRINKAGE, reconciled, shrunk_correlation

# Two regions of two shops, one of one; and all.
MATRIX = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]], float)


def projected(parts, totals, matrix, covariance):
    """S (S' W^-1 S)^-1 S' W^-1 y."""
    whole = np.concatenate([np.eye(matrix.shape[1]), matrix])
    weights = np.linalg.inv(covariance)
    y = np.concatenate([parts, totals])
    return np.linalg.solve(whole.T @ weights @ whole, whole.T @ weights @ y)


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [3], [1, 3]])
@pytest.mark.parametrize("scale", [1.0, 1e12])
def test_combined_forecasts_are_the_projection(rows, scale):
    source = np.random.default_rng(1)
    matrix = MATRIX[rows]
    parts, totals = source.normal(9, 3, (5, 3)) * scale, source.normal(30, 9, (len(rows), 3)) * scale
    root = source.normal(size=(5 + len(rows),) * 2)
    covariance = (root @ root.T + 0.1 * np.eye(5 + len(rows))) * scale**2
    for chosen in (covariance, np.eye(5 + len(rows))):
        found = reconciled(parts, totals, matrix, chosen)
        np.testing.assert_allclose(found, projected(parts, totals, matrix, chosen), rtol=1e-7)


def test_a_case_by_hand():
    """Parts 1 and 2 and their total 6, with variances 1, 1 and 4: each part moves by 3 / 6."""
    found = reconciled(np.array([[1.0], [2.0]]), np.array([[6.0]]), np.ones((1, 2)), np.diag([1.0, 1.0, 4.0]))
    np.testing.assert_allclose(found, [[1.5], [2.5]])


def test_what_adds_up_stays_and_so_does_what_is_never_wrong():
    parts = np.array([[1.0], [2.0], [1e12], [4.0], [5.0]])
    np.testing.assert_allclose(reconciled(parts, MATRIX @ parts, MATRIX, np.eye(9)), parts, rtol=1e-12)
    sure = np.diag([0.0, 1, 0, 1, 1, 1, 1, 1, 1])
    found = reconciled(parts, MATRIX @ parts + 1, MATRIX, sure)
    assert found[0] == 1 and found[2] == 1e12 and found[1] > 2
    np.testing.assert_array_equal(reconciled(parts, MATRIX @ parts + 1, MATRIX, np.zeros((9, 9))), parts)


def test_the_same_total_twice_is_no_fault():
    parts, twice = np.array([[1.0], [2.0]]), np.ones((2, 2))
    found = reconciled(parts, np.array([[6.0], [6.0]]), twice, np.diag([1.0, 1.0, 0.0, 0.0]))
    np.testing.assert_allclose(found, [[2.5], [3.5]])


def test_the_shrinkage_is_that_of_schaefer_and_strimmer():
    source = np.random.default_rng(3)
    scores = source.normal(size=(12, 4)) @ source.normal(size=(4, 4))
    unit = scores / np.sqrt((scores**2).mean(axis=0))
    variance, strength, correlation = 0.0, 0.0, np.eye(4)
    for i in range(4):
        for j in range(4):
            if i != j:
                products = unit[:, i] * unit[:, j]
                correlation[i, j] = products.mean()
                variance += products.var(ddof=1) / 12
                strength += products.mean() ** 2
    share = min(max(variance / strength, LEAST_SHRINKAGE), 1)
    expected = np.where(np.eye(4), 1.0, (1 - share) * correlation)
    np.testing.assert_allclose(shrunk_correlation(scores), expected)


def test_chance_makes_little_correlation_and_a_cause_keeps_most_of_it():
    source = np.random.default_rng(4)
    apart, common = source.normal(size=(40, 60)), source.normal(size=(400, 1))
    noise = shrunk_correlation(apart)
    assert np.abs(noise - np.eye(60)).max() < 0.1
    assert np.linalg.eigvalsh(noise).min() > 0
    together = shrunk_correlation(common + 0.5 * source.normal(size=(400, 5)))
    np.testing.assert_allclose(together[np.triu_indices(5, 1)], 0.8, atol=0.05)


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.ones((1, 3)), np.zeros((9, 3))])
def test_without_evidence_there_is_no_correlation(scores):
    np.testing.assert_array_equal(shrunk_correlation(scores), np.eye(3))


def test_copies_stay_positive_definite():
    scores = np.repeat(np.random.default_rng(5).normal(size=(30, 1)), 4, axis=1)
    np.linalg.cholesky(shrunk_correlation(scores))
    scores[:, 0] = 0
    assert (shrunk_correlation(scores)[0] == [1, 0, 0, 0]).all()
