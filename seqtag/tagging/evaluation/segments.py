"""Scores of segments: runs of steps of one label.

A predicted segment is right where its label and both its ends are. Two segments of one label never touch: they would be
one. A segment ends where labels are not known.

>>> score_segments([["calm", "calm", "wave"]], [["calm", "wave", "wave"]]).correct
0
>>> score_segments([["calm", "calm", "wave"]], [["calm", "calm", "wave"]]).f1
1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from seqtag.measures.scores import Score
from seqtag.tagging.data.schemes import Span
from seqtag.tagging.data.tags import UNKNOWN_TAG


def segments_of(labels: Sequence[str]) -> list[Span]:
    """The runs of one label in a sequence, but for those that are not known.

    >>> segments_of(["a", "a", UNKNOWN_TAG, "a", "b"])
    [Span(type='a', start=0, end=2), Span(type='a', start=3, end=4), Span(type='b', start=4, end=5)]
    """
    found, start = [], 0
    for label, run in groupby(labels):
        end = start + sum(1 for _ in run)
        if label != UNKNOWN_TAG:
            found.append(Span(label, start, end))
        start = end
    return found


def score_segments(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Score:
    """The score of all segments.

    Args:
        gold: the labels of each sequence, with `UNKNOWN_TAG` for those that are not known.
        predicted: the same, in the same order, with `UNKNOWN_TAG` in the same places.
    """
    correct = found = support = 0
    for gold_labels, labels in zip(gold, predicted, strict=True):
        true, guessed = segments_of(gold_labels), segments_of(labels)
        correct += len(set(true) & set(guessed))
        found += len(guessed)
        support += len(true)
    return Score(correct, found, support)
