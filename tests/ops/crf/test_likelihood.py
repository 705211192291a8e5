"""The loss against sums over all paths."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from seqtag.ops import crf

TAGS = 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("constrained", [False, True])
def test_loss_is_that_of_the_paths_with_the_known_tags(make_case, compiled, seed: int, constrained: bool):
    case = make_case(seed, 2.0)
    rng = np.random.default_rng(seed)
    tags = rng.integers(-1, case.tags, size=case.mask.shape)
    constraints = _random_constraints(rng) if constrained else None
    found = np.asarray(
        compiled(crf.negative_log_likelihood)(case.arguments[0], tags, case.mask, case.scores, constraints=constraints)
    )
    for row in case.rows:
        known = tags[row][case.mask[row]]
        paths = case.paths(row)
        legal = [score for path, score in paths if _legal(path, constraints)]
        true = [
            (score, _legal(path, constraints))
            for path, score in paths
            if all(a in (-1, b) for a, b in zip(known, path, strict=True))
        ]
        true_legal = [score for score, is_legal in true if is_legal]
        if true_legal:
            expected = np.logaddexp.reduce(legal) - np.logaddexp.reduce(true_legal)
        else:  # the true paths join the partition
            reached = np.logaddexp.reduce([score for score, _ in true])
            expected = np.logaddexp.reduce([*legal, reached]) - reached
        assert_allclose(found[row], expected, rtol=1e-5, atol=2e-5)


def _random_constraints(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.random(shape) < 0.6 for shape in ((TAGS,), (TAGS, TAGS), (TAGS,))]


def _legal(path: tuple[int, ...], constraints: list[np.ndarray] | None) -> bool:
    if constraints is None or not path:
        return True
    start, transitions, end = constraints
    return start[path[0]] and end[path[-1]] and all(transitions[pair] for pair in itertools.pairwise(path))


def test_costs_raise_the_paths_that_miss_costly_tags(make_case, compiled):
    case, costs = make_case(2), np.array([0.0, 1.5, 4.0])
    tags = np.random.default_rng(2).integers(case.tags, size=case.mask.shape)
    tags[0, 2] = -1  # an unknown tag cannot be missed
    found = np.asarray(
        compiled(crf.negative_log_likelihood)(*case.arguments[:1], tags, case.mask, case.scores, tag_costs=costs)
    )
    for row in case.rows:
        known = tags[row][case.mask[row]]
        raised = [
            score + sum(costs[a] for a, b in zip(known, path, strict=True) if a not in (-1, b))
            for path, score in case.paths(row)
        ]
        true = [s for path, s in case.paths(row) if all(a in (-1, b) for a, b in zip(known, path, strict=True))]
        assert_allclose(found[row], np.logaddexp.reduce(raised) - np.logaddexp.reduce(true), atol=3e-5)


@pytest.mark.parametrize("scale", [1.0, 30.0, 200.0])
def test_loss_is_never_below_zero_and_zero_for_a_certain_path(compiled, scale: float):
    rng = np.random.default_rng(0)
    tags = rng.integers(TAGS, size=(20, 150))
    emissions = np.float32(rng.normal(size=(20, 150, TAGS)))
    emissions += scale * np.eye(TAGS, dtype="float32")[tags]
    zeros = np.zeros(TAGS, "float32")
    loss = compiled(crf.negative_log_likelihood)(
        emissions, tags, np.ones((20, 150), bool), crf.CRFScores(zeros, np.zeros((TAGS, TAGS), "float32"), zeros)
    )
    assert np.all(np.asarray(loss) >= 0)
    if scale > 1:
        assert_allclose(loss, 0, atol=2e-3)


def test_gradients_with_unknown_tags_and_a_forbidden_true_path_are_finite(make_case, compiled, summed_gradients):
    case = make_case(6)
    tags = np.zeros(case.mask.shape, int)
    tags[1, 1] = -1
    constraints = [np.ones(TAGS, bool), ~np.eye(TAGS, dtype=bool), np.ones(TAGS, bool)]

    def loss(emissions, *scores):
        return compiled(crf.negative_log_likelihood)(
            emissions, tags, case.mask, crf.CRFScores(*scores), constraints=constraints
        )

    found = summed_gradients(loss, [case.emissions, case.start, case.transitions, case.end])
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert np.all(found[0][0, :, 0] < 0)  # the true tags are pulled up though their path is forbidden


def test_not_a_number_is_not_hidden(make_case, compiled):
    case = make_case(3)
    case.emissions[0, 1, 2] = np.nan
    loss = np.asarray(
        compiled(crf.negative_log_likelihood)(case.arguments[0], np.zeros(case.mask.shape, int), *case.arguments[1:])
    )
    assert np.isnan(loss[0]) and np.isfinite(loss[1:]).all()


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("with_costs", [False, True])
def test_loss_within_is_that_of_the_paths_of_allowed_tags(make_case, compiled, constrained: bool, with_costs: bool):
    case, rng = make_case(5), np.random.default_rng(5)
    allowed = rng.random((*case.mask.shape, case.tags)) < 0.5
    allowed[np.arange(len(allowed))[:, None], np.arange(allowed.shape[1]), rng.integers(TAGS, size=case.mask.shape)] = (
        True
    )
    constraints = _random_constraints(rng) if constrained else None
    costs = np.array([0.5, 1.0, 2.0]) if with_costs else None
    arguments = (case.arguments[0], allowed, case.mask, case.scores)
    found = np.asarray(compiled(crf.loss_within)(*arguments, constraints=constraints, tag_costs=costs))
    for row in case.rows:
        options = allowed[row][case.mask[row]]
        every, within = [], []
        for path, score in case.paths(row):
            missed = [
                ~option[tag] * (0 if costs is None else costs[option].min())
                for option, tag in zip(options, path, strict=True)
            ]
            kept = all(option[tag] for option, tag in zip(options, path, strict=True))
            legal = _legal(path, constraints)
            every += [score + sum(missed)] if legal else []
            within += [(score, legal)] if kept else []
        legal_within = [score for score, legal in within if legal]
        if legal_within:
            expected = np.logaddexp.reduce(every) - np.logaddexp.reduce(legal_within)
        else:
            reached = np.logaddexp.reduce([score for score, _ in within])
            expected = np.logaddexp.reduce([*every, reached]) - reached
        assert_allclose(found[row], expected, rtol=1e-5, atol=3e-5)


def test_loss_within_has_the_gradient_of_differences(make_case, gradients, compiled):
    case, rng = make_case(6), np.random.default_rng(6)
    allowed = rng.random((*case.mask.shape, case.tags)) < 0.7
    allowed[..., 0] = True
    constraints = [np.ones(TAGS, bool), ~np.eye(TAGS, k=1, dtype=bool), np.ones(TAGS, bool)]

    def loss(emissions, *scores):
        return keras.ops.sum(
            crf.loss_within(emissions, allowed, case.mask, crf.CRFScores(*scores), constraints, np.ones(TAGS))
        )

    arrays = [case.emissions, case.start, case.transitions, case.end]
    value = compiled(loss)
    # JAX computes in float32, where a small step is lost in rounding.
    width, tolerance = (1e-2, 1e-2) if keras.backend.backend() == "jax" else (1e-5, 1e-5)
    for array, gradient in zip(arrays, gradients(loss, *arrays), strict=True):
        place = tuple(rng.integers(size) for size in array.shape)
        ends = []
        for step in (width, -width):
            moved = [other.copy() for other in arrays]
            moved[[other is array for other in arrays].index(True)][place] += step
            ends.append(float(value(*moved)))
        assert_allclose(gradient[place], (ends[0] - ends[1]) / (2 * width), atol=tolerance)
