"""The linear model on n-grams: logistic regression on features that naive Bayes scales, as in NB-SVM.

Wang and Manning (2012): a feature counts as much as it tells of a label in training,

    r_f = log (p_f / |p|) - log (q_f / |q|),    p = 1 + the texts of the label that have f, q = 1 + the others,

and the weights of the scaled features have a prior. On small data this beats most recurrent networks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from seqtag.classification.data.ngrams import NgramHasher

# Inverse strengths of the prior, of which dev chooses one for the n-grams of words and one for those of characters.
STRENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class LinearPart(NamedTuple):
    """Weights of some n-grams.

    Attributes:
        rows: `(kept,)`, their rows in the table.
        weights: `(kept, labels)`.
        bias: `(labels,)`.
    """

    rows: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def scores(self, ngrams: sparse.csr_matrix) -> np.ndarray:
        """The scores of texts `(texts, labels)`."""
        return ngrams[:, self.rows] @ self.weights + self.bias


def as_matrix(ngrams: tf.RaggedTensor, hasher: NgramHasher) -> sparse.csr_matrix:
    """Which n-grams each text has, `(texts, num_rows)` of zeros and ones."""
    rows = ngrams.flat_values.numpy()
    splits = ngrams.row_splits.numpy()
    shape = (len(splits) - 1, hasher.num_rows)
    return sparse.csr_matrix((np.ones(len(rows), np.float32), rows, splits), shape)


def fit_part(
    ngrams: sparse.csr_matrix,
    targets: np.ndarray,
    rows: slice,
    strength: float,
    several: bool,
    weights: np.ndarray | None = None,
) -> LinearPart:
    """Fits the weights of the n-grams of some rows, each label against the others.

    Args:
        ngrams: of the training texts; see `as_matrix`.
        targets: `(texts, labels)`, 1 for the labels that each has.
        rows: the rows of these n-grams.
        strength: the inverse strength of the prior.
        several: whether a text may have several labels.
        weights: `(labels,)`, how much texts of each label count; 1 for all unless given.
    """
    part = ngrams[:, rows]
    kept = np.flatnonzero(np.diff(part.tocsc().indptr))
    part = part[:, kept]
    counts = np.ones(targets.shape[1]) if weights is None else weights
    # The scores of two labels that exclude each other are one, with both signs.
    mirrored = not several and targets.shape[1] == 2
    found = [
        _fit_label(part, targets[:, n], strength, *_weights(n, counts)) for n in range(1 if mirrored else len(counts))
    ]
    table = np.stack([weight for weight, _ in found], axis=1)
    bias = np.array([offset for _, offset in found])
    if mirrored:
        table, bias = np.concatenate([table, -table], axis=1) / 2, np.concatenate([bias, -bias]) / 2
    return LinearPart(kept + rows.start, table, bias)


def _weights(label: int, counts: np.ndarray) -> tuple[float, float]:
    """How much texts of a label count, and others on average."""
    others = np.delete(counts, label)
    return float(counts[label]), float(others.mean()) if len(others) else 1.0


def _fit_label(
    ngrams: sparse.csr_matrix, has: np.ndarray, strength: float, weight: float, other: float
) -> tuple[np.ndarray, float]:
    """The weight of each n-gram for one label, and the offset."""
    is_of = has > 0
    if is_of.all() or not is_of.any():
        return np.zeros(ngrams.shape[1]), 0.0
    p, q = (np.asarray(ngrams[side].sum(axis=0)).ravel() + 1.0 for side in (is_of, ~is_of))
    ratios = np.log(p / p.sum()) - np.log(q / q.sum())
    model = LogisticRegression(C=strength, solver="liblinear", random_state=0)
    model.fit(ngrams @ sparse.diags(ratios), is_of, sample_weight=np.where(is_of, weight, other))
    return ratios * model.coef_[0], float(model.intercept_[0])
