"""Combines the forecasts of totals with those of their parts, so that they add up.

With forecasts b of the parts and t of the totals, S the summing matrix and W the covariance of the errors of all, the
combined forecast is the one that adds up and is nearest to (b, t) in the norm of W's inverse. It is

    (b, t) - W C' (C W C')^-1 C (b, t),    C = (-S  I)

the minimum trace estimate of Wickramasuriya, Athanasopoulos and Hyndman (2019, Optimal forecast reconciliation through
trace minimization), written so that W may be singular: a forecast without errors stays as it is. With W = I it is
ordinary least squares (Hyndman et al. 2011).

W has the variances of past errors, and a correlation that is shrunk towards none (Schäfer and Strimmer 2005, A
shrinkage approach to large-scale covariance matrix estimation):

    R = (1 - a) r + a I,    a = sum of Var(r[i, j]) / sum of r[i, j]^2    over i != j, within 0 and 1
"""

from __future__ import annotations

import numpy as np

# The least share of "no correlation": it keeps the correlation positive definite.
LEAST_SHRINKAGE = 1e-4


def reconciled(parts: np.ndarray, totals: np.ndarray, matrix: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """The combined forecasts of the parts; those of the totals are their sums.

    Args:
        parts: `(parts, steps)`.
        totals: `(totals, steps)`.
        matrix: the summing matrix, `(totals, parts)`.
        covariance: of the errors of parts and totals, `(parts + totals, parts + totals)`.

    Returns:
        `(parts, steps)`.

    Example:
        >>> parts, totals, matrix = np.array([[1.0], [2.0]]), np.array([[6.0]]), np.ones((1, 2))
        >>> reconciled(parts, totals, matrix, np.eye(3)).ravel().tolist()
        [2.0, 3.0]
    """
    constraints = np.concatenate([-matrix, np.eye(len(matrix))], axis=1)
    spread = covariance @ constraints.T
    inner = constraints @ spread
    # Divided by its diagonal, so that totals of very different sizes are solved for alike.
    scale = np.sqrt(np.where(np.diag(inner) > 0, np.diag(inner), 1.0))
    missing = (totals - matrix @ parts) / scale[:, None]
    solved = np.linalg.lstsq(inner / np.outer(scale, scale), missing, rcond=None)[0] / scale[:, None]
    return parts - spread[: len(parts)] @ solved


def shrunk_correlation(scores: np.ndarray) -> np.ndarray:
    """The correlation between columns of mean zero, shrunk towards none as far as chance may have made it.

    Args:
        scores: `(rows, columns)`, rows independent of each other; 0 where missing, which lessens a correlation.

    Returns:
        `(columns, columns)`, positive definite; no correlation where there are fewer than two rows.

    Example:
        >>> alike = np.random.default_rng(1).normal(size=(500, 1)) * [1.0, 2.0]
        >>> shrunk_correlation(alike).round(2).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """
    rows, columns = scores.shape
    none = np.eye(columns)
    if rows < 2 or columns < 2:
        return none
    size = np.sqrt((scores**2).mean(axis=0))
    unit = scores / np.where(size > 0, size, 1.0)
    correlation = unit.T @ unit / rows
    apart = ~none.astype(bool)
    variance = np.maximum((unit**2).T @ unit**2 / rows - correlation**2, 0) / (rows - 1)
    strength = (correlation[apart] ** 2).sum()
    share = variance[apart].sum() / strength if strength > 0 else 1.0
    share = min(max(float(share), LEAST_SHRINKAGE), 1.0)
    return np.where(apart, (1 - share) * correlation, 1.0)
