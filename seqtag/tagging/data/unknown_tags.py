"""Tags that training did not have: a model never answers them, so that they count as missed in every score."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate

from seqtag.errors import escaped
from seqtag.tagging.data.schemes import tagset

LISTED_CHARACTERS = 120


def known_tags(scheme: str | None, symbols: Sequence[str]) -> frozenset[str]:
    """The tags that a model answers.

    Args:
        scheme: of its training files; None for plain labels.
        symbols: the entity types of a scheme, or the plain labels.

    >>> sorted(known_tags("IOB2", ["LOC"])), sorted(known_tags(None, ["NOUN"]))
    (['B-LOC', 'I-LOC', 'O'], ['NOUN'])
    """
    return frozenset(symbols if scheme is None else tagset(symbols, scheme))


def unknown_tags(counts: Mapping[str, int], known: Collection[str]) -> dict[str, int]:
    """Those of some tags, with how often they occur, that are not known: most frequent first.

    >>> unknown_tags({"B-ORG": 1, "I-LOC": 4, "B-PER": 2}, known_tags("IOB2", ["LOC"]))
    {'B-PER': 2, 'B-ORG': 1}
    """
    unknown = {tag: count for tag, count in counts.items() if tag not in known}
    return dict(sorted(unknown.items(), key=lambda item: (-item[1], item[0])))


def listed(counts: Mapping[str, int], limit: int = LISTED_CHARACTERS) -> str:
    """How many tags there are, and the first kinds of them, as many as `limit` characters hold but one at least.

    >>> listed({"B-PER": 2, "B-ORG": 1}), listed({"NOUN": 1, "VERB": 1, "X": 1}, limit=8)
    ('3 tags (B-PER 2, B-ORG 1)', '3 tags (NOUN 1 and 2 kinds more)')
    """
    total = sum(counts.values())
    names = [f"{escaped(tag)} {count}" for tag, count in counts.items()]
    ends = accumulate(len(name) + 2 for name in names)
    kept = max(1, sum(end <= limit for end in ends))
    left = len(names) - kept
    more = f" and {left} kind{'s' * (left > 1)} more" if left else ""
    return f"{total} tag{'s' * (total != 1)} ({', '.join(names[:kept])}{more})"
