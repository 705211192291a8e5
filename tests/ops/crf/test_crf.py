"""The CRF against brute force over all paths, in float64 NumPy."""

from __future__ import annotations

import functools
import itertools

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from seqtag.ops.crf import likelihood, spans, viterbi
from seqtag.ops.crf import scores as crf

TAGS, TIME = 3, 5
MASKS = np.array(
    [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0],
        [0, 0, 1, 0, 1],  # leading and inner gaps
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ],
    bool,
)


@functools.cache
def compiled(function):
    """The function as one graph: quicker than step by step, and traced once for all cases."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, autograph=False)


@functools.cache
def n_best(k: int):
    return compiled(lambda emissions, *scores: viterbi.n_best(emissions, k, *scores))


class Case:
    """Random asymmetric scores over `MASKS`, and the score of every path of every row."""

    def __init__(self, seed: int, scale: float = 1.0, constrained: bool = False) -> None:
        rng = np.random.default_rng(seed)
        # Rounded to float32 before either side sees them.
        draw = lambda *shape: rng.normal(size=shape).astype("float32").astype("float64")  # noqa: E731
        self.emissions = draw(len(MASKS), TIME, TAGS) * scale
        self.start, self.end, self.transitions = draw(TAGS), draw(TAGS), draw(TAGS, TAGS) * 2
        if constrained:
            self.start[rng.integers(TAGS)] = -np.inf
            self.end[rng.integers(TAGS)] = -np.inf
            self.transitions[rng.random((TAGS, TAGS)) < 0.35] = -np.inf
        self.mask = MASKS

    @property
    def scores(self) -> tuple:
        return tuple(np.float32(x) for x in (self.start, self.transitions, self.end))

    @property
    def arguments(self) -> tuple:
        return (np.float32(self.emissions), self.mask, *self.scores)

    def paths(self, row: int) -> list[tuple[tuple[int, ...], float]]:
        """Every path over the real steps of a row with its score, best first."""
        steps = np.flatnonzero(self.mask[row])
        found = [(path, self._score(row, steps, path)) for path in itertools.product(range(TAGS), repeat=len(steps))]
        return sorted(found, key=lambda item: -item[1])

    def _score(self, row: int, steps: np.ndarray, path: tuple[int, ...]) -> float:
        if not path:
            return 0.0
        total = self.start[path[0]] + self.end[path[-1]]
        total += sum(self.emissions[row, step, tag] for step, tag in zip(steps, path, strict=True))
        return total + sum(self.transitions[pair] for pair in itertools.pairwise(path))

    def log_partition(self, row: int) -> float:
        return np.logaddexp.reduce([score for _, score in self.paths(row)])

    def probability(self, row: int, event) -> float:
        """Probability of the paths for which `event(path)` holds."""
        total = self.log_partition(row)
        with np.errstate(invalid="ignore"):
            return sum(np.exp(score - total) for path, score in self.paths(row) if event(path))


CASES = [
    pytest.param(Case(seed, scale, constrained), id=f"{seed}-{scale}-{constrained}")
    for seed, (scale, constrained) in enumerate(itertools.product((1.0, 5.0, 200.0), (False, True)))
]
ROWS = range(len(MASKS))


@pytest.mark.parametrize("case", CASES)
def test_log_partition_sums_over_all_paths(case: Case):
    found = np.asarray(compiled(crf.log_partition)(*case.arguments))
    assert_allclose(found, [case.log_partition(row) for row in ROWS], rtol=1e-6, atol=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_path_score_is_that_of_the_path(case: Case):
    rng = np.random.default_rng(3)
    tags = np.where(MASKS, rng.integers(TAGS, size=MASKS.shape), -7)  # what is masked does not matter
    found = np.asarray(compiled(crf.path_score)(case.arguments[0], tags, *case.arguments[1:]))
    for row in ROWS:
        expected = dict(case.paths(row))[tuple(tags[row][MASKS[row]])]
        assert_allclose(found[row], expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_expectations_are_those_of_all_paths(case: Case):
    found = compiled(crf.expectations)(*case.arguments)
    for row in ROWS:
        marginals, counts = np.zeros((TIME, TAGS)), np.zeros((TAGS, TAGS))
        total = case.log_partition(row)
        for path, score in case.paths(row):
            probability = np.exp(score - total) if total > -np.inf else 0.0
            marginals[np.flatnonzero(MASKS[row]), list(path)] += probability
            for pair in itertools.pairwise(path):
                counts[pair] += probability
        assert_allclose(found.marginals[row], marginals, atol=3e-5)
        assert_allclose(found.transitions[row], counts, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_viterbi_finds_the_best_path(case: Case):
    tags, scores = map(np.asarray, compiled(viterbi.viterbi)(*case.arguments))
    assert_array_equal(tags[~MASKS], 0)
    for row in ROWS:
        path, score = case.paths(row)[0]
        assert_allclose(scores[row], score, rtol=1e-6, atol=1e-5)
        if score > -np.inf:
            assert tuple(tags[row][MASKS[row]]) == path


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("k", [1, 2, 11])
def test_n_best_finds_the_k_best_paths(case: Case, k: int):
    tags, scores = map(np.asarray, n_best(k)(*case.arguments))
    assert tags.shape == (len(MASKS), k, TIME)
    assert_array_equal(tags[:, :, ~MASKS.any(axis=0)], 0)
    for row in ROWS:
        expected = [(path, score) for path, score in case.paths(row)[:k] if score > -np.inf]
        for rank, (path, score) in enumerate(expected):
            assert tuple(tags[row, rank][MASKS[row]]) == path
            assert_allclose(scores[row, rank], score, rtol=1e-6, atol=1e-5)
        assert_array_equal(scores[row, len(expected) :], -np.inf)
        assert_array_equal(tags[row, len(expected) :], 0)


def test_n_best_refuses_none():
    with pytest.raises(ValueError, match="expected k to be at least 1, found 0"):
        viterbi.n_best(CASES[0].values[0].arguments[0], 0, *CASES[0].values[0].arguments[1:])


@pytest.mark.parametrize("case", CASES)
def test_probability_within_is_that_of_the_allowed_paths(case: Case):
    allowed = np.random.default_rng(5).random((*MASKS.shape, TAGS)) < 0.7
    found = np.asarray(compiled(spans.probability_within)(case.arguments[0], allowed, *case.arguments[1:]))
    for row in ROWS:
        steps = np.flatnonzero(MASKS[row])
        if case.log_partition(row) > -np.inf:
            expected = case.probability(row, lambda path, r=row, s=steps: all(allowed[r, s, list(path)]))
            assert_allclose(found[row], expected, atol=3e-5)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stops", [False, True])
def test_span_probability_is_that_of_the_paths_through_the_span(case: Case, stops: bool):
    rng = np.random.default_rng(7)
    tags = rng.integers(TAGS, size=MASKS.shape)
    limits = list(itertools.combinations_with_replacement(range(TIME + 1), 2))
    starts, ends = (np.tile(x, (len(MASKS), 1)) for x in np.array(limits).T)
    continues = rng.random((TAGS, TAGS)) < 0.5 if stops else None
    found = compiled(spans.span_probability)(
        case.arguments[0], tags, starts, ends, *case.arguments[1:], continues=continues
    )
    found = np.asarray(found)
    for row in ROWS:
        if case.log_partition(row) == -np.inf:
            continue
        before = np.concatenate([[0], np.cumsum(MASKS[row])])
        wanted = tags[row][MASKS[row]]
        for column, (start, end) in enumerate(limits):
            first, after = before[start], before[end]

            def event(path, first=first, after=after, wanted=wanted):
                if first == after:
                    return True
                on = stops and after < len(path) and continues[path[after - 1], path[after]]
                return path[first:after] == tuple(wanted[first:after]) and not on

            assert_allclose(found[row, column], case.probability(row, event), atol=3e-5)


def test_path_probabilities_multiply_to_that_of_the_path():
    case = Case(9)
    tags = np.random.default_rng(1).integers(TAGS, size=MASKS.shape)
    alone, given = map(np.asarray, compiled(spans.path_probabilities)(case.arguments[0], tags, *case.arguments[1:]))
    marginals = np.asarray(compiled(crf.marginals)(*case.arguments))
    assert_allclose(alone, np.where(MASKS, np.take_along_axis(marginals, tags[..., None], 2)[..., 0], 0), atol=1e-6)
    assert_array_equal(given[~MASKS], 0)
    for row in ROWS:
        expected = np.exp(dict(case.paths(row))[tuple(tags[row][MASKS[row]])] - case.log_partition(row))
        assert_allclose(np.prod(given[row][MASKS[row]]), expected, rtol=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("constrained", [False, True])
def test_loss_is_that_of_the_paths_with_the_known_tags(seed: int, constrained: bool):
    case = Case(seed, 2.0)
    rng = np.random.default_rng(seed)
    tags = rng.integers(-1, TAGS, size=MASKS.shape)
    constraints = _random_constraints(rng) if constrained else None
    found = np.asarray(
        compiled(likelihood.negative_log_likelihood)(
            case.arguments[0], tags, MASKS, *case.scores, constraints=constraints
        )
    )
    for row in ROWS:
        known = tags[row][MASKS[row]]
        paths = case.paths(row)
        legal = [score for path, score in paths if _legal(path, constraints)]
        true = [
            (score, _legal(path, constraints))
            for path, score in paths
            if all(a in (-1, b) for a, b in zip(known, path, strict=True))
        ]
        true_legal = [score for score, lawful in true if lawful]
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


def test_costs_raise_the_paths_that_miss_costly_tags():
    case, costs = Case(2), np.array([0.0, 1.5, 4.0])
    tags = np.random.default_rng(2).integers(TAGS, size=MASKS.shape)
    tags[0, 2] = -1  # an unknown tag cannot be missed
    found = np.asarray(
        compiled(likelihood.negative_log_likelihood)(*case.arguments[:1], tags, MASKS, *case.scores, tag_costs=costs)
    )
    for row in ROWS:
        known = tags[row][MASKS[row]]
        raised = [
            score + sum(costs[a] for a, b in zip(known, path, strict=True) if a not in (-1, b))
            for path, score in case.paths(row)
        ]
        true = [s for path, s in case.paths(row) if all(a in (-1, b) for a, b in zip(known, path, strict=True))]
        assert_allclose(found[row], np.logaddexp.reduce(raised) - np.logaddexp.reduce(true), atol=3e-5)


@pytest.mark.parametrize("scale", [1.0, 30.0, 200.0])
def test_loss_is_never_below_zero_and_zero_for_a_certain_path(scale: float):
    rng = np.random.default_rng(0)
    tags = rng.integers(TAGS, size=(20, 150))
    emissions = np.float32(rng.normal(size=(20, 150, TAGS)))
    emissions += scale * np.eye(TAGS, dtype="float32")[tags]
    zeros = np.zeros(TAGS, "float32")
    loss = compiled(likelihood.negative_log_likelihood)(
        emissions, tags, np.ones((20, 150), bool), zeros, np.zeros((TAGS, TAGS), "float32"), zeros
    )
    assert np.all(np.asarray(loss) >= 0)
    if scale > 1:
        assert_allclose(loss, 0, atol=2e-3)


def _gradients(function, arguments: list[np.ndarray]) -> list[np.ndarray]:
    """Gradients of the sum of `function(*arguments)` on whatever backend runs."""
    if keras.backend.backend() == "jax":
        import jax

        grad = jax.grad(lambda *x: function(*x).sum(), argnums=tuple(range(len(arguments))))
        return [np.asarray(g) for g in grad(*map(np.float32, arguments))]
    import tensorflow as tf

    variables = [tf.Variable(np.float32(x)) for x in arguments]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(function(*variables))
    return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, variables)]


@pytest.mark.parametrize("scale", [1.0, 200.0])
def test_gradients_of_the_log_partition_are_central_differences(scale: float):
    case = Case(4, scale)
    weights = np.array([1.0, 2.0, -1.0, 3.0, 5.0])  # one for each row, so that rows are told apart
    names = ("emissions", "start", "transitions", "end")

    def loss(emissions, start, transitions, end):
        return compiled(crf.log_partition)(emissions, MASKS, start, transitions, end) * np.float32(weights)

    found = _gradients(loss, [getattr(case, name) for name in names])
    for name, gradient in zip(names, found, strict=True):
        values = getattr(case, name)
        for index in np.ndindex(values.shape):
            either = []
            for step in (1e-4, -1e-4):
                values[index] += step
                either.append(weights @ [case.log_partition(row) for row in ROWS])
                values[index] -= step
            assert_allclose(gradient[index], (either[0] - either[1]) / 2e-4, atol=2e-4, err_msg=name)


def test_gradients_stay_finite_where_scores_are_forbidden():
    case = Case(1, 1.0)
    case.transitions[0, 1] = case.start[2] = -np.inf
    found = _gradients(
        lambda *x: compiled(crf.log_partition)(x[0], MASKS, *x[1:]),
        [case.emissions, case.start, case.transitions, case.end],
    )
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert found[1][2] == 0 and found[2][0, 1] == 0


def test_gradients_of_a_loss_with_unknown_tags_and_a_forbidden_true_path_are_finite():
    case = Case(6)
    tags = np.zeros(MASKS.shape, int)
    tags[1, 1] = -1
    constraints = [np.ones(TAGS, bool), ~np.eye(TAGS, dtype=bool), np.ones(TAGS, bool)]

    def loss(emissions, start, transitions, end):
        return compiled(likelihood.negative_log_likelihood)(
            emissions, tags, MASKS, start, transitions, end, constraints=constraints
        )

    found = _gradients(loss, [case.emissions, case.start, case.transitions, case.end])
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert np.all(found[0][0, :, 0] < 0)  # the true tags are pulled up though their path is forbidden


def test_long_rows_agree_with_a_loop_in_float64():
    rng = np.random.default_rng(8)
    time, tags = 5000, 4
    emissions = np.float32(rng.normal(size=(1, time, tags)) * 3)
    start, end = np.float32(rng.normal(size=(2, tags)))
    transitions = np.float32(rng.normal(size=(tags, tags)))
    scores = (emissions, np.ones((1, time), bool), start, transitions, end)
    forward, best = start + np.float64(emissions[0, 0]), start + np.float64(emissions[0, 0])
    pointers = []
    for emission in emissions[0, 1:]:
        forward = np.logaddexp.reduce(forward[:, None] + transitions, axis=0) + emission
        pointers.append((best[:, None] + transitions).argmax(0))
        best = (best[:, None] + transitions).max(0) + emission
    path = [int((best + end).argmax())]
    for pointer in reversed(pointers):
        path.append(int(pointer[path[-1]]))
    assert_allclose(compiled(crf.log_partition)(*scores)[0], np.logaddexp.reduce(forward + end), rtol=1e-6)
    assert_array_equal(np.asarray(compiled(viterbi.viterbi)(*scores)[0])[0], path[::-1])
    assert_allclose(np.asarray(compiled(crf.marginals)(*scores)).sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 0), (0, 4), (1, 1)])
def test_empty_batches_and_rows_go_through(shape: tuple[int, int]):
    if shape[0] == 0 and keras.backend.backend() == "jax":
        pytest.skip("JAX takes nothing from an array without elements")
    case = Case(0)
    emissions, mask = np.zeros((*shape, TAGS), "float32"), np.ones(shape, bool)
    tags, scores = compiled(viterbi.viterbi)(emissions, mask, *case.scores)
    assert tags.shape == shape and scores.shape == shape[:1]
    assert compiled(crf.marginals)(emissions, mask, *case.scores).shape == (*shape, TAGS)
    many, _ = n_best(2)(emissions, mask, *case.scores)
    assert many.shape == (shape[0], 2, shape[1])
    loss = compiled(likelihood.negative_log_likelihood)(emissions, np.zeros(shape, int), mask, *case.scores)
    assert np.asarray(loss).shape == shape[:1] and np.all(np.asarray(loss) >= 0)
    if shape[1] == 0:
        assert_array_equal(loss, 0)


def test_what_is_masked_does_not_matter():
    case = Case(3)
    emissions, mask, *scores = case.arguments
    spoilt = np.where(mask[..., None], emissions, np.nan).astype("float32")
    for function in (crf.log_partition, crf.marginals, lambda *x: compiled(viterbi.viterbi)(*x)[0]):
        assert_array_equal(function(spoilt, mask, *scores), function(emissions, mask, *scores))


def test_not_a_number_is_not_hidden():
    case = Case(3)
    case.emissions[0, 1, 2] = np.nan
    loss = np.asarray(
        compiled(likelihood.negative_log_likelihood)(case.arguments[0], np.zeros(MASKS.shape, int), *case.arguments[1:])
    )
    assert np.isnan(loss[0]) and np.isfinite(loss[1:]).all()
