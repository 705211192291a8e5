"""Which tags may follow each other in a scheme: violations, tables for a decoder, and detection of the scheme."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from seqtag.errors import shown
from seqtag.tagging.data.tags import UNKNOWN_TAG, Scheme, TagError, is_span_tag, split_tag


def violations(tags: Sequence[str], scheme: Scheme | str) -> list[tuple[int, str]]:
    """Finds what is illegal in a sequence of tags: positions and messages, none when it is legal.

    Beside a tag that is not known, `UNKNOWN_TAG`, any other is legal.

    >>> violations(["O", "I-LOC"], "IOB2")
    [(1, "expected tags in IOB2, found 'I-LOC' after 'O'")]
    """
    rule = Scheme(scheme)
    found = []
    before: str | None = None
    for position, tag in enumerate(tags):
        if not (tag == "O" == before) and not _legal(before, tag, rule):
            found.append((position, _complaint(before, tag, rule)))
        before = tag
    if tags and not _legal(tags[-1], None, rule):
        found.append((len(tags) - 1, f"expected tags in {rule}, found {shown(tags[-1])} at the end of a sentence"))
    return found


def _complaint(before: str | None, tag: str, scheme: Scheme) -> str:
    message = f"expected tags in {scheme}, found {shown(tag)}"
    if not _known(tag, scheme):
        return message
    return f"{message} at the start of a sentence" if before is None else f"{message} after {shown(before)}"


@lru_cache(maxsize=65536)
def _known(tag: str, scheme: Scheme) -> bool:
    return is_span_tag(tag) and tag[0] in "O" + scheme.prefixes


@lru_cache(maxsize=65536)
def _legal(before: str | None, after: str | None, scheme: Scheme) -> bool:
    """Whether `after` may follow `before`; None is the edge of the sentence. A tag of another scheme never may."""
    if after not in (None, UNKNOWN_TAG) and not _known(after, scheme):
        return False
    if UNKNOWN_TAG in (before, after):
        return True
    if before is not None and not _known(before, scheme):
        before = "O"  # it was already reported, at its own position
    left, left_type = split_tag(before or "O")
    right, right_type = split_tag(after or "O")
    if scheme is Scheme.IO:
        return True
    if scheme is Scheme.IOB1:
        return right != "B" or left_type == right_type
    if scheme is Scheme.IOB2:
        return right != "I" or left_type == right_type
    is_open, continues = left in "BI", right not in "OBSU"
    return is_open == continues and (not is_open or left_type == right_type)


def legal_transitions(tagset: Sequence[str], scheme: Scheme | str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which tags may start a sentence, follow each other, and end it.

    Args:
        tagset: K tags.
        scheme: ``None`` allows everything.

    Returns:
        Boolean tables ``start (K,)``, ``transition (K, K)`` (row: the tag before, column: the tag after),
        ``end (K,)``.

    >>> start, transition, end = legal_transitions(["O", "B-LOC", "I-LOC"], "IOB2")
    >>> start.tolist(), transition.tolist()
    ([True, True, False], [[True, True, False], [True, True, True], [True, True, True]])
    """
    count = len(tagset)
    if scheme is None:
        return np.ones(count, bool), np.ones((count, count), bool), np.ones(count, bool)
    rule = Scheme(scheme)
    start = np.array([_legal(None, tag, rule) for tag in tagset], bool)
    end = np.array([_legal(tag, None, rule) for tag in tagset], bool)
    pairs = [[_legal(before, after, rule) for after in tagset] for before in tagset]
    return start, np.array(pairs, bool).reshape(count, count), end


def detect_scheme(sequences: Iterable[Sequence[str]]) -> Scheme | None:
    """Detects the scheme of sentences' tags; ``None`` for plain labels.

    The prefixes decide between IO, IOBES, BILOU and IOB. Of IOB1 and IOB2, the one with fewer violations wins, and
    IOB2 on a tie. If all tags are ``O``, the scheme is IOB2; if there are no tags, it is ``None``.

    Raises:
        TagError: only some tags are those of spans, or their prefixes belong to no scheme.

    >>> detect_scheme([["O", "I-LOC", "B-LOC"]]), detect_scheme([["NOUN", "VERB"]])
    (<Scheme.IOB1: 'IOB1'>, None)
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for tags in sequences:
        pairs.update(pairwise(("O", *tags)))
    return scheme_of_pairs(pairs)


def scheme_of_pairs(pairs: Mapping[tuple[str, str], int]) -> Scheme | None:
    """What `detect_scheme` says, from the counts of neighbouring tags; a sentence starts with a pair ("O",
    tag).

    Raises:
        TagError: see `detect_scheme`.
    """
    if not pairs:
        return None
    tags = sorted({tag for _, tag in pairs} - {UNKNOWN_TAG})
    unreadable = [tag for tag in tags if not is_span_tag(tag)]
    prefixes = {tag[0] for tag in tags if tag not in unreadable} - {"O"}
    if unreadable and not prefixes:
        return None
    if unreadable:
        raise TagError(f"expected O or tags such as B-LOC, found {shown(unreadable[0])}", unreadable[0])
    if prefixes == {"I"}:
        return Scheme.IO
    if prefixes <= {"B", "I"}:
        return min((Scheme.IOB2, Scheme.IOB1), key=lambda scheme: _illegal_pairs(pairs, scheme))
    scheme = Scheme.BILOU if prefixes & {"L", "U"} else Scheme.IOBES
    for tag in tags:
        if not _known(tag, scheme):
            raise TagError(f"expected tags in {scheme}, as others are, found {shown(tag)}", tag)
    return scheme


def _illegal_pairs(pairs: Mapping[tuple[str, str], int], scheme: Scheme) -> int:
    return sum(count for (before, tag), count in pairs.items() if not _legal(before, tag, scheme))
