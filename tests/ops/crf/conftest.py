"""Random scores with the score of every path, and functions as graphs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import keras
import numpy as np
import pytest

from seqtag.ops import crf

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


class Case:
    """Random asymmetric scores over `MASKS`, and the score of every path of every row, in float64 NumPy."""

    tags = TAGS

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
        self.rows = range(len(MASKS))

    @property
    def scores(self) -> crf.CRFScores:
        return crf.CRFScores(*(np.float32(x) for x in (self.start, self.transitions, self.end)))

    @property
    def arguments(self) -> tuple:
        return np.float32(self.emissions), self.mask, self.scores

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


@pytest.fixture
def make_case() -> type[Case]:
    return Case


@pytest.fixture(
    params=[
        pytest.param((seed, scale, constrained), id=f"{seed}-{scale}-{constrained}")
        for seed, (scale, constrained) in enumerate(itertools.product((1.0, 5.0, 200.0), (False, True)))
    ]
)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(*request.param)


@functools.cache
def as_graph(function: Callable) -> Callable:
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, autograph=False)


@pytest.fixture
def compiled() -> Callable[[Callable], Callable]:
    """The function as one graph: quicker than step by step, and traced once for all cases."""
    return as_graph


@functools.cache
def n_best_graph(k: int) -> Callable:
    return as_graph(lambda emissions, mask, scores: crf.n_best(emissions, k, mask, scores))


@pytest.fixture
def n_best() -> Callable[[int], Callable]:
    """`n_best(k)(emissions, mask, scores)`, as a graph."""
    return n_best_graph


@pytest.fixture
def summed_gradients() -> Callable[[Callable, list[np.ndarray]], list[np.ndarray]]:
    """Gradients of the sum of `function(*arguments)` on whatever backend runs."""

    def gradients(function: Callable, arguments: list[np.ndarray]) -> list[np.ndarray]:
        if keras.backend.backend() == "jax":
            import jax

            grad = jax.jit(jax.grad(lambda *x: function(*x).sum(), argnums=tuple(range(len(arguments)))))
            return [np.asarray(g) for g in grad(*map(np.float32, arguments))]
        import tensorflow as tf

        variables = [tf.Variable(np.float32(x)) for x in arguments]
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(function(*variables))
        return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, variables)]

    return gradients
