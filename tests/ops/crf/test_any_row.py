"""What all functions have in common: long rows, empty ones, masked steps."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from seqtag.ops import crf


def test_long_rows_agree_with_a_loop_in_float64(compiled):
    rng = np.random.default_rng(8)
    time, tags = 5000, 4
    emissions = np.float32(rng.normal(size=(1, time, tags)) * 3)
    start, end = np.float32(rng.normal(size=(2, tags)))
    transitions = np.float32(rng.normal(size=(tags, tags)))
    arguments = (emissions, np.ones((1, time), bool), crf.CRFScores(start, transitions, end))
    forward, best = start + np.float64(emissions[0, 0]), start + np.float64(emissions[0, 0])
    pointers = []
    for emission in emissions[0, 1:]:
        forward = np.logaddexp.reduce(forward[:, None] + transitions, axis=0) + emission
        pointers.append((best[:, None] + transitions).argmax(0))
        best = (best[:, None] + transitions).max(0) + emission
    path = [int((best + end).argmax())]
    for pointer in reversed(pointers):
        path.append(int(pointer[path[-1]]))
    assert_allclose(compiled(crf.log_partition)(*arguments)[0], np.logaddexp.reduce(forward + end), rtol=1e-6)
    assert_array_equal(np.asarray(compiled(crf.best_path)(*arguments)[0])[0], path[::-1])
    assert_allclose(np.asarray(compiled(crf.marginals)(*arguments)).sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 0), (0, 4), (1, 1)])
def test_empty_batches_and_rows_go_through(make_case, compiled, n_best, shape: tuple[int, int]):
    if shape[0] == 0 and keras.backend.backend() == "jax":
        pytest.skip("JAX takes nothing from an array without elements")
    case = make_case(0)
    emissions, mask = np.zeros((*shape, case.tags), "float32"), np.ones(shape, bool)
    tags, scores = compiled(crf.best_path)(emissions, mask, case.scores)
    assert tags.shape == shape and scores.shape == shape[:1]
    assert compiled(crf.marginals)(emissions, mask, case.scores).shape == (*shape, case.tags)
    many, _ = n_best(2)(emissions, mask, case.scores)
    assert many.shape == (shape[0], 2, shape[1])
    loss = compiled(crf.negative_log_likelihood)(emissions, np.zeros(shape, int), mask, case.scores)
    assert np.asarray(loss).shape == shape[:1] and np.all(np.asarray(loss) >= 0)
    if shape[1] == 0:
        assert_array_equal(loss, 0)


def test_what_is_masked_does_not_matter(make_case, compiled):
    emissions, mask, scores = make_case(3).arguments
    spoilt = np.where(mask[..., None], emissions, np.nan).astype("float32")
    functions = [compiled(crf.log_partition), compiled(crf.marginals), lambda *x: compiled(crf.best_path)(*x)[0]]
    for function in functions:
        assert_array_equal(function(spoilt, mask, scores), function(emissions, mask, scores))
