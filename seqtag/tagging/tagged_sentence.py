"""What a tagger answers: sentences with their tags, entities and candidates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from seqtag.tagging.notebook import to_html


class Entity(NamedTuple):
    """A span of tokens, `end` exclusive, with its type and the probability of just this span."""

    type: str
    start: int
    end: int
    score: float


class Candidate(NamedTuple):
    """One of the likeliest tag sequences of a sentence, its entities, and its probability, `score`."""

    tags: list[str]
    entities: list[Entity]
    score: float


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence with what the model answers for it.

    Attributes:
        tokens: the words.
        tags: in the scheme of the training files, and spelt as there.
        scores: the probability of each tag; of those of an entity that a threshold held back, that of the tag it had.
        entities: the spans of a tag scheme; empty for plain labels.
        candidates: the likeliest tag sequences, where they were asked for.
        further: the same for each further column of tags, by the column's name.
    """

    tokens: list[str]
    tags: list[str]
    scores: list[float]
    entities: list[Entity]
    candidates: list[Candidate] = field(default_factory=list)
    further: dict[str, TaggedSentence] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """How a notebook shows it: in colours."""
        return to_html(self)
