"""What the scores of spans and of labels share: the score itself, and confusion tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from seqtag.errors import escaped
from seqtag.measures.figures import right_aligned

MOST_ERRORS = 20
WIDEST_NAME = 20


@dataclass(frozen=True)
class Score:
    """Counts, and the precision, recall and F1 that follow: fractions, 0.0 where a denominator is 0.

    Attributes:
        correct: how many predictions are right.
        predicted: how many predictions there are.
        support: how many there are in gold.
    """

    correct: int
    predicted: int
    support: int

    @property
    def precision(self) -> float:
        """The share of predictions that are right."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of gold that is found."""
        return self.correct / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall.

        >>> Score(correct=1, predicted=2, support=1).f1
        0.6666666666666666
        """
        total = self.predicted + self.support
        return 2 * self.correct / total if total else 0.0

    def to_dict(self) -> dict[str, float]:
        """An entry of ``per_type`` in ``metrics.json``."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}

    def to_text(self) -> str:
        """The three figures in percent, as conlleval writes them."""
        return f"precision: {self.precision:7.2%}; recall: {self.recall:7.2%}; F1: {self.f1:7.2%}"


def confusion_table(pairs: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Counts of (gold, predicted) pairs as a square table, both sides in the same sorted order.

    >>> confusion_table({("LOC", "O"): 2})
    {'LOC': {'LOC': 0, 'O': 2}, 'O': {'LOC': 0, 'O': 0}}
    """
    labels = sorted(set(chain.from_iterable(pairs)))
    return {row: {column: pairs.get((row, column), 0) for column in labels} for row in labels}


def confusion_text(confusion: Mapping[str, Mapping[str, int]]) -> str:
    """A confusion table in aligned columns, gold down, predicted across; where that is wider than the terminal, its
    greatest errors as pairs.
    """
    header = ["gold \\ predicted", *map(escaped, confusion)]
    rows = ([escaped(label), *map(str, row.values())] for label, row in confusion.items())
    lines = right_aligned([header, *rows])
    if len(lines[0]) > shutil.get_terminal_size().columns:
        return _greatest_errors(confusion)
    return "\n".join(lines)


def _greatest_errors(confusion: Mapping[str, Mapping[str, int]]) -> str:
    """The pairs of labels that are taken for each other most often, a line each."""
    errors = [
        (count, f"{escaped(gold)} as {escaped(predicted)}")
        for gold, row in confusion.items()
        for predicted, count in row.items()
        if count and gold != predicted
    ]
    errors.sort(key=lambda error: (-error[0], error[1]))
    width = len(str(errors[0][0])) if errors else 0
    lines = [f"{count:>{width}}  {pair}" for count, pair in errors[:MOST_ERRORS]]
    others = sum(count for count, _ in errors[MOST_ERRORS:])
    lines += [f"and {others} in {len(errors) - MOST_ERRORS} other pairs"] if others else []
    return "\n".join(["greatest errors, what is of a gold label and was predicted as another:", *lines])


def name_width(names: Iterable[str]) -> int:
    """The width of a column of names; longer ones stick out, so that one long name does not move all figures away."""
    return min(max(map(len, map(escaped, names)), default=0), WIDEST_NAME)
