"""The errors of answers: rates by the length of the source, and which symbols are wrong.

>>> from seqtag.seq2seq.evaluation.measures import nearest_references
>>> found = nearest_references([["AH", "B"], ["K"]], [[["EY", "B"]], [["K", "S"]]])
>>> table = error_table([["AH", "B"], ["K"]], found, source_lengths=[5, 3])
>>> table.substitutions, table.deletions
(Counter({('EY', 'AH'): 1}), Counter({'S': 1}))
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from rapidfuzz.distance import Levenshtein

from seqtag.measures.figures import json_value, percent, right_aligned
from seqtag.seq2seq.evaluation.measures import Nearest, Symbols, error_rate, ratio
from seqtag.seq2seq.symbol_labels import symbol_label

# Bins of lengths, each with about the same number of sources: enough to see a slope, few enough to read.
MAX_BINS = 8
MOST_ERRORS = 20
MOST_SHOWN = 10


@dataclass(frozen=True)
class LengthScore:
    """The scores of the sources whose lengths are within two bounds.

    Attributes:
        shortest: the length of the shortest of these sources.
        longest: the length of the longest.
        sources: how many there are.
        exact_match: the share of them with a right answer.
        token_error_rate: the edit distances of their answers over the lengths of the nearest references; NaN where all
            these lengths are 0.
    """

    shortest: int
    longest: int
    sources: int
    exact_match: float
    token_error_rate: float

    def to_metrics(self) -> dict[str, Any]:
        """An entry of ``by_length`` in ``metrics.json``."""
        return {**vars(self), "token_error_rate": json_value(self.token_error_rate)}


@dataclass(frozen=True)
class ErrorTable:
    """What is wrong with answers.

    Attributes:
        by_length: the scores by length of the source, from the shortest to the longest.
        substitutions: how often a symbol of a reference, the first of the pair, was answered by another, the second.
        insertions: how often a symbol was answered that the reference does not have.
        deletions: how often a symbol of a reference is missing from the answer.

    The three counters sum to the edit distances to the nearest references. Of several ways to turn a reference into an
    answer by as few edits, rapidfuzz's is counted.
    """

    by_length: tuple[LengthScore, ...]
    substitutions: Counter[tuple[str, str]]
    insertions: Counter[str]
    deletions: Counter[str]

    def to_metrics(self) -> dict[str, Any]:
        """The table as an entry of ``metrics.json``: the number of errors of each kind, and the most frequent ones."""
        pairs = [
            {"reference": reference, "answer": answer, "count": count}
            for (reference, answer), count in most_frequent(self.substitutions, MOST_ERRORS)
        ]
        return {
            "by_length": [score.to_metrics() for score in self.by_length],
            "counts": {name: errors.total() for name, errors in self._kinds().items()},
            "substitutions": pairs,
            "insertions": _counted(self.insertions),
            "deletions": _counted(self.deletions),
        }

    def to_text(self) -> str:
        """The table for people: the scores by length, then the most frequent errors of each kind side by side."""
        totals = ", ".join(f"{errors.total():,} {name}" for name, errors in self._kinds().items())
        substitutions = [
            (f"{symbol_label(answer)} for {symbol_label(reference)}", count)
            for (reference, answer), count in most_frequent(self.substitutions, MOST_SHOWN)
        ]
        others = [
            [(symbol_label(symbol), count) for symbol, count in most_frequent(errors, MOST_SHOWN)]
            for errors in (self.insertions, self.deletions)
        ]
        columns = [[name, *_lines(rows)] for name, rows in zip(self._kinds(), [substitutions, *others], strict=True)]
        found = _side_by_side([column for column in columns if len(column) > 1])
        lengths = [*self._length_lines(), ""] if self.by_length else []
        return "\n".join([*lengths, f"wrong symbols: {totals}", *found])

    def _kinds(self) -> dict[str, Counter[Any]]:
        return {"substitutions": self.substitutions, "insertions": self.insertions, "deletions": self.deletions}

    def _length_lines(self) -> list[str]:
        rows = [("source length", "sources", "exact match", "token errors")]
        rows += [
            (
                f"{score.shortest}-{score.longest}" if score.shortest < score.longest else f"{score.shortest}",
                f"{score.sources:,}",
                percent(score.exact_match),
                percent(score.token_error_rate),
            )
            for score in self.by_length
        ]
        return right_aligned(rows)


def error_table(predicted: Sequence[Symbols], found: Sequence[Nearest], source_lengths: Sequence[int]) -> ErrorTable:
    """The errors of answers against their nearest references.

    Args:
        predicted: the symbols of each answer.
        found: the nearest reference of each; see `nearest_references`.
        source_lengths: the length of each source. The bins of lengths follow from them: eight at most, each with
            about the same number of sources, and never two for one length.
    """
    substitutions: Counter[tuple[str, str]] = Counter()
    insertions: Counter[str] = Counter()
    deletions: Counter[str] = Counter()
    for answer, (distance, reference) in zip(predicted, found, strict=True):
        for edit in Levenshtein.editops(reference, answer) if distance else ():
            if edit.tag == "replace":
                substitutions[reference[edit.src_pos], answer[edit.dest_pos]] += 1
            elif edit.tag == "insert":
                insertions[answer[edit.dest_pos]] += 1
            else:
                deletions[reference[edit.src_pos]] += 1
    return ErrorTable(tuple(_by_length(found, source_lengths)), substitutions, insertions, deletions)


def _by_length(found: Sequence[Nearest], lengths: Sequence[int]) -> Iterator[LengthScore]:
    edges = length_bins(lengths)
    bins: list[list[int]] = [[] for _ in edges]
    for row, length in enumerate(lengths):
        bins[bisect_left(edges, length)].append(row)
    for rows in bins:
        inside, chosen = [lengths[row] for row in rows], [found[row] for row in rows]
        right = sum(not each.distance for each in chosen)
        yield LengthScore(min(inside), max(inside), len(rows), ratio(right, len(rows)), error_rate(chosen))


def length_bins(lengths: Sequence[int], most: int = MAX_BINS) -> list[int]:
    """The greatest length of each bin: quantiles of the lengths, each once.

    >>> length_bins([3, 3, 3, 4, 9, 5, 6, 7], most=4)
    [3, 4, 6, 9]
    """
    ordered, count = sorted(lengths), len(lengths)
    return sorted({ordered[-(-part * count // most) - 1] for part in range(1, most + 1)}) if ordered else []


def most_frequent(errors: Counter[Any], most: int) -> list[tuple[Any, int]]:
    """The entries with the highest counts, equal ones by name, so that their order does not depend on the data's.

    >>> most_frequent(Counter("babca"), 2)
    [('a', 2), ('b', 2)]
    """
    return sorted(errors.items(), key=lambda entry: (-entry[1], entry[0]))[:most]


def _counted(errors: Counter[str]) -> list[dict[str, Any]]:
    return [{"symbol": symbol, "count": count} for symbol, count in most_frequent(errors, MOST_ERRORS)]


def _lines(rows: Sequence[tuple[str, int]]) -> list[str]:
    width = max((len(f"{count:,}") for _, count in rows), default=0)
    return [f"{count:>{width},}  {name}" for name, count in rows]


def _side_by_side(columns: Sequence[Sequence[str]]) -> list[str]:
    """Columns of text, each as wide as its longest line."""
    widths = [max(map(len, column)) for column in columns]
    rows = zip_longest(*columns, fillvalue="")
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
