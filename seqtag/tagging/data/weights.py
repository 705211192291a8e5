"""How much each sentence counts in training."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtag.errors import DataError, shown
from seqtag.tagging.data.python_sentences import place

if TYPE_CHECKING:
    from seqtag.tagging.data.corpus import TaggedCorpus

# The key of JSON lines, and the column of tables and DataFrames.
WEIGHT = "weight"
_COMMENT = re.compile(r"\W+weight\s*=(.*)")


def read_weight(value: Any, known: float | None = None) -> float:
    """A weight as a number, not below 0.

    Args:
        value: a number or a text.
        known: what the sentence has elsewhere, if anything.

    Raises:
        DataError: it is none, or another than is known.

    >>> read_weight("0.5")
    0.5
    """
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not (weight >= 0 and math.isfinite(weight)) or isinstance(value, bool):
        raise DataError(f"expected a weight, a number from 0 on, found {shown(value)}")
    if known not in (None, weight):
        raise DataError(f"expected one weight for all of a sentence, found {known:g} and {weight:g}")
    return weight


def weight_of_comment(line: str) -> str | None:
    """What a comment such as `# weight = 0.5` says; None where it says nothing of a weight.

    >>> weight_of_comment("# weight = 0.5"), weight_of_comment("# text = weight = 1")
    ('0.5', None)
    """
    found = _COMMENT.match(line)
    return None if found is None else found.group(1).strip()


def checked_weights(weights: Iterable[Any], count: int) -> list[float]:
    """The weights of so many sentences, from Python.

    Raises:
        DataError: there are more or fewer, or one is no number from 0 on.
    """
    given = list(weights)
    if len(given) != count:
        raise DataError(f"expected as many weights as sentences, found {len(given)} for {count}")
    found = []
    for number, weight in enumerate(given):
        try:
            found.append(read_weight(weight))
        except DataError as error:
            raise error.at(place(number)) from None
    return found


def relative_weights(corpus: TaggedCorpus) -> np.ndarray | None:
    """The weights `(sentences,)` of a corpus, with a mean over its tokens of 1; None where all count the same.

    So that the loss of a batch is as large as without weights, whatever their unit.

    Raises:
        DataError: all are 0.
    """
    if not corpus.weights:
        return None
    weights, lengths = np.array(corpus.weights), np.array([len(tokens) for tokens in corpus.tokens])
    total = weights @ lengths
    if not total:
        raise DataError("expected a weight above 0, found 0 for every sentence", corpus.path)
    return (weights * (lengths.sum() / total)).astype(np.float32)
