"""Sources with all their right answers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from seqtag.seq2seq.data.pairs import Pairs, Source


@dataclass(frozen=True)
class References:
    """Distinct sources, each with its targets.

    Attributes:
        sources: in the order in which they first occur.
        features: the further columns of each source; a source stands once for each of its features.
        targets: the targets of each source, in their order, none twice.
        first: the number of the first pair of each source.
        groups: the number of the source of each pair.
    """

    sources: list[Source]
    features: list[tuple[str, ...]]
    targets: list[list[str]]
    first: list[int]
    groups: list[int]

    def __len__(self) -> int:
        return len(self.sources)


def grouped(pairs: Pairs) -> References:
    """Gathers the targets of each source.

    >>> grouped(Pairs(["A", "ABBY", "A", "A"], ["AH", "AE B IY", "EY", "AH"])).targets
    [['AH', 'EY'], ['AE B IY']]
    """
    places: dict[Hashable, int] = {}
    targets: list[dict[str, None]] = []
    first: list[int] = []
    groups: list[int] = []
    for number in range(len(pairs)):
        place = places.setdefault(pairs.identity(number), len(places))
        if place == len(first):
            first.append(number)
            targets.append({})
        groups.append(place)
        targets[place].update(dict.fromkeys(pairs.targets[number : number + 1]))
    distinct = pairs.subset(first)
    return References(distinct.sources, distinct.features, list(map(list, targets)), first, groups)


def distinct_pairs(pairs: Pairs) -> Pairs:
    """The pairs without repeats: each source with each of its targets once.

    >>> distinct_pairs(Pairs(["A", "A", "A"], ["AH", "EY", "AH"])).targets
    ['AH', 'EY']
    """
    first: dict[Hashable, int] = {}
    for number, target in enumerate(pairs.targets):
        first.setdefault((pairs.identity(number), target), number)
    return pairs.subset(first.values())
