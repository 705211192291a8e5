"""The linear model of n-grams, against the equations of NB-SVM and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from seqtag.classification.calibration import fit_factors, fit_threshold, log_loss, probabilities_of
from seqtag.classification.linear import fit_part

RNG = np.random.default_rng(0)
DENSE = (RNG.random((60, 9)) < 0.4).astype(np.float32)
DENSE[:, 0] = DENSE[:, 5] = 0
LABELS = RNG.integers(0, 3, 60)
TARGETS = np.eye(3, dtype=np.float32)[LABELS]


def test_two_labels_share_one_logistic_regression_on_scaled_features():
    targets = np.stack([1 - TARGETS[:, 1], TARGETS[:, 1]], axis=1)
    part = fit_part(sparse.csr_matrix(DENSE), targets, slice(1, 9), 0.5, several=False)
    assert part.rows.tolist() == [1, 2, 3, 4, 6, 7, 8], "those that training has"
    own = DENSE[:, part.rows]
    p, q = (own[targets[:, n] > 0].sum(axis=0) + 1 for n in (0, 1))
    ratios = np.log(p / p.sum() / (q / q.sum()))
    model = LogisticRegression(C=0.5, solver="liblinear").fit(own * ratios, targets[:, 0] > 0)
    np.testing.assert_allclose(part.weights[:, 0], ratios * model.coef_[0] / 2, rtol=1e-4)
    np.testing.assert_allclose(part.weights[:, 1], -part.weights[:, 0])
    found = probabilities_of(part.scores(sparse.csr_matrix(DENSE)), several=False)
    np.testing.assert_allclose(found[:, 0], model.predict_proba(own * ratios)[:, 1], rtol=1e-4)


@pytest.mark.parametrize("several", [False, True])
def test_each_of_more_labels_has_a_regression_of_its_own(several):
    part = fit_part(sparse.csr_matrix(DENSE), TARGETS, slice(0, 9), 1.0, several)
    alone = fit_part(sparse.csr_matrix(DENSE), TARGETS[:, 2:], slice(0, 9), 1.0, several=True)
    np.testing.assert_allclose(part.weights[:, 2], alone.weights[:, 0])
    heavy = fit_part(sparse.csr_matrix(DENSE), TARGETS, slice(0, 9), 1.0, several, np.array([1.0, 1.0, 5.0]))
    scores = [one.scores(sparse.csr_matrix(DENSE))[:, 2].mean() for one in (part, heavy)]
    assert scores[1] > scores[0], "what counts more is more probable"


def test_a_label_that_all_or_none_have_gets_no_weights():
    part = fit_part(sparse.csr_matrix(DENSE), np.ones((60, 1), np.float32), slice(0, 9), 1.0, several=True)
    assert not part.weights.any() and not part.bias.any()


def test_factors_are_those_of_the_least_log_loss():
    scores = RNG.normal(size=(60, 3)) + 2 * TARGETS
    noise = RNG.normal(size=(60, 3))
    factors = fit_factors([3 * scores, noise], TARGETS, several=False)

    def loss(a, b):
        return log_loss(probabilities_of(a * 3 * scores + b * noise, False), TARGETS, False)

    assert all(loss(*factors) < loss(factors[0] * a, factors[1]) + 1e-3 for a in (0.7, 1.4))
    assert factors[1] < factors[0], "what says nothing counts less"
    # Where all is right, the prior keeps them bounded.
    assert fit_factors([100 * TARGETS], TARGETS, several=False)[0] < 2


def test_the_threshold_has_the_best_mean_f1():
    assert fit_threshold(np.array([[0.9, 0.4], [0.8, 0.3], [0.2, 0.1]]), np.array([[1, 1], [1, 1], [0, 0]])) == 0.25
