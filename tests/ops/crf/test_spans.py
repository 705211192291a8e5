"""Probabilities of parts of a path against sums over all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from seqtag.ops import crf


def test_probability_within_is_that_of_the_allowed_paths(case, compiled):
    allowed = np.random.default_rng(5).random((*case.mask.shape, case.tags)) < 0.7
    found = np.asarray(compiled(crf.probability_within)(case.arguments[0], allowed, *case.arguments[1:]))
    for row in case.rows:
        steps = np.flatnonzero(case.mask[row])
        if case.log_partition(row) > -np.inf:
            expected = case.probability(row, lambda path, r=row, s=steps: all(allowed[r, s, list(path)]))
            assert_allclose(found[row], expected, atol=3e-5)


@pytest.mark.parametrize("stops", [False, True])
def test_span_probability_is_that_of_the_paths_through_the_span(case, compiled, stops: bool):
    rng = np.random.default_rng(7)
    tags = rng.integers(case.tags, size=case.mask.shape)
    limits = list(itertools.combinations_with_replacement(range(case.mask.shape[1] + 1), 2))
    starts, ends = (np.tile(x, (len(case.mask), 1)) for x in np.array(limits).T)
    continues = rng.random((case.tags, case.tags)) < 0.5 if stops else None
    found = compiled(crf.span_probability)(
        case.arguments[0], tags, starts, ends, *case.arguments[1:], continues=continues
    )
    found = np.asarray(found)
    for row in case.rows:
        if case.log_partition(row) == -np.inf:
            continue
        before = np.concatenate([[0], np.cumsum(case.mask[row])])
        wanted = tags[row][case.mask[row]]
        for column, (start, end) in enumerate(limits):
            first, after = before[start], before[end]

            def event(path, first=first, after=after, wanted=wanted):
                if first == after:
                    return True
                on = stops and after < len(path) and continues[path[after - 1], path[after]]
                return path[first:after] == tuple(wanted[first:after]) and not on

            assert_allclose(found[row, column], case.probability(row, event), atol=3e-5)


def test_path_probabilities_multiply_to_that_of_the_path(make_case, compiled):
    case = make_case(9)
    tags = np.random.default_rng(1).integers(case.tags, size=case.mask.shape)
    alone, given = map(np.asarray, compiled(crf.path_probabilities)(case.arguments[0], tags, *case.arguments[1:]))
    marginals = np.asarray(compiled(crf.marginals)(*case.arguments))
    assert_allclose(alone, np.where(case.mask, np.take_along_axis(marginals, tags[..., None], 2)[..., 0], 0), atol=1e-6)
    assert_array_equal(given[~case.mask], 0)
    for row in case.rows:
        expected = np.exp(dict(case.paths(row))[tuple(tags[row][case.mask[row]])] - case.log_partition(row))
        assert_allclose(np.prod(given[row][case.mask[row]]), expected, rtol=1e-4)
