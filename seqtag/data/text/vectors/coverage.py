"""How many words of a text have vectors, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.data.text.vectors.forms import EXACT, KINDS, MISSING
from seqtag.data.text.vectors.store import WordVectors


@dataclass(frozen=True)
class Coverage:
    """The tokens and the distinct words of a text by how their vectors are found, each of `KINDS`."""

    tokens: Mapping[str, int]
    types: Mapping[str, int]

    @classmethod
    def of(cls, counts: Mapping[str, int], files: Sequence[WordVectors]) -> Coverage:
        """The coverage of words that occur so often; of several files, the one counts that has a word most exactly.

        >>> import numpy as np
        >>> vectors = WordVectors(["the", "0"], np.zeros((2, 3)))
        >>> print(Coverage.of({"the": 5, "The": 2, "7": 1, "cat": 2}, [vectors]).to_text())
        80.0% of tokens and 75.0% of distinct words have vectors; tokens: exact 50.0%, lower 20.0%, digits 10.0%,
        missing 20.0%
        """
        tokens, types = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
        for word, count in counts.items():
            kind = min((vectors.find(word)[0] for vectors in files), key=KINDS.index)
            tokens[kind] += count
            types[kind] += 1
        return cls(tokens, types)

    def to_metrics(self) -> dict[str, Any]:
        """The counts as JSON can hold them."""
        return {"tokens": dict(self.tokens), "types": dict(self.types)}

    @property
    def share(self) -> float:
        """The share of the tokens that have vectors."""
        return 1 - _shares(self.tokens)[MISSING]

    def to_text(self) -> str:
        """The coverage in a line for people."""
        tokens, types = (_shares(counts) for counts in (self.tokens, self.types))
        kinds = ", ".join(f"{kind} {share:.1%}" for kind, share in tokens.items() if share or kind in (EXACT, MISSING))
        return (
            f"{self.share:.1%} of tokens and {1 - types[MISSING]:.1%} of distinct words have vectors; tokens: {kinds}"
        )


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = max(1, sum(counts.values()))
    return {kind: count / total for kind, count in counts.items()}
