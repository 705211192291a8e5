"""Beam search against brute force over all sequences, and against a beam search in NumPy."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.ops.beam import Beams, Coverage, beam_search
from seqtag.ops.step_functions import repeat_rows

TENSORFLOW = keras.config.backend() == "tensorflow"
only_tensorflow = pytest.mark.skipif(not TENSORFLOW, reason="shapes are known on JAX, and a loop is always traced")
START, END, STEPS = 1, 0, 4
MASK = np.array([[1, 1, 1], [1, 0, 1]], bool)


def search(step, state, **options) -> Beams:
    found = beam_search(step, state, **{"batch": 2, "start": START, "end": END, "steps": STEPS} | options)
    return Beams(*map(ops.convert_to_numpy, found))


def score_of(log_probability, length, alpha=0.0, beta=0.0, covered=None, mask=None):
    """The score of Wu et al. (2016)."""
    score = log_probability / ((5 + length) / 6) ** alpha
    return score + beta * np.log(np.minimum(covered, 1))[mask].sum() if beta else score


def all_hypotheses(model, row, scored, symbols=(), log_probability=0.0, steps=STEPS):
    """Every hypothesis: (score, symbols, log-probability), with `end` among the symbols where it has ended."""
    following, covered = model.walk(row, [START, *symbols])
    for symbol, gained in enumerate(following):
        longer, total = (*symbols, symbol), log_probability + gained
        if symbol == END or len(longer) == steps:
            yield scored(total, len(longer), covered), longer, total
        else:
            yield from all_hypotheses(model, row, scored, longer, total, steps)


def numpy_beam(following, width, steps, scored=score_of):
    """Beam search as the papers write it; `following(symbols)` gives log-probabilities."""
    beams = [(0.0, (), 0.0)]
    for _ in range(steps):
        candidates = []
        for score, symbols, total in beams:
            if symbols[-1:] == (END,):
                candidates.append((score, symbols, total))
                continue
            for symbol, gained in enumerate(following(symbols)):
                candidates.append((scored(total + gained, len(symbols) + 1), (*symbols, symbol), total + gained))
        # Sorting is stable: of equal scores, the better hypothesis and the lower symbol stay before.
        beams = sorted((c for c in candidates if c[2] > -math.inf), key=lambda c: -c[0])[:width]
    return beams


def assert_found(found: Beams, row: int, wanted) -> None:
    """The beams of a row are the wanted hypotheses in their order; all else does not exist."""
    count, width = len(wanted), found.scores.shape[1]
    steps = found.symbols.shape[2]
    padded = [[*symbols, *[END] * (steps - len(symbols))] for _, symbols, _ in wanted]
    padded += [[END] * steps] * (width - count)
    assert found.symbols[row].tolist() == padded
    nothing = [-math.inf] * (width - count)
    np.testing.assert_allclose(found.scores[row], [score for score, *_ in wanted] + nothing, rtol=2e-5)
    np.testing.assert_allclose(found.log_probabilities[row], [total for *_, total in wanted] + nothing, rtol=2e-5)
    ended = [symbols[-1] == END for _, symbols, _ in wanted]
    assert found.finished[row].tolist() == ended + [False] * (width - count)
    lengths = [len(symbols) - end for (_, symbols, _), end in zip(wanted, ended, strict=True)]
    assert found.lengths[row].tolist() == lengths + [0] * (width - count)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.7, 0.0), (1.3, 0.4)])
def test_a_wide_beam_finds_all_sequences_in_their_order(random_model, alpha, beta):
    model = random_model(seed=3)
    coverage = Coverage(lambda state: state["rest"][0], MASK, beta) if beta else None
    found = search(model.step, model.state(), width=130, alpha=alpha, coverage=coverage)
    for row in range(2):

        def scored(total, length, covered, mask=MASK[row]):
            return score_of(total, length, alpha, beta, covered, mask)

        every = sorted(all_hypotheses(model, row, scored), key=lambda hypothesis: -hypothesis[0])
        assert len(every) == 1 + 3 + 9 + 27 + 81
        assert_found(found, row, every)


@pytest.mark.parametrize(("seed", "width", "alpha"), [(1, 2, 0.0), (2, 3, 1.0), (3, 4, 0.5), (4, 7, 2.0), (5, 5, 0.0)])
def test_a_narrow_beam_prunes_as_one_in_numpy(random_model, seed, width, alpha):
    model = random_model(seed, rows=3, vocabulary=6)
    found = search(model.step, model.state(), batch=3, width=width, steps=7, alpha=alpha)
    for row in range(3):
        wanted = numpy_beam(
            lambda symbols, row=row: model.walk(row, [START, *symbols])[0],
            width,
            7,
            lambda total, length: score_of(total, length, alpha),
        )
        assert_found(found, row, wanted)


@pytest.mark.parametrize("seed", range(3))
def test_width_one_takes_the_best_symbol_of_each_step(random_model, seed):
    model = random_model(seed, vocabulary=6)
    found = search(model.step, model.state(), width=1, steps=9, alpha=0.6)
    for row in range(2):
        symbols, total = [], 0.0
        while len(symbols) < 9 and symbols[-1:] != [END]:
            following = model.walk(row, [START, *symbols])[0]
            symbols.append(int(np.argmax(following)))
            total += following.max()
        assert_found(found, row, [(score_of(total, len(symbols), 0.6), tuple(symbols), total)])


def test_rows_do_not_see_each_other(random_model):
    model = random_model(seed=6)
    both = search(model.step, model.state(), width=3, alpha=1.0)
    for row in range(2):
        state = keras.tree.map_structure(lambda tensor, row=row: tensor[row : row + 1], model.state())
        alone = search(model.step, state, batch=1, width=3, alpha=1.0)
        assert alone.symbols.tolist() == both.symbols[row : row + 1].tolist()
        np.testing.assert_allclose(alone.scores, both.scores[row : row + 1], rtol=1e-5)


class Record(NamedTuple):
    """The symbols that a hypothesis has read, and how many."""

    symbols: object
    count: object


def test_states_of_any_structure_follow_their_hypotheses(random_model):
    """A step that works everything out again from the record of what it has read finds the same."""
    model = random_model(seed=7)
    wanted = search(model.step, model.state(), width=4)

    def step(symbols, state):
        first, [record] = state["first"], state["records"]
        here = ops.arange(STEPS) == record.count[:, None]
        symbols = ops.where(here, symbols[:, None], record.symbols)
        again = {"hidden": first, "rest": (ops.zeros((8, model.SOURCE)),)}
        for t in range(STEPS):
            log_probabilities, new = model.step(symbols[:, t], again)
            read = t <= record.count
            again = keras.tree.map_structure(lambda n, o, read=read: ops.where(read[:, None], n, o), new, again)
        log_probabilities = ops.log_softmax(ops.matmul(again["hidden"], np.float32(model.output)))
        return log_probabilities, {"first": first, "records": [Record(symbols, record.count + 1)]}

    record = Record(ops.zeros((2, STEPS), "int32"), ops.zeros(2, "int32"))
    found = search(step, {"first": model.state()["hidden"], "records": [record]}, width=4)
    np.testing.assert_array_equal(found.symbols, wanted.symbols)
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-5)


def table_step(table, dtype="float32"):
    """A step function whose log-probabilities are those of the last symbol alone."""
    table = ops.cast(ops.convert_to_tensor(np.float32(table)), dtype)
    return lambda symbols, state: (ops.take(table, symbols, axis=0), state)


def of_table(table):
    return lambda symbols: table[(START, *symbols)[-1]]


@pytest.mark.parametrize(("seed", "width"), [(1, 1), (2, 2), (3, 5), (4, 30)])
def test_of_equal_scores_the_better_hypothesis_and_the_lower_symbol_win(seed, width):
    # Whole numbers: their sums are exact, and many are equal.
    table = -np.random.default_rng(seed).integers(1, 3, size=(4, 4)).astype(float)
    found = search(table_step(table), (), width=width, steps=5)
    for row in range(2):
        assert_found(found, row, numpy_beam(of_table(table), width, 5))


def test_the_length_penalty_changes_the_order():
    """[end] has the probability .5; [1, end] has .5 * .9, and a penalty of 7/6: log(.45) / (7/6) = -.684 > -.693."""
    step = table_step(np.log([[1.0, 1e-9, 1e-9], [0.9, 0.05, 0.05], [0.5, 0.5, 1e-9]]))
    for alpha, best in ((0.0, [0, 0, 0]), (1.0, [1, 0, 0])):
        found = search(step, (), start=2, batch=1, width=2, steps=3, alpha=alpha)
        assert found.symbols[0, 0].tolist() == best
    np.testing.assert_allclose(found.scores[0], [math.log(0.45) * 6 / 7, math.log(0.5)], rtol=1e-5)


def test_the_coverage_penalty_changes_the_order():
    """[1, end] leaves the second position half covered, [2, end] covers both: with the mask there is no difference."""
    looks = ops.convert_to_tensor(np.float32([[0.0, 0.0], [1.0, 0.5], [0.9, 1.5], [0.2, 0.0]]))
    following = table_step(np.log([[1, 1e-9, 1e-9], [1, 1e-9, 1e-9], [1, 1e-9, 1e-9], [1e-9, 0.6, 0.4]]))

    def step(symbols, attended):
        return following(symbols, None)[0], attended + ops.take(looks, symbols, axis=0)

    def found(beta, mask):
        coverage = Coverage(lambda attended: attended, np.array([mask]), beta)
        return search(step, ops.zeros((1, 2)), batch=1, start=3, width=2, steps=3, coverage=coverage)

    assert found(0.0, [True, True]).symbols[0].tolist() == [[1, 0, 0], [2, 0, 0]]
    assert found(1.0, [True, False]).symbols[0].tolist() == [[1, 0, 0], [2, 0, 0]]
    both = found(1.0, [True, True])
    assert both.symbols[0].tolist() == [[2, 0, 0], [1, 0, 0]]
    np.testing.assert_allclose(both.scores[0], [math.log(0.4), math.log(0.6) + math.log(0.5)], rtol=1e-5)
    np.testing.assert_allclose(both.log_probabilities[0], np.log([0.4, 0.6]), rtol=1e-5)


def test_a_source_without_attention_has_a_finite_score():
    coverage = Coverage(lambda attended: attended, np.ones((1, 2), bool), 0.5)
    step = table_step(np.log([[0.5, 0.5], [0.5, 0.5]]))
    for width in (1, 3):
        found = search(step, ops.zeros((1, 2)), batch=1, width=width, steps=3, coverage=coverage)
        np.testing.assert_allclose(found.scores, found.log_probabilities + np.log(1e-10), rtol=1e-5)


def test_symbols_may_be_forbidden(random_model):
    model = random_model(seed=8)
    forbidden = np.array([False, True, False, True])
    found = search(model.step, model.state(), width=40, forbidden=forbidden)
    for row in range(2):
        every = all_hypotheses(model, row, lambda total, *_: total)
        allowed = [hypothesis for hypothesis in every if not {1, 3} & set(hypothesis[1])]
        assert_found(found, row, sorted(allowed, key=lambda hypothesis: -hypothesis[0]))


@pytest.mark.parametrize("width", [1, 2, 6])
def test_impossible_symbols_are_never_taken(width):
    """Nothing follows symbol 2: a hypothesis with it does not exist, unless it is cut there."""
    with np.errstate(divide="ignore"):
        table = np.log([[1, 0, 0], [0.25, 0, 0.75], [0, 0, 0]])
    found = search(table_step(table), (), width=width, steps=3)
    assert not np.isnan(found.scores).any()
    for row in range(2):
        assert_found(found, row, numpy_beam(of_table(table), width, 3))
    cut = search(table_step(table), (), width=width, steps=1)
    assert cut.symbols[0, 0].tolist() == [2] and not cut.finished[0, 0]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("width", [1, 3])
def test_half_precision_is_added_up_in_float32(dtype, width):
    table = np.random.default_rng(9).normal(size=(5, 5)) - 2
    table = ops.convert_to_numpy(ops.cast(ops.cast(np.float32(table), dtype), "float32"))
    found = search(table_step(table, dtype), (), width=width, steps=6, alpha=1.0, forbidden=[False] * 4 + [True])
    assert found.scores.dtype == found.log_probabilities.dtype == np.float32
    table[:, 4] = -np.inf
    wanted = numpy_beam(of_table(table), width, 6, lambda total, length: score_of(total, length, 1.0))
    assert_found(found, 0, wanted)


def test_each_row_may_start_with_a_symbol_of_its_own():
    table = np.log([[0.8, 0.1, 0.1], [0.2, 0.1, 0.7], [0.6, 0.3, 0.1]])
    found = search(table_step(table), (), start=np.array([1, 2]), width=2, steps=2)
    assert found.symbols.tolist() == [[[2, 0], [2, 1]], [[0, 0], [1, 2]]]


@only_tensorflow
@pytest.mark.parametrize("width", [1, 4])
def test_it_stops_when_all_hypotheses_have_ended(width):
    """Symbols count down from the start to the end; from 2 they may also end at once."""
    calls = []
    table = np.full((4, 4), -np.inf)
    table[0, 0] = table[1, 0] = table[3, 2] = 0.0
    table[2, 0], table[2, 1] = np.log([0.4, 0.6])
    step = table_step(table)

    def counted(symbols, state):
        calls.append(symbols)
        return step(symbols, state)

    found = search(counted, (), start=np.array([3, 1]), width=width, steps=50)
    assert len(calls) == 3
    assert found.symbols[:, 0, :4].tolist() == [[2, 1, 0, 0], [0, 0, 0, 0]]
    assert found.finished.sum() == (2 if width == 1 else 3)


@only_tensorflow
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.3, 0.2), (2.0, 0.0)])
def test_the_n_best_are_those_of_the_whole_beam_in_fewer_steps(random_model, alpha, beta):
    calls = {2: 0, 6: 0}
    coverage = Coverage(lambda state: state["rest"][0], MASK, beta) if beta else None
    for seed in range(4):
        model = random_model(seed, vocabulary=5)

        def run(n_best, model=model):
            def counted(symbols, state):
                calls[n_best] += 1
                return model.step(symbols, state)

            options = {"width": 6, "steps": 12, "alpha": alpha, "coverage": coverage}
            return search(counted, model.state(), n_best=n_best, **options)

        for found, wanted in zip(run(2), run(6), strict=True):
            np.testing.assert_array_equal(found, wanted[:, :2])
    assert calls[2] < calls[6] or alpha == 2


def test_the_bound_cuts_and_says_so(random_model):
    model = random_model(seed=10)
    found = search(model.step, model.state(), width=2, steps=5, forbidden=np.arange(4) == END)
    assert found.lengths.tolist() == [[5, 5], [5, 5]]
    assert not found.finished.any()
    assert (found.symbols != END).all()


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("bounds", [[1, 5], [5, 1]])
def test_each_row_may_have_a_bound_of_its_own(random_model, width, bounds):
    model = random_model(seed=8)
    found = search(model.step, model.state(), width=width, alpha=0.8, steps=ops.array(bounds, "int32"))
    for row, bound in enumerate(bounds):
        alone = search(model.step, model.state(), width=width, alpha=0.8, steps=bound)
        assert (found.symbols[row, :, :bound] == alone.symbols[row]).all()
        assert (found.symbols[row, :, bound:] == END).all()
        for name in ("lengths", "log_probabilities", "scores", "finished"):
            np.testing.assert_allclose(getattr(found, name)[row], getattr(alone, name)[row], rtol=1e-6)
    assert not found.finished[bounds.index(1)].all(), "nothing is cut"


@only_tensorflow
def test_no_rows_are_no_work(random_model):
    model = random_model(seed=1, rows=0)
    assert search(model.step, model.state(), batch=0, width=2).symbols.shape == (0, 2, STEPS)


def test_rows_are_repeated_one_after_the_other():
    found = repeat_rows([np.array([[1, 2], [3, 4]]), {"one": np.array([5, 6])}], 2)
    assert ops.convert_to_numpy(found[0]).tolist() == [[1, 2], [1, 2], [3, 4], [3, 4]]
    assert ops.convert_to_numpy(found[1]["one"]).tolist() == [5, 5, 6, 6]


@pytest.mark.parametrize("width", [1, 3])
def test_a_graph_finds_what_is_found_without(random_model, width):
    model = random_model(seed=11, vocabulary=5)
    coverage = Coverage(lambda state: state["rest"][0], MASK, 0.3)
    options = {"end": END, "width": width, "alpha": 0.8}
    wanted = search(model.step, model.state(), steps=6, coverage=coverage, **options)

    def run(hidden, mask, steps):
        state = {"hidden": hidden, "rest": (ops.zeros_like(hidden)[:, : model.SOURCE],)}
        batch = ops.shape(hidden)[0]
        spread = coverage._replace(mask=mask)
        return beam_search(model.step, state, batch=batch, start=START, steps=steps, coverage=spread, **options)

    if TENSORFLOW:
        import tensorflow as tf

        signature = [tf.TensorSpec((None, None)), tf.TensorSpec((None, None), "bool"), tf.TensorSpec((), "int32")]
        graph = tf.function(run, input_signature=signature)
    else:
        import jax

        graph = jax.jit(run, static_argnums=2)
    found = graph(np.float32(model.first), MASK, 6)
    for name, value in wanted._asdict().items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-5, err_msg=name)


@only_tensorflow
@pytest.mark.parametrize("width", [1, 3])
def test_a_saved_model_searches_though_a_step_loses_the_sizes_that_a_graph_knows(random_model, tmp_path, width):
    import tensorflow as tf

    model = random_model(seed=12, vocabulary=60)
    wanted = search(model.step, model.state(), width=width)

    def unknown(tensor):
        return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=[None] * tensor.shape.rank)

    def step(symbols, state):
        return keras.tree.map_structure(unknown, model.step(symbols, state))

    @tf.function(input_signature=[tf.TensorSpec((2, 5))])
    def serve(hidden):
        state = {"hidden": hidden, "rest": (tf.zeros((2, model.SOURCE)),)}
        batch = tf.shape(hidden)[0]
        return beam_search(step, state, batch=batch, start=START, end=END, width=width, steps=STEPS)._asdict()

    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path), {"serving_default": serve})
    found = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](tf.constant(model.first, "float32"))
    np.testing.assert_array_equal(found["symbols"], wanted.symbols)
    np.testing.assert_allclose(found["scores"], wanted.scores, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "expected width to be a whole number above zero, found 0"),
        ({"width": 2.5}, "expected width to be a whole number above zero, found 2.5"),
        ({"width": 1, "steps": -1}, "expected steps to be a whole number above zero, found -1"),
        ({"width": 2, "n_best": 0}, "expected n_best to be a whole number above zero, found 0"),
        ({"width": 2, "n_best": 3}, "expected n_best to be at most the width of 2, found 3"),
        ({"width": 1, "alpha": -0.5}, "expected alpha to be at least 0, found -0.5"),
        ({"width": 1, "coverage": Coverage(lambda state: state, MASK, math.nan)}, "expected beta to be at least 0"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        search(table_step(np.zeros((3, 3))), (), **options)
