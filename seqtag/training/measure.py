"""What a fit is judged by after every epoch: a score or a loss, and which of two is better."""

from __future__ import annotations

import math
from typing import NamedTuple


class Measure(NamedTuple):
    """The name of a dev measure, and its direction.

    Attributes:
        name: as users know it.
        is_loss: whether less is better; a score between 0 and 1 otherwise, shown in percent.
        keeps_last: whether the last value counts as the best, whatever it is.

    Example:
        >>> Measure("f1").shown(0.9), Measure("loss", is_loss=True).shown(0.9)
        ('90.00', '0.9000')
    """

    name: str
    is_loss: bool = False
    keeps_last: bool = False

    @property
    def worst(self) -> float:
        """What every value is better than."""
        return math.inf if self.is_loss else -math.inf

    def better(self, value: float, other: float) -> bool:
        """Whether `value` is better than `other`."""
        return self.keeps_last or (value < other if self.is_loss else value > other)

    def shown(self, value: float) -> str:
        """A value as progress lines show it."""
        return f"{value:.4f}" if self.is_loss else f"{100 * value:.2f}"
