"""Beam search over a step function: any cell, any structure of state, all of it in the graph.

See `seqtag.ops.step_functions` for what a step function is. `seqtag.ops.sampling` draws from the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqtag.ops.arguments import check_at_least_zero, whole_number, whole_number_or_tensor
from seqtag.ops.step_functions import (
    IMPOSSIBLE,
    State,
    Step,
    first_symbols,
    forbid,
    keep_known_shapes,
    repeat_rows,
    take_rows,
)

Tensor = Any

# What a position without any attention counts as: its logarithm, -23, is finite.
LEAST_COVERAGE = 1e-10
# Symbols are searched for the best in blocks of so many, where a row has more than a few blocks for each it keeps.
_BLOCK = 32


class Beams(NamedTuple):
    """The hypotheses of each row, best first.

    Attributes:
        symbols: int32 `(batch, width, steps)`, with `end` from the end of a hypothesis on.
        lengths: int32 `(batch, width)`, the number of symbols before `end`.
        log_probabilities: float32 `(batch, width)`, the sum over the symbols and `end`.
        scores: float32 `(batch, width)`, what hypotheses are ordered by.
        finished: bool `(batch, width)`, False where the bound on steps cut a hypothesis, and where there is none.
    """

    symbols: Tensor
    lengths: Tensor
    log_probabilities: Tensor
    scores: Tensor
    finished: Tensor


class Coverage(NamedTuple):
    """The coverage penalty, which prefers hypotheses that attend to all of the source.

    Attributes:
        read: gives the attention that each position of the source has had so far, `(batch * width, source)`, from the
            state after a step.
        mask: bool `(batch, source)`, True where a position of the source is real.
        beta: the weight of the penalty; a number or a scalar tensor.
    """

    read: Callable[[State], Tensor]
    mask: Tensor
    beta: Tensor | float


def beam_search(
    step: Step,
    state: State,
    *,
    batch: Tensor | int,
    start: Tensor | int,
    end: Tensor | int,
    width: int,
    steps: Tensor | int,
    alpha: Tensor | float = 0.0,
    coverage: Coverage | None = None,
    forbidden: Tensor | None = None,
) -> Beams:
    """The `width` best continuations that a beam search finds for each row.

    Each step keeps the `width` hypotheses of a row with the best scores, out of all continuations of those kept
    before and the ones that have ended already. It stops once all hypotheses have ended, or after `steps` steps. A
    hypothesis Y of length |Y|, which counts `end`, has the score of Wu et al. (2016), section 7:

        score(Y) = log P(Y) / lp(Y) + cp(Y)
        lp(Y) = ((5 + |Y|) / 6)^alpha
        cp(Y) = beta sum_s log(min(sum_t a_ts, 1))

    with the attention a_ts that step t pays to position s of the source. Of equal scores, the one of the better
    hypothesis before wins, then the lower symbol. A beam of width one is greedy search: the best symbol of each step.

    There may be fewer hypotheses than the beam is wide. The rest then have the log probability `-inf`, the length 0
    and are not finished.

    Args:
        step: gives log-probabilities `(batch * width, vocabulary)` and the next state, from the last symbols
            `(batch * width,)` int32 and the state. It is called for ended hypotheses too, with `end`.
        state: what the first step gets: a nested structure of tensors `(batch, ...)`. Each row is repeated `width`
            times, and follows its hypothesis from step to step. What is the same for all hypotheses of a row does not
            belong to it, such as the memory of an attention: `repeat_rows` repeats it once.
        batch: the number of rows.
        start: the symbol that the first step reads, one for all or `(batch,)`.
        end: the symbol that ends a hypothesis.
        width: the number of hypotheses of a row.
        steps: the most symbols of a hypothesis, `end` among them. A tensor if need be, where a graph may have dynamic
            shapes.
        alpha: how much longer hypotheses are preferred, 0 not to.
        coverage: the coverage penalty; none by default.
        forbidden: bool `(vocabulary,)`, True for symbols that no hypothesis may have.

    Raises:
        ValueError: `width` or `steps` is no whole number above zero, or `alpha` or `beta` is below zero.

    Example:
        Symbol 0 ends. The best first symbol is 1, but what follows it is less sure than what follows 2.

        >>> table = ops.log(ops.array([[1.0, 0.0, 0.0], [0.6, 0.2, 0.2], [0.9, 0.1, 0.0], [0.0, 0.55, 0.45]]))
        >>> step = lambda symbols, state: (ops.take(table, symbols, axis=0), state)
        >>> beams = beam_search(step, (), batch=1, start=3, end=0, width=2, steps=5)
        >>> beams.symbols.numpy().tolist()
        [[[2, 0, 0, 0, 0], [1, 0, 0, 0, 0]]]
        >>> print(ops.exp(beams.log_probabilities).numpy().round(3).tolist())
        [[0.405..., 0.33...]]
        >>> beam_search(step, (), batch=1, start=3, end=0, width=1, steps=5).symbols.numpy().tolist()
        [[[1, 0, 0, 0, 0]]]
    """
    width, steps = whole_number("width", width), whole_number_or_tensor("steps", steps)
    check_at_least_zero("alpha", alpha)
    if coverage is not None:
        check_at_least_zero("beta", coverage.beta)
        coverage = coverage._replace(mask=repeat_rows(coverage.mask, width))
    beam = _Beam(batch, width, ops.convert_to_tensor(end, "int32"), alpha, coverage)

    def body(known: _Hypotheses, state: State) -> tuple[_Hypotheses, State]:
        log_probabilities, after = step(ops.reshape(known.symbols, (batch * width,)), state)
        after = keep_known_shapes(after, state)
        extend = beam.extend_one if width == 1 else beam.extend_many
        return extend(known, forbid(log_probabilities, forbidden), after)

    def go_on(known: _Hypotheses, _: State) -> Tensor:
        return ops.logical_and(known.t < steps, ops.any(known.live()))

    known = beam.start(first_symbols(start, (batch, width)), steps)
    known, _ = ops.while_loop(go_on, body, (known, repeat_rows(state, width)))
    return beam.result(known, steps)


class _Hypotheses(NamedTuple):
    """What the search knows after t steps: tensors `(batch, width)`, and all symbols `(batch * width, steps)`."""

    t: Tensor
    symbols: Tensor
    log_probabilities: Tensor
    scores: Tensor
    finished: Tensor
    history: Tensor

    def live(self) -> Tensor:
        """Which of them exist and have not ended."""
        return ops.logical_and(self.log_probabilities > IMPOSSIBLE, ops.logical_not(self.finished))


class _Beam(NamedTuple):
    """The settings of a search, and its parts."""

    batch: Tensor | int
    width: int
    end: Tensor
    alpha: Tensor | float
    coverage: Coverage | None

    def start(self, symbols: Tensor, steps: Tensor | int) -> _Hypotheses:
        """One hypothesis without symbols in each row; the others do not exist yet."""
        alone = ops.where(ops.arange(self.width) == 0, 0.0, IMPOSSIBLE)
        alone = ops.broadcast_to(ops.cast(alone, "float32"), (self.batch, self.width))
        return _Hypotheses(
            t=ops.zeros((), "int32"),
            symbols=symbols,
            log_probabilities=alone,
            scores=alone,
            finished=ops.zeros((self.batch, self.width), "bool"),
            history=ops.broadcast_to(self.end, (self.batch * self.width, steps)),
        )

    def extend_one(self, known: _Hypotheses, log_probabilities: Tensor, state: State) -> tuple[_Hypotheses, State]:
        """The best continuation of the only hypothesis of each row. Nothing changes places."""
        gained, symbols = ops.top_k(log_probabilities, 1)
        sums = known.log_probabilities + ops.cast(gained, "float32")
        scores = ops.where(known.finished, known.scores, self.score(sums[..., None], known.t + 1, state)[..., 0])
        return self.append(known, known.history, symbols, gained, scores), state

    def extend_many(self, known: _Hypotheses, log_probabilities: Tensor, state: State) -> tuple[_Hypotheses, State]:
        """The best continuations of all hypotheses of each row, and the state in their order."""
        count = ops.shape(log_probabilities)[-1]
        gained = ops.reshape(ops.cast(log_probabilities, "float32"), (self.batch, self.width, count))
        scores = self.score(known.log_probabilities[..., None] + gained, known.t + 1, state)
        # What has ended goes on in one way, with the score that it has.
        only = ops.where(ops.arange(count) == 0, known.scores[..., None], IMPOSSIBLE)
        scores = ops.where(known.finished[..., None], only, scores)
        scores, places = best(ops.reshape(scores, (self.batch, self.width * count)), self.width)
        rows = ops.arange(self.batch, dtype="int32")[:, None]
        parents = places // count + rows * self.width
        gained = ops.take(ops.reshape(gained, (-1,)), places + rows * (self.width * count))
        history, state = take_rows((known.history, state), ops.reshape(parents, (-1,)))
        kept = known._replace(
            log_probabilities=ops.take(ops.reshape(known.log_probabilities, (-1,)), parents),
            finished=ops.take(ops.reshape(known.finished, (-1,)), parents),
        )
        return self.append(kept, history, places % count, gained, scores), state

    def append(
        self, known: _Hypotheses, history: Tensor, symbols: Tensor, gained: Tensor, scores: Tensor
    ) -> _Hypotheses:
        """Hypotheses with one symbol more, except those that have ended."""
        symbols = ops.where(known.finished, self.end, symbols)
        sums = known.log_probabilities + ops.where(known.finished, 0.0, ops.cast(gained, "float32"))
        now = ops.arange(ops.shape(history)[1], dtype="int32") == known.t
        return _Hypotheses(
            t=known.t + 1,
            symbols=symbols,
            log_probabilities=sums,
            scores=scores,
            finished=ops.logical_and(symbols == self.end, sums > IMPOSSIBLE),
            history=ops.where(now, ops.reshape(symbols, (self.batch * self.width, 1)), history),
        )

    def score(self, log_probabilities: Tensor, length: Tensor, state: State) -> Tensor:
        """Scores of hypotheses of one length, `(batch, width, continuations)`."""
        scores = log_probabilities
        if ops.is_tensor(self.alpha) or self.alpha != 0:
            scores = scores / ((5.0 + ops.cast(length, "float32")) / 6.0) ** self.alpha
        if self.coverage is None:
            return scores
        attention = ops.clip(ops.cast(self.coverage.read(state), "float32"), LEAST_COVERAGE, 1.0)
        covered = ops.sum(ops.where(self.coverage.mask, ops.log(attention), 0.0), axis=-1)
        return scores + self.coverage.beta * ops.reshape(covered, (self.batch, self.width, 1))

    def result(self, known: _Hypotheses, steps: Tensor | int) -> Beams:
        """The hypotheses as the caller gets them."""
        exist = known.log_probabilities > IMPOSSIBLE
        symbols = ops.reshape(known.history, (self.batch, self.width, steps))
        symbols = ops.where(exist[..., None], symbols, self.end)
        lengths = ops.sum(ops.cast(symbols != self.end, "int32"), axis=-1)
        return Beams(symbols, lengths, known.log_probabilities, known.scores, known.finished)


def best(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest values of each row, highest first, and their places, as `keras.ops.top_k` gives them.

    On a CPU `top_k` costs ten times what a maximum does. A long row is cut into blocks, and only the `count` blocks
    with the highest maxima are looked through: no other block has a value among the highest.

    Args:
        values: `(rows, places)`.
        count: how many.
    """
    places = ops.shape(values)[-1]
    if not isinstance(places, int) or places < 4 * count * _BLOCK:
        return ops.top_k(values, count)
    rows = ops.shape(values)[0]
    blocks = -(-places // _BLOCK)
    values = ops.pad(values, ((0, 0), (0, blocks * _BLOCK - places)), constant_values=IMPOSSIBLE)
    values = ops.reshape(values, (rows, blocks, _BLOCK))
    _, chosen = ops.top_k(ops.max(values, axis=-1), count)
    # In the order of their places, in which equal values come.
    chosen = ops.sort(chosen, axis=-1)
    offsets = ops.arange(rows, dtype="int32")[:, None]
    candidates = ops.take(ops.reshape(values, (-1, _BLOCK)), chosen + offsets * blocks, axis=0)
    found, within = ops.top_k(ops.reshape(candidates, (rows, count * _BLOCK)), count)
    block = ops.take(ops.reshape(chosen, (-1,)), within // _BLOCK + offsets * count)
    return found, block * _BLOCK + within % _BLOCK
