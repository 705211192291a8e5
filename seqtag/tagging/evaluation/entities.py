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
