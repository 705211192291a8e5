"""Lengths and symbols of texts, in characters and in words; lengths of frames.

>>> characters, words = surveyed(["go now", "stop now"])
>>> print(words.report().to_text())
words: 3 distinct, 2 of them once, rarest 'go' 1, 'stop' 1, 'now' 2; lengths: mean 2.0, median 2, 95% up to 2, longest 2
>>> words.unknown(surveyed(["go go"])[1]).most
{'now': 2, 'stop': 1}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seqtag.errors import shown
from seqtag.seq2seq.data.pairs import Source

CHARACTERS, WORDS, FRAMES = "characters", "words", "frames"
LISTED = 10
# The rarest symbols are printed where there are this many at most: the rarest words of a language tell nothing.
FEW = 500


@dataclass(frozen=True)
class LengthReport:
    """Lengths of sequences, and what they consist of.

    Attributes:
        unit: `characters`; `words`, which spaces separate; or `frames`.
        distinct: how many distinct symbols there are; how many numbers a frame has.
        once: how many of the symbols occur once.
        rarest: how often the rarest symbols occur, the rarest first.
        mean, median, p95, longest: of the lengths.
    """

    unit: str
    distinct: int
    once: int
    rarest: Mapping[str, int]
    mean: float
    median: int
    p95: int
    longest: int

    def to_text(self) -> str:
        """The report as one line for people."""
        what = f"{self.distinct} numbers each" if self.unit == FRAMES else f"{self.distinct} distinct"
        rarest = f", {self.once} of them once" if self.once else ""
        if self.rarest and self.distinct <= FEW:
            rarest += f", rarest {listed(self.rarest)}"
        lengths = f"mean {self.mean:.1f}, median {self.median}, 95% up to {self.p95}, longest {self.longest}"
        return f"{self.unit}: {what}{rarest}; lengths: {lengths}"


@dataclass(frozen=True)
class Unknown:
    """Symbols that other texts do not have.

    Attributes:
        distinct: how many there are.
        share: their share of all symbols of the texts.
        most: how often the most frequent of them occur.
    """

    distinct: int
    share: float
    most: Mapping[str, int]


class LengthSurvey:
    """Counts of lengths and symbols of one unit."""

    def __init__(self, unit: str, lengths: Counter[int], symbols: Counter[str], width: int = 0) -> None:
        self.unit = unit
        self.lengths = lengths
        self.symbols = symbols
        self.width = width

    def report(self) -> LengthReport:
        """The figures."""
        rarest = sorted(self.symbols.items(), key=lambda item: item[1])[:LISTED]
        return LengthReport(
            self.unit,
            len(self.symbols) or self.width,
            sum(count == 1 for count in self.symbols.values()),
            dict(rarest),
            sum(length * count for length, count in self.lengths.items()) / self.lengths.total(),
            quantile(self.lengths, 0.5),
            quantile(self.lengths, 0.95),
            max(self.lengths),
        )

    def unknown(self, earlier: LengthSurvey) -> Unknown:
        """The symbols that other texts do not have."""
        found = Counter({s: count for s, count in self.symbols.items() if s not in earlier.symbols})
        return Unknown(len(found), found.total() / max(self.symbols.total(), 1), dict(found.most_common(LISTED)))


def surveyed(sources: Sequence[Source]) -> list[LengthSurvey]:
    """Counts texts in characters and, where one of them has a space, in words; frames of numbers as such."""
    if sources and not isinstance(sources[0], str):
        return [LengthSurvey(FRAMES, Counter(map(len, sources)), Counter(), sources[0].shape[1])]
    # Each distinct text is taken apart once.
    texts = Counter(sources)
    surveys = [_counted(CHARACTERS, ((list(text), times) for text, times in texts.items()))]
    if any(" " in text for text in texts):
        surveys.append(_counted(WORDS, ((text.split(), times) for text, times in texts.items())))
    return surveys


def _counted(unit: str, texts: Iterable[tuple[list[str], int]]) -> LengthSurvey:
    lengths: Counter[int] = Counter()
    symbols: Counter[str] = Counter()
    for found, times in texts:
        lengths[len(found)] += times
        for symbol in found:
            symbols[symbol] += times
    return LengthSurvey(unit, lengths, symbols)


def quantile(lengths: Mapping[int, int], share: float) -> int:
    """The smallest length that this share of the sequences does not exceed.

    >>> quantile({1: 2, 5: 1, 9: 1}, 0.5)
    1
    """
    needed = share * sum(lengths.values())
    reached = 0
    for length in sorted(lengths):
        reached += lengths[length]
        if reached >= needed:
            break
    return length


def listed(counts: Mapping[str, int]) -> str:
    """Symbols with their counts, for people."""
    return ", ".join(f"{shown(symbol, 20)} {count}" for symbol, count in counts.items())
