"""The kinds of wrong entities, with examples.

>>> entities = Entities(gold=[[Span("PER", 0, 2)]], predicted=[[Span("PER", 0, 1)]])
>>> report = find_errors([["Ann", "Lee", "left"]], entities)
>>> report.counts
{'boundary': 1, 'type': 0, 'both': 0, 'missed': 0, 'spurious': 0}
>>> print(report.to_text())
errors: boundary 1, type 0, both 0, missed 0, spurious 0
  boundary, sentence 1: [Ann PER] Lee left; expected [Ann Lee PER] left
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from seqtag.errors import one_line
from seqtag.tagging.data.schemes import Span
from seqtag.tagging.evaluation.entities import Entities

KINDS = ("boundary", "type", "both", "missed", "spurious")
# Of each kind; and how many words an example shows around an entity.
MOST_EXAMPLES, AROUND = 2, 4


class EntityError(NamedTuple):
    """A wrong or missed entity.

    Attributes:
        kind: `boundary`, of the right type, overlaps a true entity; `type`, has the ends of one; `both`, overlaps true
            entities of other types alone; `missed`, a true one that no predicted one overlaps; `spurious`, overlaps
            no true one.
        predicted: the predicted entity, if there is one.
        true: the true entity, the first that it overlaps, if there is one.
    """

    kind: str
    predicted: Span | None
    true: Span | None


@dataclass(frozen=True)
class ErrorReport:
    """How many errors there are of each kind, and the first ones as lines of text."""

    counts: dict[str, int]
    examples: list[str]

    def to_metrics(self) -> dict[str, Any]:
        """The counts."""
        return dict(self.counts)

    def to_text(self) -> str:
        """The counts in a line, and the examples."""
        told = ", ".join(f"{kind} {count}" for kind, count in self.counts.items())
        return "\n".join([f"errors: {told}", *(f"  {example}" for example in self.examples)])


def find_errors(
    tokens: Sequence[Sequence[str]],
    entities: Entities,
    place: Callable[[int], str] = lambda sentence: f"sentence {sentence + 1}",
) -> ErrorReport:
    """Compares the entities of sentences.

    Args:
        tokens: the words of each sentence.
        entities: of the same sentences.
        place: what an example calls a sentence of this number.
    """
    counts = dict.fromkeys(KINDS, 0)
    examples: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for number, (words, true, predicted) in enumerate(zip(tokens, *entities, strict=True)):
        for error in errors_of(true, predicted) if true != predicted else ():
            counts[error.kind] += 1
            if len(examples[error.kind]) < MOST_EXAMPLES:
                examples[error.kind].append(one_line(f"{error.kind}, {place(number)}: {_told(error, words)}"))
    return ErrorReport(counts, [line for lines in examples.values() for line in lines])


def errors_of(true: Sequence[Span], predicted: Sequence[Span]) -> list[EntityError]:
    """The errors of a sentence, from its entities, each side from left to right and without overlaps."""
    right = set(true) & set(predicted)
    errors = []
    for entity in predicted:
        if entity not in right:
            overlapped = _overlapped(entity, true)
            same = [other for other in overlapped if other.type == entity.type]
            like = same or overlapped
            errors.append(EntityError(_kind(entity, overlapped, bool(same)), entity, like[0] if like else None))
    for entity in true:
        if not _overlapped(entity, predicted):
            errors.append(EntityError("missed", None, entity))
    return errors


def _kind(entity: Span, overlapped: Sequence[Span], of_its_type: bool) -> str:
    if not overlapped:
        return "spurious"
    if of_its_type:
        return "boundary"
    return "type" if (entity.start, entity.end) == overlapped[0][1:] else "both"


def _overlapped(entity: Span, others: Sequence[Span]) -> Sequence[Span]:
    """Those of the entities of the other side that share a token with this one, found in a time that hardly grows."""
    first = bisect_right(others, entity.start, key=lambda other: other.end)
    return others[first : bisect_left(others, entity.end, first, key=lambda other: other.start)]


def _told(error: EntityError, words: Sequence[str]) -> str:
    """What was predicted and what was expected, with some words around."""
    entities = [entity for entity in (error.predicted, error.true) if entity is not None]
    start = max(0, min(entity.start for entity in entities) - AROUND)
    stop = min(len(words), max(entity.end for entity in entities) + AROUND)

    def marked(entity: Span | None) -> str:
        if entity is None:
            return " ".join(words[start:stop])
        parts = words[start : entity.start], words[entity.start : entity.end], words[entity.end : stop]
        before, inside, after = map(" ".join, parts)
        return f"{before} [{inside} {entity.type}] {after}".strip()

    return f"{marked(error.predicted)}; expected {marked(error.true)}"
