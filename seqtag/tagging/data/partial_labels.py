"""What the labels of a model, IOBES, may be where the tags of a sentence are known in part.

A `B-PER` before a tag that is not known may begin an entity or be a whole one: the model's label is `B-PER` or `S-PER`.
Such a set of labels is written `BS-PER`.

>>> partial_labels(["B-PER", UNKNOWN_TAG, "I-PER", "O"], "IOB2")
['BS-PER', '', 'E-PER', 'O']
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from seqtag.tagging.data.schemes import Scheme, spans
from seqtag.tagging.data.tags import UNKNOWN_TAG

# The letters of all sets of several labels that there are.
SETS = ("BI", "BS", "IE", "ES", "BIES")
_ORDER = "BIES"
# The letter of a token that begins its entity or not, and ends it or not.
_LETTERS = {(True, True): "S", (True, False): "B", (False, True): "E", (False, False): "I"}
_EITHER: tuple[bool, ...] = (True, False)
_YES: tuple[bool, ...] = (True,)
_NO: tuple[bool, ...] = (False,)


def partial_labels(tags: Sequence[str], scheme: Scheme | str) -> list[str]:
    """For each tag the label, or the letters of the labels that it may stand for; `UNKNOWN_TAG` stays as it is.

    What is known is read as `schemes.spans` reads it, and what is not known may be anything that makes it legal. In
    IOB1 and IO, that two entities of one type touch at a token that is not known is taken as possible in any case.

    Args:
        tags: of one sentence, `UNKNOWN_TAG` where they are not known.
        scheme: of the tags.
    """
    rule = Scheme(scheme)
    labels = [UNKNOWN_TAG if tag == UNKNOWN_TAG else "O" for tag in tags]
    for span in spans(tags, rule):
        begins = ends = _YES
        if span.start and tags[span.start - 1] == UNKNOWN_TAG:
            begins = _begins(tags[span.start][0], rule)
        if span.end < len(tags) and tags[span.end] == UNKNOWN_TAG:
            ends = _ends(tags[span.end - 1][0], rule)
        for position in range(span.start, span.end):
            borders = product(
                begins if position == span.start else _NO,
                ends if position == span.end - 1 else _NO,
            )
            letters = {_LETTERS[border] for border in borders}
            labels[position] = f"{''.join(sorted(letters, key=_ORDER.index))}-{span.type}"
    return labels


def _begins(prefix: str, scheme: Scheme) -> tuple[bool, ...]:
    """Whether an entity may begin at a tag after one that is not known."""
    if prefix in "BSU":
        return _YES
    return _EITHER if scheme in (Scheme.IO, Scheme.IOB1) else _NO


def _ends(prefix: str, scheme: Scheme) -> tuple[bool, ...]:
    """Whether an entity may end at a tag before one that is not known."""
    if prefix in "ELSU":
        return _YES
    return _NO if scheme in (Scheme.IOBES, Scheme.BILOU) else _EITHER
