"""Scores of paths against a loop over the steps of each."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from seqtag.ops import crf


def test_path_score_is_that_of_the_path(case, compiled):
    rng = np.random.default_rng(3)
    tags = np.where(case.mask, rng.integers(case.tags, size=case.mask.shape), -7)  # what is masked does not matter
    found = np.asarray(compiled(crf.path_score)(case.arguments[0], tags, *case.arguments[1:]))
    for row in case.rows:
        expected = dict(case.paths(row))[tuple(tags[row][case.mask[row]])]
        assert_allclose(found[row], expected, rtol=1e-6, atol=1e-5)
