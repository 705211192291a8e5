"""Scores a model on texts: perplexity and bits a character."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtag.data.text.vocabulary import UNKNOWN
from seqtag.language_model.config import LanguageModelConfig
from seqtag.language_model.data.texts import Texts
from seqtag.language_model.model import FittedLanguageModel
from seqtag.training.measure import Measure

# exp of more overflows.
MOST_NATS = 700.0


@dataclass(frozen=True)
class LanguageReport:
    """How well a text is predicted.

    Attributes:
        symbols: `"characters"` or `"words"`.
        targets: how many of them were predicted, ends of documents counted.
        characters: of the texts.
        documents: how many texts there are.
        unknown: how many targets the model does not know; they count as one unknown symbol.
        perplexity: exp of the mean cross-entropy of the targets.
        bits_per_character: the cross-entropy of all targets in bits, over the characters.
    """

    symbols: str
    targets: int
    characters: int
    documents: int
    unknown: int
    perplexity: float
    bits_per_character: float

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""
        return {
            "bits_per_character": self.bits_per_character,
            "perplexity": self.perplexity,
            "unknown": self.unknown,
            self.symbols: self.targets,
            "documents": self.documents,
        }

    def to_text(self) -> str:
        """The figures for people."""
        lines = [
            f"bits per character  {self.bits_per_character:.4f}",
            f"perplexity          {self.perplexity:.3f} per {self.symbols.removesuffix('s')}",
            f"{self.symbols:<18}  {self.targets:,} in {self.documents:,} documents",
        ]
        if self.unknown:
            lines.append(f"unknown             {self.unknown:,} ({self.unknown / self.targets:.2%})")
        return "\n".join(lines)


def evaluate_model(model: FittedLanguageModel, texts: Texts) -> LanguageReport:
    """The report on texts; the model's cache, if it has one, is in the figures."""
    corpus = model.corpus(texts)
    values = model.scorer.log_probabilities(corpus)
    return LanguageReport(
        symbols=model.coder.kind,
        targets=len(values),
        characters=texts.characters,
        documents=len(texts.documents),
        unknown=int((corpus.row[corpus.inputs + 1] == UNKNOWN).sum()),
        perplexity=figure("perplexity", values, texts),
        bits_per_character=figure("bits_per_character", values, texts),
    )


def measure_of(config: LanguageModelConfig) -> Measure:
    """The measure that chooses the epoch."""
    name = config.evaluation.measure
    if name == "auto":
        name = "perplexity" if config.model.symbols == "words" else "bits_per_character"
    return Measure(name, is_loss=True)


def figure(name: str, log_probabilities: np.ndarray, texts: Texts) -> float:
    """`"perplexity"` or `"bits_per_character"` of targets with these natural log-probabilities.

    >>> figure("bits_per_character", np.log([0.5, 0.25]), Texts(["ab"]))
    1.5
    """
    nats = -float(np.sum(log_probabilities, dtype=np.float64))
    if name == "perplexity":
        return math.exp(min(nats / max(len(log_probabilities), 1), MOST_NATS))
    return nats / math.log(2) / max(texts.characters, 1)
