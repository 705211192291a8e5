"""The figure that judges a model after every epoch: a score or a loss."""

from __future__ import annotations

import math
from typing import NamedTuple


class Measure(NamedTuple):
    """The name of a figure on dev data, and which of two values is better.

    Attributes:
        name: the name that users see.
        is_loss: whether lower is better. Otherwise it is a score between 0 and 1, shown in percent.
        keeps_last: whether the last value always counts as the best.

    Example:
        >>> Measure("f1").text(0.9), Measure("loss", is_loss=True).text(0.9)
        ('90.00', '0.9000')
    """

    name: str
    is_loss: bool = False
    keeps_last: bool = False

    @property
    def worst(self) -> float:
        """The value that every other is better than."""
        return math.inf if self.is_loss else -math.inf

    def better(self, value: float, other: float) -> bool:
        """Whether `value` is better than `other`."""
        return self.keeps_last or (value < other if self.is_loss else value > other)

    def text(self, value: float) -> str:
        """The text of a value in progress lines."""
        return f"{value:.4f}" if self.is_loss else f"{100 * value:.2f}"
