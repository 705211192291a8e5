"""Spans as seqeval reads them, in its default mode, which is conlleval's reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqtag.tagging.data.schemes import Scheme, Span, convert


def seqeval_reader() -> Callable[[Sequence[str], Scheme], list[Span]]:
    """The function of seqeval that gives the spans of one sentence, to be used in place of `schemes.spans`.

    >>> seqeval_reader()(["I-LOC", "O", "B-LOC", "I-PER"], Scheme.IOB2)
    [Span(type='LOC', start=0, end=1), Span(type='LOC', start=2, end=3), Span(type='PER', start=3, end=4)]
    """
    # Not at the top: it imports pandas and scikit-learn, some seconds that tagging a file need not wait for.
    from seqeval.metrics.sequence_labeling import get_entities

    def read(tags: Sequence[str], scheme: Scheme) -> list[Span]:
        # seqeval does not know the prefixes L and U, which files of any scheme may hold; it reads them wrongly.
        # Nor does it know of tags that are not known.
        known = convert(tags, scheme, Scheme.IOB2) if any(tag[:1] in ("L", "U", "") for tag in tags) else list(tags)
        return [Span(kind, start, last + 1) for kind, start, last in get_entities(known)]

    return read
