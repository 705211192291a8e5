"""A budget of wall-clock time for one fit or several, and the callback that ends a fit within it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import keras

from seqtag.config.duration import seconds_of


class Budget:
    """A time that fits may take together, with a clock that runs from now on.

    Fits that follow one another take parts of it: what one of them does not use is there for the next.

    Args:
        seconds: the time; None for no limit.
        whole: the budget that this one is a part of.

    Example:
        >>> budget = Budget.parse("1h")
        >>> members = [budget.part(1 / left) for left in (3, 2, 1)]  # each is taken when the one before has ended
        >>> [round(member.left() / 60) for member in members]
        [20, 30, 60]
        >>> Budget(None).part(0.5).left()
        inf
    """

    def __init__(self, seconds: float | None, whole: Budget | None = None) -> None:
        self._ends = time.monotonic() + (math.inf if seconds is None else seconds)
        self._whole = whole

    @classmethod
    def parse(cls, duration: float | str | None) -> Budget:
        """The budget of a duration such as 90, `"60s"` or `"1h30m"`; None for no limit.

        Raises:
            ValueError: it is no duration, or zero or below.
        """
        return cls(None if duration is None else seconds_of(duration))

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self._ends < math.inf

    def left(self) -> float:
        """The seconds that are left, 0 at least; infinity without a limit."""
        left = max(0.0, self._ends - time.monotonic())
        return left if self._whole is None else min(left, self._whole.left())

    def part(self, share: float) -> Budget:
        """A budget of this share of what is left, above 0 and at most 1; its clock runs from now on."""
        return Budget(share * self.left(), self)

    def charge(self, seconds: float) -> None:
        """Takes off the seconds that a fit took before it was interrupted."""
        self._ends -= seconds
        if self._whole is not None:
            self._whole.charge(seconds)


class Deadline(keras.callbacks.Callback):
    """Ends a fit when its budget is spent but for what scoring takes. One update at least is made and scored.

    List it after the callback that computes the dev measure.

    Args:
        budget: the budget.
        evaluate: computes the dev measure.

    Attributes:
        reached: whether the budget ended the fit.
    """

    async_safe = True

    def __init__(self, budget: Budget, evaluate: Callable[[], float]) -> None:
        super().__init__()
        self.budget = budget
        self.reached = False
        self._evaluate = evaluate
        self._earlier = self._scoring = self._update = 0.0
        self._total: float | None = None

    def resume(self, seconds: float) -> None:
        """Takes off the budget what the fit took before it was interrupted."""
        self._earlier = seconds
        self.budget.charge(seconds)

    def evaluate(self) -> float:
        """Computes the dev measure, and notes how long that takes."""
        began = time.monotonic()
        measure = self._evaluate()
        self._scoring = time.monotonic() - began
        return measure

    def spent(self) -> float:
        """The share of the time for updates that is spent, from 0 to 1; the first, which builds the graph, is free."""
        if not self.budget.limited:
            return 0.0
        left = max(0.0, self._left())
        total = self._earlier + left if self._total is None else self._total
        return min(1.0, 1 - left / total) if total > 0 else 1.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Scores once: how long that takes is to be left for the end."""
        self.evaluate()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Starts the update's clock."""
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Ends the epoch, and with it the fit, if there is no time for another update."""
        if self._total is None:
            # The first update builds the graph, which the others do not.
            self._total = self._earlier + self._left()
        else:
            self._update = time.monotonic() - self._began
        self._check()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Ends the fit if there is no time for an update of another epoch."""
        self._check()

    def _left(self) -> float:
        return self.budget.left() - self._scoring

    def _check(self) -> None:
        if self._left() <= self._update and not self.model.stop_training:
            self.reached = self.model.stop_training = True
