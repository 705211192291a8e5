"""Measures of answers against references, of which a source may have several.

Answers and references are sequences of symbols; BLEU and chrF take whole texts. rapidfuzz computes the edit distances:
the least number of substitutions, insertions and deletions of symbols that turn one sequence into the other.

>>> answers, references = [["AH", "B"], ["K"]], [[["AH", "B"], ["EY", "B"]], [["K", "AE", "T"]]]
>>> exact_match(answers, references), token_error_rate(answers, references)
(0.5, 0.4)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from rapidfuzz.distance import Levenshtein

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU, CHRF

Symbols = Sequence[str]


class Nearest(NamedTuple):
    """The reference that an answer comes nearest to, and the edit distance between the two."""

    distance: int
    reference: Symbols


@dataclass(frozen=True)
class TextScore:
    """A score of sacrebleu, from 0 to 100, and its signature, which says how it was computed; empty without sources."""

    score: float
    signature: str


def nearest(answer: Symbols, references: Sequence[Symbols]) -> Nearest:
    """The reference with the least edit distance to an answer; of several the longest, and of these the first.

    The longest, because the error rate then depends on no order: it is the one with the least distance for its length.

    >>> nearest("abc", ["a", "abd", "xabc"])
    Nearest(distance=1, reference='xabc')
    """
    distances = [Levenshtein.distance(answer, reference) for reference in references]
    least = min(distances)
    found = [reference for distance, reference in zip(distances, references, strict=True) if distance == least]
    return Nearest(least, max(found, key=len))


def nearest_references(predicted: Sequence[Symbols], references: Sequence[Sequence[Symbols]]) -> list[Nearest]:
    """The nearest reference of each answer.

    Raises:
        ValueError: different numbers of answers and of sources, or a source without a reference.
    """
    check_references(predicted, references)
    return [nearest(answer, targets) for answer, targets in zip(predicted, references, strict=True)]


def check_references(predicted: Sequence[object], references: Sequence[Sequence[object]]) -> None:
    """Checks that each answer has its references.

    Raises:
        ValueError: different numbers of answers and of sources, or a source without a reference.
    """
    if len(predicted) != len(references):
        raise ValueError(f"expected references for {len(predicted)} answers, found them for {len(references)}")
    for number, targets in enumerate(references, 1):
        if not targets:
            raise ValueError(f"expected at least one reference for each source, found none for source {number}")


def exact_match(predicted: Sequence[Symbols], references: Sequence[Sequence[Symbols]]) -> float:
    """The share of sources whose answer equals one of their references; NaN without sources.

    Raises:
        ValueError: see `check_references`.
    """
    check_references(predicted, references)
    right = sum(answer in targets for answer, targets in zip(predicted, references, strict=True))
    return ratio(right, len(predicted))


def token_error_rate(predicted: Sequence[Symbols], references: Sequence[Sequence[Symbols]]) -> float:
    """The edit distances to the nearest references, summed, over the lengths of those references, summed.

    The nearest reference is that of `nearest`. An empty one adds its distance and no length. The rate can be above 1,
    as answers can be longer than references; it is NaN where all the lengths are 0.

    Raises:
        ValueError: see `check_references`.
    """
    return error_rate(nearest_references(predicted, references))


def error_rate(found: Sequence[Nearest]) -> float:
    """The token error rate of answers whose nearest references are known; see `token_error_rate`."""
    return ratio(sum(each.distance for each in found), sum(len(each.reference) for each in found))


def ratio(part: float, whole: float) -> float:
    """A quotient; NaN where there is nothing to divide by."""
    return part / whole if whole else float("nan")


def bleu(predicted: Sequence[str], references: Sequence[Sequence[str]]) -> TextScore:
    """sacrebleu's BLEU of texts as they are read, with its tokeniser `13a`; NaN without sources.

    Raises:
        ValueError: see `check_references`.

    >>> found = bleu(["the cat sat on the mat"], [["the cat sat on a mat", "a cat sat on the mat"]])
    >>> round(found.score, 2), found.signature.split("|")[0]
    (95.54, 'nrefs:2')
    """
    # Not at the top: only targets of words are scored by it.
    from sacrebleu.metrics import BLEU

    return _text_score(BLEU(), predicted, references)


def chrf(predicted: Sequence[str], references: Sequence[Sequence[str]]) -> TextScore:
    """sacrebleu's chrF2 of texts as they are read: the F-score of their n-grams of characters; NaN without sources.

    Raises:
        ValueError: see `check_references`.

    >>> chrf(["a small cat"], [["a small cat"]]).score
    100.0
    """
    from sacrebleu.metrics import CHRF

    return _text_score(CHRF(), predicted, references)


def _text_score(metric: BLEU | CHRF, predicted: Sequence[str], references: Sequence[Sequence[str]]) -> TextScore:
    check_references(predicted, references)
    if not predicted:
        return TextScore(float("nan"), "")
    found = metric.corpus_score(predicted, _streams(references))
    return TextScore(float(found.score), metric.get_signature().format())


def _streams(references: Iterable[Sequence[str]]) -> list[list[Any]]:
    """The first reference of each source, the second of each, ...; None where a source has fewer, as sacrebleu asks."""
    return [list(stream) for stream in zip_longest(*references)]
