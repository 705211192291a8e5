"""The doubts about the gold tags of a corpus, worst first, by confident learning."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.errors import one_line
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Span
from seqtag.tagging.doubts.readings import Judgement, Place, Reading

# How many words are shown around a place.
AROUND = 4
COLUMNS = (
    *("file", "line", "sentence", "start", "end"),
    *("gold", "model", "gold_probability", "model_probability", "likely"),
)


@dataclass(frozen=True)
class Doubt:
    """A place whose gold tags a model thinks wrong.

    Attributes:
        place: the tokens, and both readings.
        is_likely: whether the model is at least as sure of its own reading as it is of gold of that type on average.
        file: of the corpus; None for Python objects.
        line: the 1-based line of the first token; None for Python objects.
        words: of the sentence.
    """

    place: Place
    is_likely: bool
    file: str | None
    line: int | None
    words: Sequence[str]

    def to_row(self) -> list[Any]:
        """The values of `COLUMNS`; `sentence` counts from 1, `start` and `end` are in tokens."""
        sentence, start, end, gold, model = self.place
        told = [self._marked(gold), self._marked(model)]
        probabilities = [round(reading.probability, 6) for reading in (gold, model)]
        return [self.file, self.line, sentence + 1, start, end, *told, *probabilities, self.is_likely]

    def to_text(self) -> str:
        """The doubt in a line."""
        gold, model = self.place.gold, self.place.model
        name = "" if self.file is None else f"{self.file}:"
        where = f"sentence {self.place.sentence + 1}" if self.line is None else f"{name}{self.line}"
        sure = f"{gold.probability:.3f} against {model.probability:.3f}"
        return one_line(f"{where}: {self._marked(gold)}; likelier {self._marked(model)}: {sure}")

    def _marked(self, reading: Reading) -> str:
        """The words of the place, with its entities in brackets and some words around."""
        start, end = max(0, self.place.start - AROUND), min(len(self.words), self.place.end + AROUND)
        return " ".join(_pieces(self.words, reading.spans, start, end))


def _pieces(words: Sequence[str], spans: Sequence[Span], start: int, end: int) -> list[str]:
    pieces = []
    for type_, first, last in spans:
        pieces += [*words[start:first], f"[{' '.join(words[first:last])} {type_}]"]
        start = last
    return [*pieces, *words[start:end]]


@dataclass(frozen=True)
class DoubtsReport:
    """The doubts about a corpus.

    Attributes:
        doubts: worst first, all of them.
        checked: how many entities, or labels, were judged.
        unjudged: how many have a type that the model which judges them does not know.
        limit: how many are shown.
    """

    doubts: list[Doubt]
    checked: int
    unjudged: int
    limit: int

    @property
    def likely(self) -> int:
        """How many are likely errors."""
        return sum(doubt.is_likely for doubt in self.doubts)

    def to_metrics(self) -> dict[str, Any]:
        """The report for programs."""
        counts = {"checked": self.checked, "unjudged": self.unjudged, "doubts": len(self.doubts), "likely": self.likely}
        rows = [dict(zip(COLUMNS, doubt.to_row(), strict=True)) for doubt in self.doubts[: self.limit]]
        return {**counts, "worst": rows}

    def to_text(self) -> str:
        """The report for people."""
        counts = f"{self.checked:,} checked, {len(self.doubts):,} doubts, {self.likely:,} of them likely errors"
        unjudged = [f"not judged, of types that their model does not know: {self.unjudged:,}"] if self.unjudged else []
        lines = [doubt.to_text() for doubt in self.doubts[: self.limit]]
        rest = len(self.doubts) - len(lines)
        return "\n".join([counts, *unjudged, *lines, *([f"and {rest:,} more"] if rest else [])])

    def to_csv(self) -> bytes:
        """A row for each doubt, all of them."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(doubt.to_row() for doubt in self.doubts)
        return file.getvalue().encode()


def find_doubts(corpus: TaggedCorpus, judged: Judgement, limit: int) -> DoubtsReport:
    """Orders the places where models read something else than gold.

    The order is by the margin `p(gold) - p(model)`, the lowest first. By confident learning (Northcutt, Jiang and
    Chuang 2021) gold is likely wrong where the model's reading is as probable as gold of that type is on average, or
    more: of a type of which models are seldom sure, less is asked.

    Args:
        corpus: the sentences.
        judged: what models say of them.
        limit: how many doubts are shown.
    """
    trust = {type_: float(np.mean(values)) for type_, values in judged.trust.items() if values}
    doubts = []
    for place in sorted(judged.places, key=lambda place: (place.gold.probability - place.model.probability, place[:2])):
        where = corpus.place(place.sentence, place.start)
        is_likely = place.model.probability >= trust.get(place.model.type, 0.0)
        doubts.append(Doubt(place, is_likely, where["path"], where["line"], corpus.tokens[place.sentence]))
    checked = sum(len(values) for type_, values in judged.trust.items() if type_ != "O")
    return DoubtsReport(doubts, checked, judged.unjudged, limit)
