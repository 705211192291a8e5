"""Tag schemes for spans (IOB1, IOB2, IOBES, BILOU, IO): reading, checking and converting tags.

A tag is ``O`` or a prefix, a hyphen and a type, which may hold hyphens itself (``B-protein-DNA``). Labels
without prefixes, such as parts of speech, have no scheme: ``None`` wherever a scheme is optional.

>>> spans(["B-PER", "I-PER", "O", "B-LOC"], "IOB2")
[Span(type='PER', start=0, end=2), Span(type='LOC', start=3, end=4)]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from seqtag.tagging.data.legality import detect_scheme, legal_transitions, scheme_of_pairs, violations
from seqtag.tagging.data.tags import UNKNOWN_TAG, Scheme, Span, TagError, is_span_tag, split_tag

__all__ = [
    "Scheme",
    "Span",
    "TagError",
    "convert",
    "detect_scheme",
    "is_span_tag",
    "legal_transitions",
    "repair",
    "scheme_of_pairs",
    "spans",
    "split_tag",
    "tagset",
    "to_tags",
    "violations",
    "well_formed",
]


def spans(tags: Sequence[str], scheme: Scheme | str, strict: bool = False) -> list[Span]:
    """The spans that a sequence of tags marks.

    Args:
        tags: of one sentence; one that is not known, `UNKNOWN_TAG`, is read as ``O``.
        scheme: what the prefixes mean. ``L`` and ``U`` are read as ``E`` and ``S``, so that the lenient
            reading is the same in all schemes.
        strict: if False, conlleval's reading (Tjong Kim Sang and Buchholz 2000): what an illegal sequence
            most likely means, such as a new span at an ``I`` whose type differs from the tag before. If True,
            only spans that are well-formed in `scheme`: always a subset of the lenient ones.

    Raises:
        TagError: a tag that cannot be read.

    >>> spans(["I-LOC", "O", "B-LOC", "I-PER"], "IOB2")
    [Span(type='LOC', start=0, end=1), Span(type='LOC', start=2, end=3), Span(type='PER', start=3, end=4)]
    >>> spans(["I-LOC", "O", "B-LOC", "I-PER"], "IOB2", strict=True)
    [Span(type='LOC', start=2, end=3)]
    """
    found = _lenient(tags)
    return well_formed(tags, found, scheme) if strict else found


def _lenient(tags: Sequence[str]) -> list[Span]:
    found = []
    start = -1  # of the open span, -1 when none is
    previous, previous_type = "O", ""
    for position, tag in enumerate(tags):
        if start < 0 and tag == "O":
            continue
        prefix, kind = _read(tag)
        if start >= 0 and (prefix in "OBS" or previous in "ES" or kind != previous_type):
            found.append(Span(previous_type, start, position))
            start = -1
        if start < 0 and prefix != "O":
            start = position
        previous, previous_type = prefix, kind
    if start >= 0:
        found.append(Span(previous_type, start, len(tags)))
    return found


def well_formed(tags: Sequence[str], found: Iterable[Span], scheme: Scheme | str) -> list[Span]:
    """The spans of the strict reading, of those that the lenient one has found.

    >>> well_formed(["I-LOC", "O", "B-LOC"], [Span("LOC", 0, 1), Span("LOC", 2, 3)], "IOB2")
    [Span(type='LOC', start=2, end=3)]
    """
    rule = Scheme(scheme)
    return [span for span in found if _is_well_formed(tags, span, rule)]


@lru_cache(maxsize=65536)
def _read(tag: str) -> tuple[str, str]:
    """A tag's prefix, one of ``OBIES``, and its type."""
    if tag == UNKNOWN_TAG:
        return "O", ""
    prefix, kind = split_tag(tag)
    return {"L": "E", "U": "S"}.get(prefix, prefix), kind


def _is_well_formed(tags: Sequence[str], span: Span, scheme: Scheme) -> bool:
    prefixes = "".join([tag[0] for tag in tags[span.start : span.end]])
    length = len(prefixes)
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
    """Converts tags of one scheme to another, by conlleval's reading; IO cannot separate touching spans of one type.

    >>> convert(["I-LOC", "B-LOC", "O"], "IOB1", "IOB2")
    ['B-LOC', 'B-LOC', 'O']
    """
    return to_tags(spans(tags, source), len(tags), target)


def repair(tags: Sequence[str], scheme: Scheme | str) -> list[str]:
    """Makes tags legal without changing their spans in conlleval's reading; legal tags come back as they are.

    >>> repair(["O", "I-LOC", "I-LOC"], "IOB2")
    ['O', 'B-LOC', 'I-LOC']
    """
    return convert(tags, scheme, scheme)


def tagset(types: Iterable[str], scheme: Scheme | str) -> list[str]:
    """All tags of a scheme for these types, ``O`` first.

    >>> tagset(["LOC", "PER"], "IOB2")
    ['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER']
    """
    return ["O", *(f"{prefix}-{kind}" for kind in types for prefix in Scheme(scheme).prefixes)]
