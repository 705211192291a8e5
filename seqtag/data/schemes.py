"""Tag schemes for spans (IOB1, IOB2, IOBES, BILOU, IO): reading, checking and converting tags.

A tag is ``O`` or a prefix, a hyphen and a type, which may hold hyphens itself (``B-protein-DNA``). Labels
without prefixes, such as parts of speech, have no scheme: ``None`` wherever a scheme is optional.

>>> spans(["B-PER", "I-PER", "O", "B-LOC"], "IOB2")
[Span(type='PER', start=0, end=2), Span(type='LOC', start=3, end=4)]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

_PREFIXES = {"IO": "I", "IOB1": "BI", "IOB2": "BI", "IOBES": "BIES", "BILOU": "BILU"}


class Scheme(StrEnum):
    """How tags mark the ends of spans; members equal their names, in any case.

    - IO: ``I`` inside; spans of one type that touch are one.
    - IOB1: ``I`` inside, ``B`` only where a span touches one of its own type before it.
    - IOB2: ``B`` begins, ``I`` continues.
    - IOBES: ``B`` begins, ``I`` continues, ``E`` ends, ``S`` is a span of one token.
    - BILOU: IOBES with ``L`` for ``E`` and ``U`` for ``S``.

    >>> Scheme("iob2") is Scheme.IOB2
    True
    """

    IO = "IO"
    IOB1 = "IOB1"
    IOB2 = "IOB2"
    IOBES = "IOBES"
    BILOU = "BILOU"

    @classmethod
    def _missing_(cls, value: object) -> Scheme:
        for member in cls:
            if member.value == str(value).upper():
                return member
        raise ValueError(f"expected one of {', '.join(cls)}, found {value!r}")

    @property
    def prefixes(self) -> str:
        """The letters that may stand before a hyphen.

        >>> Scheme.BILOU.prefixes
        'BILU'
        """
        return _PREFIXES[self.value]


class Span(NamedTuple):
    """Tokens ``start`` to ``end`` (exclusive) make an entity or chunk of this type."""

    type: str
    start: int
    end: int


_ALL_PREFIXES = frozenset("BIESLU")


@lru_cache(maxsize=65536)
def split_tag(tag: str) -> tuple[str, str]:
    """A tag's prefix and type.

    Raises:
        ValueError: the tag is neither ``O`` nor a known prefix, a hyphen and a type.

    >>> split_tag("B-protein-DNA"), split_tag("O")
    (('B', 'protein-DNA'), ('O', ''))
    """
    if tag == "O":
        return "O", ""
    if tag[1:2] == "-" and tag[0] in _ALL_PREFIXES and len(tag) > 2:
        return tag[0], tag[2:]
    raise ValueError(f"expected O or a tag such as B-LOC, found {tag!r}")


def spans(tags: Sequence[str], scheme: Scheme | str, strict: bool = False) -> list[Span]:
    """The spans that a sequence of tags marks.

    Args:
        tags: of one sentence.
        scheme: what the prefixes mean. ``L`` and ``U`` are read as ``E`` and ``S``, so that the lenient
            reading is the same in all schemes.
        strict: if False, conlleval's reading (Tjong Kim Sang and Buchholz 2000): what an illegal sequence
            most likely means, such as a new span at an ``I`` whose type differs from the tag before. If True,
            only spans that are well-formed in `scheme`: always some of the lenient ones.

    Raises:
        ValueError: a tag that cannot be read.

    >>> spans(["I-LOC", "O", "B-LOC", "I-PER"], "IOB2")
    [Span(type='LOC', start=0, end=1), Span(type='LOC', start=2, end=3), Span(type='PER', start=3, end=4)]
    >>> spans(["I-LOC", "O", "B-LOC", "I-PER"], "IOB2", strict=True)
    [Span(type='LOC', start=2, end=3)]
    """
    found = _lenient(tags)
    if not strict:
        return found
    rule = Scheme(scheme)
    return [span for span in found if _well_formed(tags, span, rule)]


def _lenient(tags: Sequence[str]) -> list[Span]:
    found = []
    start = -1  # of the open span, -1 when none is
    previous, previous_type = "O", ""
    for position, tag in enumerate(tags):
        if tag == "O":
            prefix, kind = "O", ""
        else:
            prefix, kind = split_tag(tag)
            prefix = {"L": "E", "U": "S"}.get(prefix, prefix)
        if start >= 0 and (prefix in "OBS" or previous in "ES" or kind != previous_type):
            found.append(Span(previous_type, start, position))
            start = -1
        if start < 0 and prefix != "O":
            start = position
        previous, previous_type = prefix, kind
    if start >= 0:
        found.append(Span(previous_type, start, len(tags)))
    return found


def _well_formed(tags: Sequence[str], span: Span, scheme: Scheme) -> bool:
    prefixes = "".join(tag[0] for tag in tags[span.start : span.end])
    if not set(prefixes) <= set(scheme.prefixes):
        return False
    length = len(prefixes)
    if scheme is Scheme.IO:
        return True
    if scheme is Scheme.IOB1:
        touches = span.start > 0 and split_tag(tags[span.start - 1])[1] == span.type
        return prefixes == ("B" if touches else "I") + "I" * (length - 1)
    return prefixes == _prefixes(length, scheme)


def _prefixes(length: int, scheme: Scheme) -> str:
    """The prefixes of a span in a scheme that marks each span by itself."""
    if scheme is Scheme.IO:
        return "I" * length
    if scheme is Scheme.IOB2:
        return "B" + "I" * (length - 1)
    single, last = ("U", "L") if scheme is Scheme.BILOU else ("S", "E")
    return single if length == 1 else "B" + "I" * (length - 2) + last


def to_tags(entities: Iterable[Span], length: int, scheme: Scheme | str) -> list[str]:
    """The tags of a sentence of `length` tokens that mark these spans.

    Raises:
        ValueError: spans that overlap, are empty, or reach beyond the sentence.

    >>> to_tags([Span("PER", 0, 2), Span("LOC", 2, 3)], 4, "IOBES")
    ['B-PER', 'E-PER', 'S-LOC', 'O']
    """
    rule = Scheme(scheme)
    tags = ["O"] * length
    before = Span("", 0, 0)
    for span in sorted(entities, key=lambda span: span.start):
        if not before.end <= span.start < span.end <= length:
            raise ValueError(f"expected spans apart and within {length} tokens, found {tuple(span)}")
        if rule is Scheme.IOB1:
            touches = before.end == span.start and before.type == span.type
            prefixes = ("B" if touches else "I") + "I" * (span.end - span.start - 1)
        else:
            prefixes = _prefixes(span.end - span.start, rule)
        tags[span.start : span.end] = [f"{prefix}-{span.type}" for prefix in prefixes]
        before = span
    return tags


def convert(tags: Sequence[str], source: Scheme | str, target: Scheme | str) -> list[str]:
    """Tags of one scheme in another, by conlleval's reading; IO cannot tell touching spans of one type apart.

    >>> convert(["I-LOC", "B-LOC", "O"], "IOB1", "IOB2")
    ['B-LOC', 'B-LOC', 'O']
    """
    return to_tags(spans(tags, source), len(tags), target)


def repair(tags: Sequence[str], scheme: Scheme | str) -> list[str]:
    """Legal tags with the same spans by conlleval's reading; legal tags come back as they are.

    >>> repair(["O", "I-LOC", "I-LOC"], "IOB2")
    ['O', 'B-LOC', 'I-LOC']
    """
    return convert(tags, scheme, scheme)


def violations(tags: Sequence[str], scheme: Scheme | str) -> list[tuple[int, str]]:
    """What is illegal in a sequence of tags: positions and messages, none when it is legal.

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
        found.append((len(tags) - 1, f"expected tags in {rule}, found {tags[-1]!r} at the end of a sentence"))
    return found


def _complaint(before: str | None, tag: str, scheme: Scheme) -> str:
    message = f"expected tags in {scheme}, found {tag!r}"
    if not _known(tag, scheme):
        return message
    return f"{message} at the start of a sentence" if before is None else f"{message} after {before!r}"


@lru_cache(maxsize=65536)
def _known(tag: str, scheme: Scheme) -> bool:
    try:
        return split_tag(tag)[0] in "O" + scheme.prefixes
    except ValueError:
        return False


@lru_cache(maxsize=65536)
def _legal(before: str | None, after: str | None, scheme: Scheme) -> bool:
    """Whether `after` may follow `before`; None is the edge of the sentence. Foreign tags never may."""
    if after is not None and not _known(after, scheme):
        return False
    if before is not None and not _known(before, scheme):
        before = "O"  # its own position says that it is illegal
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


def legal_transitions(
    tagset: Sequence[str], scheme: Scheme | str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def tagset(types: Iterable[str], scheme: Scheme | str) -> list[str]:
    """All tags of a scheme for these types, ``O`` first.

    >>> tagset(["LOC", "PER"], "IOB2")
    ['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER']
    """
    return ["O", *(f"{prefix}-{kind}" for kind in types for prefix in Scheme(scheme).prefixes)]


def detect_scheme(sequences: Iterable[Sequence[str]]) -> Scheme | None:
    """The scheme of sentences' tags; ``None`` for plain labels.

    Prefixes decide between IO, IOBES, BILOU and the two IOB schemes; of these the one with fewer violations
    wins, IOB2 on a tie. Tags that are all ``O`` are IOB2, no tags at all ``None``.

    Raises:
        ValueError: some tags are spans' and others are not, or their prefixes belong to no scheme.

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
        ValueError: see `detect_scheme`.
    """
    if not pairs:
        return None
    prefixes, plain = set(), []
    for tag in {tag for _, tag in pairs}:
        try:
            prefixes.add(split_tag(tag)[0])
        except ValueError:
            plain.append(tag)
    if plain:
        if prefixes <= {"O"}:
            return None
        raise ValueError(f"expected O or tags such as B-LOC, found {min(plain)!r}")
    return _scheme_of(prefixes - {"O"}, pairs)


def _scheme_of(prefixes: set[str], pairs: Mapping[tuple[str, str], int]) -> Scheme:
    if prefixes == {"I"}:
        return Scheme.IO
    if prefixes <= {"B", "I"}:
        wrong = {
            scheme: sum(count for (before, tag), count in pairs.items() if not _legal(before, tag, scheme))
            for scheme in (Scheme.IOB2, Scheme.IOB1)
        }
        return min(wrong, key=lambda scheme: wrong[scheme])
    for scheme in (Scheme.IOBES, Scheme.BILOU):
        if prefixes <= set(scheme.prefixes):
            return scheme
    raise ValueError(
        f"expected the prefixes of one of {', '.join(Scheme)}, found {', '.join(sorted(prefixes))}"
    )
