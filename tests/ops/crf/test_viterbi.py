"""The best paths against all paths."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from seqtag.ops import crf


def test_viterbi_finds_the_best_path(case, compiled):
    tags, scores = map(np.asarray, compiled(crf.best_path)(*case.arguments))
    assert_array_equal(tags[~case.mask], 0)
    for row in case.rows:
        path, score = case.paths(row)[0]
        assert_allclose(scores[row], score, rtol=1e-6, atol=1e-5)
        if score > -np.inf:
            assert tuple(tags[row][case.mask[row]]) == path


@pytest.mark.parametrize("k", [1, 2, 11])
def test_n_best_finds_the_k_best_paths(case, n_best, k: int):
    tags, scores = map(np.asarray, n_best(k)(*case.arguments))
    assert tags.shape == (len(case.mask), k, case.mask.shape[1])
    assert_array_equal(tags[:, :, ~case.mask.any(axis=0)], 0)
    for row in case.rows:
        expected = [(path, score) for path, score in case.paths(row)[:k] if score > -np.inf]
        for rank, (path, score) in enumerate(expected):
            assert tuple(tags[row, rank][case.mask[row]]) == path
            assert_allclose(scores[row, rank], score, rtol=1e-6, atol=1e-5)
        assert_array_equal(scores[row, len(expected) :], -np.inf)
        assert_array_equal(tags[row, len(expected) :], 0)


def test_n_best_refuses_none(make_case):
    emissions, mask, scores = make_case(0).arguments
    with pytest.raises(ValueError, match="expected k to be a whole number from 1, found 0"):
        crf.n_best(emissions, 0, mask, scores)
