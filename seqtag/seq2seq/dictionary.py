"""The dictionary of a training set: sources whose target is known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from seqtag.seq2seq.data.pairs import Pairs

Key = tuple[str, ...]


class Dictionary:
    """Targets of known sources.

    Args:
        targets: by the source and its further columns.

    Example:

        >>> pairs = Pairs(["saw", "saw", "mice"], ["see", "saw", "mouse"])
        >>> dictionary = Dictionary.fit(pairs)
        >>> dictionary.target("mice", ()), dictionary.target("saw", ())
        ('mouse', None)
    """

    def __init__(self, targets: Mapping[Key, str]) -> None:
        self.targets = dict(targets)

    @classmethod
    def fit(cls, pairs: Pairs) -> Dictionary:
        """The dictionary of the sources that have one target in more than half of their pairs; it is sure of no other.

        Without context, no network can tell better which of several targets is meant.
        """
        counts: dict[Key, Counter[str]] = defaultdict(Counter)
        for source, features, target in zip(pairs.sources, pairs.features, pairs.targets, strict=True):
            counts[(source, *features)][target] += 1
        best = {key: found.most_common(1)[0] for key, found in counts.items()}
        return cls({key: target for key, (target, count) in best.items() if 2 * count > counts[key].total()})

    def target(self, source: str, features: tuple[str, ...]) -> str | None:
        """The target of a source; None where the dictionary is not sure."""
        return self.targets.get((source, *features))

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {"entries": [[*key, target] for key, target in self.targets.items()]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Dictionary:
        """The dictionary that `to_dict` described."""
        return cls({tuple(key): target for *key, target in data["entries"]})
