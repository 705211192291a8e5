"""Beam search over a step function: any cell, any structure of state, all of it in the graph.

See `seqtag.ops.step_functions` for what a step function is. `seqtag.ops.sampling` draws from the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqtag.ops.arguments import check_at_least_zero, whole_number
from seqtag.ops.hypotheses import Extend, Hypotheses, Search
from seqtag.ops.selection import best, take_within
from seqtag.ops.step_functions import IMPOSSIBLE, State, Step, repeat_rows, take_rows

Tensor = Any

# What a position without any attention counts as: its logarithm, -23, is finite.
LEAST_COVERAGE = 1e-10


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
    n_best: int | None = None,
    alpha: Tensor | float = 0.0,
    coverage: Coverage | None = None,
    forbidden: Tensor | None = None,
) -> Beams:
    """The best continuations that a beam search finds for each row.

    Each step keeps the `width` hypotheses of a row with the best scores, out of all continuations of those kept
    before and the ones that have ended already. It stops once all hypotheses have ended, or after `steps` steps; where
    only the `n_best` are wanted, once no other one can still become better. A hypothesis Y of length |Y|, which counts
    `end`, has the score of Wu et al. (2016), section 7:

        score(Y) = log P(Y) / lp(Y) + cp(Y)
        lp(Y) = ((5 + |Y|) / 6)^alpha
        cp(Y) = beta sum_s log(min(sum_t a_ts, 1))

    with the attention a_ts that step t pays to position s of the source. Of equal scores, the one of the better
    hypothesis before wins, then the lower symbol. A beam of width one is greedy search: the best symbol of each step.

    There may be fewer hypotheses than the beam is wide. The rest then have the log probability `-inf`, the length 0
    and are not finished.

    Args:
        step: gives log-probabilities `(batch * width, vocabulary)`, zero at most, and the next state, from the last
            symbols `(batch * width,)` int32 and the state. It is called for ended hypotheses too, with `end`.
        state: what the first step gets: a nested structure of tensors `(batch, ...)`. Each row is repeated `width`
            times, and follows its hypothesis from step to step. What is the same for all hypotheses of a row does not
            belong to it, such as the memory of an attention: `repeat_rows` repeats it once.
        batch: the number of rows.
        start: the symbol that the first step reads, one for all or `(batch,)`.
        end: the symbol that ends a hypothesis.
        width: the number of hypotheses that a row has at a time.
        steps: the most symbols of a hypothesis, `end` among them. A tensor if need be, where a graph may have dynamic
            shapes: of one number, or of one for each row, `(batch,)`, the greatest of which is the size of the answers.
        n_best: how many hypotheses are returned, the best of the `width`; all by default.
        alpha: how much longer hypotheses are preferred, 0 not to.
        coverage: the coverage penalty; none by default.
        forbidden: bool `(vocabulary,)`, True for symbols that no hypothesis may have.

    Raises:
        ValueError: `width`, `steps` or `n_best` is no whole number above zero, `n_best` is above `width`, or `alpha` or
            `beta` is below zero.

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
    width = whole_number("width", width)
    count = width if n_best is None else whole_number("n_best", n_best)
    if count > width:
        raise ValueError(f"expected n_best to be at most the width of {width}, found {count}")
    search = Search.over(step, batch, width, end, steps, forbidden)
    scoring = _Scoring.of(alpha, coverage, width)
    extend = (_extend_one if width == 1 else _extend_many)(search, scoring)
    known = search.run(start, state, extend, _unsettled(search, scoring, count))
    symbols, lengths = search.symbols_of(known)
    found = Beams(symbols, lengths, known.log_probabilities, known.scores, known.finished)
    return found if count == width else Beams(*(value[:, :count] for value in found))


class _Scoring(NamedTuple):
    """How hypotheses are scored; the mask of the coverage is `(batch * width, source)`."""

    alpha: Tensor | float
    coverage: Coverage | None

    @classmethod
    def of(cls, alpha: Tensor | float, coverage: Coverage | None, width: int) -> _Scoring:
        """The scoring by the arguments of `beam_search`, checked."""
        check_at_least_zero("alpha", alpha)
        if coverage is not None:
            check_at_least_zero("beta", coverage.beta)
            coverage = coverage._replace(mask=repeat_rows(coverage.mask, width))
        return cls(alpha, coverage)

    def scores(self, log_probabilities: Tensor, length: Tensor, state: State) -> Tensor:
        """Scores of hypotheses of one length, `(batch, width, continuations)`."""
        scores = self.normalised(log_probabilities, length)
        if self.coverage is None:
            return scores
        covered = _covered(*self.coverage[:2], state)
        return scores + self.coverage.beta * ops.reshape(covered, (*ops.shape(scores)[:2], 1))

    def normalised(self, log_probabilities: Tensor, length: Tensor | int) -> Tensor:
        """Scores without the coverage penalty, which is zero at most."""
        if not ops.is_tensor(self.alpha) and self.alpha == 0:
            return log_probabilities
        return log_probabilities / ((5.0 + ops.cast(length, "float32")) / 6.0) ** ops.cast(self.alpha, "float32")


def _covered(read: Callable[[State], Tensor], mask: Tensor, state: State) -> Tensor:
    """The sum over the source of the logarithms of the attention so far, `(batch * width,)`."""
    attention = ops.clip(ops.cast(read(state), "float32"), LEAST_COVERAGE, 1.0)
    return ops.sum(ops.where(mask, ops.log(attention), 0.0), axis=-1)


def _unsettled(search: Search, scoring: _Scoring, count: int) -> Callable[[Hypotheses], Tensor]:
    """Says which hypotheses may yet change the best `count` of their row."""
    if count == search.width:
        return Hypotheses.live

    def unsettled(known: Hypotheses) -> Tensor:
        # Nothing that follows raises the log-probability, and the longest hypothesis has the mildest normalisation.
        reachable = scoring.normalised(known.log_probabilities, known.bounds) > known.scores[:, count - 1 : count]
        return ops.logical_and(known.live(), ops.logical_or(ops.arange(search.width) < count, reachable))

    return unsettled


def _extend_one(search: Search, scoring: _Scoring) -> Extend:
    """Gives the only hypothesis of each row its best continuation; nothing changes places."""

    def extend(known: Hypotheses, log_probabilities: Tensor, state: State) -> tuple[Hypotheses, State]:
        gained, symbols = ops.top_k(log_probabilities, 1)
        sums = known.log_probabilities + ops.cast(gained, "float32")
        scores = scoring.scores(sums[..., None], known.t + 1, state)[..., 0]
        scores = ops.where(known.closed(), known.scores, scores)
        return known.append(symbols, gained, scores, search.end), state

    return extend


def _extend_many(search: Search, scoring: _Scoring) -> Extend:
    """Gives each row the best continuations of all its hypotheses."""
    batch, width = search.batch, search.width

    def extend(known: Hypotheses, log_probabilities: Tensor, state: State) -> tuple[Hypotheses, State]:
        count = ops.shape(log_probabilities)[-1]
        gained = ops.reshape(ops.cast(log_probabilities, "float32"), (batch, width, count))
        scores = scoring.scores(known.log_probabilities[..., None] + gained, known.t + 1, state)
        # What grows no more goes on in one way, with the score that it has.
        as_it_is = ops.where(ops.arange(count) == 0, known.scores[..., None], IMPOSSIBLE)
        scores = ops.where(known.closed()[..., None], as_it_is, scores)
        scores, places = best(ops.reshape(scores, (batch, width * count)), width)
        gained = take_within(ops.reshape(gained, (batch, width * count)), places)
        parents = places // count
        rows = ops.reshape(parents + width * ops.arange(batch, dtype="int32")[:, None], (batch * width,))
        history, state = take_rows((known.history, state), rows)
        kept = known._replace(
            log_probabilities=take_within(known.log_probabilities, parents),
            finished=take_within(known.finished, parents),
            history=history,
        )
        return kept.append(places % count, gained, scores, search.end), state

    return extend
