"""Gold and predicted tags, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest


def aligned(
    gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Pairs of gold and predicted tags, sentence by sentence.

    Raises:
        ValueError: different numbers of sentences, or of tags in a sentence.
    """
    for number, (gold_tags, tags) in enumerate(zip_longest(gold, predicted), 1):
        if gold_tags is None or tags is None:
            more = "gold" if tags is None else "predicted"
            raise ValueError(f"expected as many predicted as gold sentences, found more than {number - 1} {more}")
        if len(gold_tags) != len(tags):
            raise ValueError(f"expected {len(gold_tags)} predicted tags in sentence {number}, found {len(tags)}")
        yield gold_tags, tags
