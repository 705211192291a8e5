"""How good the best of several answers is: what a better choice among them could still win.

>>> best_candidates([["B-A", "O"]], [[["O", "O"], ["B-A", "O"]]], "IOB2")
([['B-A', 'O']], 1.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.tagging.data.schemes import spans

Tags = Sequence[str]


@dataclass(frozen=True)
class Oracle:
    """The scores of whoever knows which candidate of each sentence is the best.

    Attributes:
        candidates: how many each sentence has at most.
        measure: `f1` of spans, or `accuracy` of plain labels.
        score: by this measure, of the candidate of each sentence with the fewest errors.
        found: the share of sentences that have a candidate without an error.
    """

    candidates: int
    measure: str
    score: float
    found: float

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""
        return {"n_best": self.candidates, self.measure: self.score, "sentences_found": self.found}

    def to_text(self) -> str:
        """The figures in percent."""
        what = f"best of {self.candidates} candidates: {self.measure} {self.score:7.2%}"
        return f"{what}; sentences without an error among them: {self.found:7.2%}"


def best_candidates(
    gold: Sequence[Tags], candidates: Sequence[Sequence[Tags]], scheme: str | None
) -> tuple[list[Tags], float]:
    """The candidate of each sentence with the fewest errors, and the share of sentences where that has none.

    Errors are entities that are wrong or missed, or wrong labels.

    Args:
        gold: the tags of each sentence.
        candidates: its candidates, at least one each.
        scheme: of the tags; None for plain labels.
    """
    chosen, right = [], 0
    for true, options in zip(gold, candidates, strict=True):
        errors = [_errors(true, tags, scheme) for tags in options]
        chosen.append(options[errors.index(min(errors))])
        right += min(errors) == 0
    return chosen, right / len(chosen) if chosen else 0.0


def _errors(gold: Tags, tags: Tags, scheme: str | None) -> int:
    if scheme is None:
        return sum(one != other for one, other in zip(gold, tags, strict=True))
    return len(set(spans(gold, scheme)) ^ set(spans(tags, scheme)))
