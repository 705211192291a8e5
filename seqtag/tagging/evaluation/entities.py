"""The entities of gold and of answers, read once for all scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from seqtag.tagging.data.schemes import Scheme, Span, spans

Reader = Callable[[Sequence[str], Scheme], list[Span]]


class Entities(NamedTuple):
    """The entities of sentences, in conlleval's reading.

    Attributes:
        gold: those of each sentence.
        predicted: those that it was given.
    """

    gold: list[list[Span]]
    predicted: list[list[Span]]


class Region(NamedTuple):
    """A stretch of tokens that spans cover which overlap each other; `end` is exclusive.

    Attributes:
        gold: those of gold in it.
        predicted: the predicted ones.
    """

    start: int
    end: int
    gold: list[Span]
    predicted: list[Span]


def regions(gold: Iterable[Span], predicted: Iterable[Span]) -> list[Region]:
    """The regions of the spans of a sentence, from left to right.

    >>> found = regions([Span("PER", 0, 2), Span("LOC", 4, 5)], [Span("PER", 1, 3), Span("LOC", 4, 5)])
    >>> [(region.start, region.end, region.gold == region.predicted) for region in found]
    [(0, 3, False), (4, 5, True)]
    """
    found: list[Region] = []
    both = [*((span, True) for span in gold), *((span, False) for span in predicted)]
    for span, is_gold in sorted(both, key=lambda pair: (pair[0].start, pair[0].end)):
        if found and span.start < found[-1].end:
            found[-1] = found[-1]._replace(end=max(found[-1].end, span.end))
        else:
            found.append(Region(span.start, span.end, [], []))
        (found[-1].gold if is_gold else found[-1].predicted).append(span)
    return found


def read_entities(
    gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]], scheme: Scheme | str, read: Reader = spans
) -> Entities:
    """Reads the entities of both sides.

    Args:
        gold: the tags of each sentence.
        predicted: the same, in the same order.
        scheme: of both.
        read: gives the entities of a sentence: `spans`, or what `seqeval_reader` gives.

    Raises:
        TagError: a tag that is none of a span scheme.

    >>> read_entities([["B-PER", "O"]], [["O", "O"]], "IOB2")
    Entities(gold=[[Span(type='PER', start=0, end=1)]], predicted=[[]])
    """
    rule = Scheme(scheme)
    return Entities([read(tags, rule) for tags in gold], [read(tags, rule) for tags in predicted])
