"""What a model is asked, and what its answers are scored against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from seqtag.errors import DataError
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.references import grouped

T = TypeVar("T")


@dataclass(frozen=True)
class Questions:
    """Sources, each asked once, and the rows that are scored.

    Attributes:
        sources: distinct sources, with their further columns.
        asked: for each row the number of its source.
        targets: for each row its right answers.

    Example:

        >>> pairs = Pairs(["saw", "saw", "saw"], ["see", "see", "saw"])
        >>> Questions.of(pairs, one_by_one=False).targets, Questions.of(pairs, one_by_one=True).targets
        ([['see', 'saw']], [['see'], ['see'], ['saw']])
    """

    sources: Pairs
    asked: list[int]
    targets: list[list[str]]

    @classmethod
    def of(cls, pairs: Pairs, one_by_one: bool) -> Questions:
        """The questions of pairs.

        Args:
            pairs: with targets.
            one_by_one: whether each pair is scored against its own target, as the words of a text; else each source is
                scored once, against all of its targets.

        Raises:
            DataError: the pairs have no targets.
        """
        if not pairs.targets:
            raise DataError("expected pairs of a source and a target, found sources alone", pairs.path)
        references = grouped(pairs)
        sources = pairs.subset(references.first)
        if one_by_one:
            return cls(sources, references.groups, [[target] for target in pairs.targets])
        return cls(sources, list(range(len(references))), references.targets)

    def by_row(self, answers: Sequence[T]) -> list[T]:
        """The answers to the sources, in the order of the rows."""
        return [answers[number] for number in self.asked]
