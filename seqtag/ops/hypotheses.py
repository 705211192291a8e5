"""Hypotheses that grow by a symbol a step: the loop that beam search and sampling share.

See `seqtag.ops.step_functions` for what a step function is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqtag.ops.arguments import whole_number_or_tensor
from seqtag.ops.step_functions import IMPOSSIBLE, State, Step, forbid, keep_known_shapes, repeat_rows

Tensor = Any


class Hypotheses(NamedTuple):
    """What is known after t steps: tensors `(batch, width)`, and all symbols so far `(batch * width, steps)`.

    A hypothesis that does not exist has the log-probability `-inf`. Those of a row have at most `bounds (batch, 1)`
    symbols.
    """

    t: Tensor
    symbols: Tensor
    log_probabilities: Tensor
    scores: Tensor
    finished: Tensor
    history: Tensor
    bounds: Tensor

    def live(self) -> Tensor:
        """Which of them exist and may grow."""
        return ops.logical_and(self.exist(), ops.logical_not(self.closed()))

    def closed(self) -> Tensor:
        """Which of them grow no more: they have ended, or are as long as they may be."""
        return ops.logical_or(self.finished, self.t >= self.bounds)

    def exist(self) -> Tensor:
        """Which of them are possible at all."""
        return self.log_probabilities > IMPOSSIBLE

    def append(self, symbols: Tensor, gained: Tensor, scores: Tensor, end: Tensor) -> Hypotheses:
        """These with one symbol more, and what it adds to their log-probabilities; closed ones stay as they are.

        Where the new scores are `-inf`, there is no hypothesis any more.
        """
        closed = self.closed()
        symbols = ops.where(closed, end, symbols)
        sums = self.log_probabilities + ops.where(closed, 0.0, ops.cast(gained, "float32"))
        exist = ops.logical_and(sums > IMPOSSIBLE, scores > IMPOSSIBLE)
        now = ops.arange(ops.shape(self.history)[1], dtype="int32") == self.t
        return self._replace(
            t=self.t + 1,
            symbols=symbols,
            log_probabilities=ops.where(exist, sums, IMPOSSIBLE),
            scores=scores,
            finished=ops.logical_and(ops.where(closed, self.finished, symbols == end), exist),
            history=ops.where(now, ops.reshape(symbols, (-1, 1)), self.history),
        )


Extend = Callable[[Hypotheses, Tensor, State], tuple[Hypotheses, State]]


class Search(NamedTuple):
    """What a search runs over and how far; the arguments of `seqtag.ops.beam.beam_search`.

    `steps` is the greatest of the rows' bounds, `bounds (batch, 1)`.
    """

    step: Step
    batch: Tensor | int
    width: int
    end: Tensor
    steps: Tensor | int
    bounds: Tensor
    forbidden: Tensor | None

    @classmethod
    def over(cls, step: Step, batch: Any, width: int, end: Any, steps: Any, forbidden: Any) -> Search:
        """The search over a step function, its arguments checked."""
        batch = ops.cast(batch, "int32") if ops.is_tensor(batch) else batch
        steps = whole_number_or_tensor("steps", steps)
        bounds = ops.broadcast_to(ops.reshape(ops.convert_to_tensor(steps, "int32"), (-1, 1)), (batch, 1))
        # Of no rows, no bound is the greatest.
        steps = ops.max(steps, initial=1) if ops.is_tensor(steps) and steps.shape else steps
        forbidden = None if forbidden is None else ops.convert_to_tensor(forbidden, "bool")
        return cls(step, batch, width, ops.convert_to_tensor(end, "int32"), steps, bounds, forbidden)

    def run(
        self,
        start: Tensor | int,
        state: State,
        extend: Extend,
        unsettled: Callable[[Hypotheses], Tensor] = Hypotheses.live,
    ) -> Hypotheses:
        """Extends hypotheses until all have ended or are as long as they may be.

        Args:
            start: the symbol that the first step reads, one for all or `(batch,)`.
            state: what the first step gets, of every row.
            extend: gives the hypotheses with one symbol more, and the state in their order, from the hypotheses,
                log-probabilities `(batch * width, vocabulary)` and the state after the step.
            unsettled: says which hypotheses, `(batch, width)`, the search has to go on for.
        """

        def body(known: Hypotheses, state: State) -> tuple[Hypotheses, State]:
            log_probabilities, after = self.step(ops.reshape(known.symbols, (self.batch * self.width,)), state)
            extended = extend(known, forbid(log_probabilities, self.forbidden), after)
            kept: tuple[Hypotheses, State] = keep_known_shapes(extended, (known, state))
            return kept

        def go_on(known: Hypotheses, _: State) -> Tensor:
            return ops.logical_and(known.t < self.steps, ops.any(unsettled(known)))

        known: Hypotheses = ops.while_loop(go_on, body, (self.first(start), repeat_rows(state, self.width)))[0]
        return known

    def first(self, start: Tensor | int) -> Hypotheses:
        """One hypothesis without symbols in each row; the others do not exist yet."""
        shape = self.batch, self.width
        alone = ops.cast(ops.where(ops.arange(self.width) == 0, 0.0, IMPOSSIBLE), "float32")
        alone = ops.broadcast_to(alone, shape)
        return Hypotheses(
            t=ops.zeros((), "int32"),
            symbols=ops.broadcast_to(ops.reshape(ops.convert_to_tensor(start, "int32"), (-1, 1)), shape),
            log_probabilities=alone,
            scores=alone,
            finished=ops.zeros(shape, "bool"),
            history=ops.broadcast_to(self.end, (self.batch * self.width, self.steps)),
            bounds=self.bounds,
        )

    def symbols_of(self, known: Hypotheses) -> tuple[Tensor, Tensor]:
        """All symbols `(batch, width, steps)`, nothing but `end` where there is no hypothesis, and their lengths."""
        symbols = ops.reshape(known.history, (self.batch, self.width, self.steps))
        symbols = ops.where(known.exist()[..., None], symbols, self.end)
        return symbols, ops.sum(ops.cast(symbols != self.end, "int32"), axis=-1)
