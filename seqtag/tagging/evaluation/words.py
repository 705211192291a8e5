"""Scores of known words and of words that training did not have.

>>> gold, predicted = [["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]]
>>> report = evaluate_words(gold, predicted, [[KNOWN, UNKNOWN, KNOWN]], "IOB2")
>>> report["known"].accuracy, report["unknown"].entities.f1
(0.5, 1.0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.tagging.data.schemes import Span, spans
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.known_tags import of_known
from seqtag.tagging.evaluation.scores import Score

KNOWN, VECTORS_ONLY, UNKNOWN = range(3)
NAMES = {KNOWN: "known", VECTORS_ONLY: "vectors_only", UNKNOWN: "unknown"}


@dataclass(frozen=True)
class WordScores:
    """The scores of the words of one kind.

    Attributes:
        tokens: how many there are.
        right: how many of them have the right tag.
        entities: the score of the entities whose least known word is of this kind; None for plain labels.
    """

    tokens: int
    right: int
    entities: Score | None

    @property
    def accuracy(self) -> float:
        """The share of tokens whose tag is right."""
        return self.right / self.tokens

    def to_metrics(self) -> dict[str, Any]:
        """The figures for ``metrics.json``."""
        entities = {} if self.entities is None else self.entities.to_dict()
        return {"tokens": self.tokens, "accuracy": self.accuracy, **entities}

    def to_text(self) -> str:
        """The figures in percent."""
        entities = "" if self.entities is None else f"; entities with one: {self.entities.to_text()}"
        return f"{self.tokens} tokens, accuracy: {self.accuracy:7.2%}{entities}"


def evaluate_words(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    kinds: Sequence[Sequence[int]],
    scheme: str | None,
) -> dict[str, WordScores]:
    """Scores by how well words are known: `known` from training, `vectors_only`, or `unknown`; kinds that occur.

    Args:
        gold: the tags of each sentence.
        predicted: the same, in the same order.
        kinds: of each token: `KNOWN`, `VECTORS_ONLY` or `UNKNOWN`.
        scheme: of the tags; None for plain labels.
    """
    tokens: Counter[int] = Counter()
    right: Counter[int] = Counter()
    counts: Mapping[str, Counter[int]] = {name: Counter() for name in ("correct", "predicted", "support")}
    for true, tags, of_words in zip(gold, predicted, kinds, strict=True):
        tokens.update(of_known(true, of_words))
        right.update(kind for kind, one, other in zip(of_words, true, tags, strict=True) if UNKNOWN_TAG != one == other)
        if scheme is not None:
            wanted, found = set(spans(true, scheme)), set(spans(tags, scheme))
            for name, entities in (("correct", wanted & found), ("predicted", found), ("support", wanted)):
                counts[name].update(_least_known(entity, of_words) for entity in entities)
    return {
        name: WordScores(
            tokens[kind],
            right[kind],
            None if scheme is None else Score(*(counts[part][kind] for part in ("correct", "predicted", "support"))),
        )
        for kind, name in NAMES.items()
        if tokens[kind]
    }


def _least_known(entity: Span, of_words: Sequence[int]) -> int:
    return max(of_words[entity.start : entity.end])
