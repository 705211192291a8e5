"""Scores of known words and of words that training did not have.

>>> from seqtag.tagging.evaluation.entities import read_entities
>>> gold, predicted = [["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]]
>>> entities = read_entities(gold, predicted, "IOB2")
>>> report = evaluate_words(gold, predicted, [[KNOWN, UNKNOWN, KNOWN]], entities)
>>> report["known"].accuracy, report["unknown"].entities.f1
(0.5, 1.0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.measures.scores import Score
from seqtag.tagging.data.schemes import Span
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.entities import Entities

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
    entities: Entities | None,
) -> dict[str, WordScores]:
    """Scores by how well words are known: `known` from training, `vectors_only`, or `unknown`; kinds that occur.

    Args:
        gold: the tags of each sentence.
        predicted: the same, in the same order.
        kinds: of each token: `KNOWN`, `VECTORS_ONLY` or `UNKNOWN`.
        entities: of the same sentences; None for plain labels.
    """
    of_tokens: Counter[tuple[int, str, str]] = Counter()
    for of_words, true, tags in zip(kinds, gold, predicted, strict=True):
        of_tokens.update(zip(of_words, true, tags, strict=True))
    tokens: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for (kind, true, tag), count in of_tokens.items():
        if true != UNKNOWN_TAG:
            tokens[kind] += count
            right[kind] += count if true == tag else 0
    scores = {} if entities is None else _entity_scores(entities, kinds)
    return {
        name: WordScores(tokens[kind], right[kind], scores.get(kind)) for kind, name in NAMES.items() if tokens[kind]
    }


def _entity_scores(entities: Entities, kinds: Sequence[Sequence[int]]) -> dict[int, Score]:
    """The score of the entities whose least known word is of each kind."""
    counts: list[Counter[int]] = [Counter(), Counter(), Counter()]
    for gold, predicted, of_words in zip(*entities, kinds, strict=True):
        for part, found in zip(counts, (set(gold) & set(predicted), predicted, gold), strict=True):
            part.update(_least_known(entity, of_words) for entity in found)
    return {kind: Score(*(part[kind] for part in counts)) for kind in NAMES}


def _least_known(entity: Span, of_words: Sequence[int]) -> int:
    return max(of_words[entity.start : entity.end])
