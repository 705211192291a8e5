"""Sentences of which some tags are not known in gold: what of them is scored.

Tokens are scored whose tags are known. An entity, true or predicted, counts by those of its tokens.

>>> at_known(["B-PER", UNKNOWN_TAG, "O"], ["B-PER", "I-PER", "O"], "IOB2")
(['B-PER', '', 'O'], ['B-PER', '', 'O'])
"""

from __future__ import annotations

from collections.abc import Sequence

from seqtag.tagging.data.schemes import Scheme, spans, to_tags
from seqtag.tagging.data.tags import UNKNOWN_TAG

Tags = Sequence[str]


def corpus_at_known(
    gold: Sequence[Tags], predicted: Sequence[Tags], scheme: str | None
) -> tuple[Sequence[Tags], Sequence[Tags]]:
    """The tags of sentences, with `UNKNOWN_TAG` in both where it stands in gold; see `at_known`."""
    if not any(UNKNOWN_TAG in tags for tags in gold):
        return gold, predicted
    pairs = [at_known(true, tags, scheme) for true, tags in zip(gold, predicted, strict=True)]
    return [true for true, _ in pairs], [tags for _, tags in pairs]


def at_known(gold: Tags, predicted: Tags, scheme: str | None) -> tuple[Tags, Tags]:
    """The tags of a sentence, with `UNKNOWN_TAG` in both where it stands in gold.

    What is left of an entity of which a part is not known is tagged as a whole one.
    """
    if UNKNOWN_TAG not in gold:
        return gold, predicted
    kept = [tag if true != UNKNOWN_TAG else UNKNOWN_TAG for true, tag in zip(gold, predicted, strict=True)]
    return (gold, kept) if scheme is None else (_mended(gold, scheme), _mended(kept, scheme))


def is_certain(gold: Tags, start: int, end: int) -> bool:
    """Whether gold says whether a span is an entity: its tags are known, and those of its neighbours.

    >>> is_certain(["B-PER", "O", UNKNOWN_TAG], 0, 1), is_certain(["B-PER", "O", UNKNOWN_TAG], 0, 2)
    (True, False)
    """
    return UNKNOWN_TAG not in gold[max(0, start - 1) : end + 1]


def _mended(tags: Tags, scheme: str) -> list[str]:
    """Tags whose entities beside unknown tags begin and end there."""
    mended = list(tags)
    for span in spans(tags, scheme):
        if not is_certain(tags, span.start, span.end):
            whole = span._replace(start=0, end=span.end - span.start)
            mended[span.start : span.end] = to_tags([whole], whole.end, Scheme(scheme))
    return mended
