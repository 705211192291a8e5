"""A complete language model: texts in, probabilities and texts out."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqtag.data.text.vocabulary import UNKNOWN
from seqtag.errors import DataWarning, shown
from seqtag.language_model.completion import Completer
from seqtag.language_model.config import LAYOUT, TASK, DataConfig
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.data.corpus import Corpus
from seqtag.language_model.data.texts import Texts
from seqtag.language_model.generation import Generation, Generator
from seqtag.language_model.network.cache import Cache
from seqtag.language_model.network.cached import CachedNetwork
from seqtag.language_model.notebook import to_html
from seqtag.language_model.scoring import Scorer
from seqtag.language_model.stored_sizes import stored_sizes
from seqtag.models.language_network.directed import DirectedNetworks
from seqtag.process.forks import check_can_run
from seqtag.runs.bundle import load_bundle, save_bundle

# How many unknown symbols a warning names.
SHOWN_UNKNOWN = 5


class ScoredText(NamedTuple):
    """The symbols of a document and their log-probabilities, natural; of a line, also that of its end, `""`."""

    symbols: list[str]
    log_probabilities: np.ndarray

    def _repr_html_(self) -> str:
        return to_html(self.symbols, self.log_probabilities.tolist())


class FittedLanguageModel:
    """Networks, and the vocabulary that turns texts into their input and back.

    Args:
        networks: the fitted networks.
        coder: between texts and rows.
        cache: of scoring and generation.
        data: how the files that it reads are laid out.
    """

    def __init__(
        self, networks: DirectedNetworks, coder: TextCoder, cache: Cache = Cache(), data: DataConfig = DataConfig()
    ) -> None:
        self.networks = networks
        self.coder = coder
        self.cache = cache
        self.data = data
        self.cached = CachedNetwork(networks.forward, cache)
        self.scorer = Scorer(self.cached)
        self.generator = Generator(self.cached, coder, ends=self.has_ends)
        self._completer = Completer(self.cached, coder)

    @property
    def has_ends(self) -> bool:
        """Whether the model predicts the ends of documents."""
        return self.data.documents != "whole"

    def corpus(self, texts: Texts) -> Corpus:
        """Texts as symbols; a `DataWarning` names characters that the model does not know."""
        corpus = Corpus.of(texts, self.coder)
        if self.coder.kind == "characters" and (corpus.row == UNKNOWN).any():
            unknown = dict.fromkeys(symbol for text in texts.documents for symbol in self.coder.unknown(text))
            warnings.warn(DataWarning(_told("characters", list(unknown)), texts.path), stacklevel=2)
        return corpus

    def log_probabilities(self, texts: Texts) -> np.ndarray:
        """The natural log-probability of each symbol, and of each end that is predicted, float32 `(targets,)`."""
        check_can_run()
        return self.scorer.log_probabilities(self.corpus(texts))

    def score(self, texts: Texts) -> list[ScoredText]:
        """The symbols of each document with their log-probabilities."""
        check_can_run()
        corpus = self.corpus(texts)
        values = self.scorer.log_probabilities(corpus)
        cuts = np.cumsum(corpus.stops - corpus.starts)[:-1]
        symbols = self.coder.symbols_of_texts(texts.documents)
        parts = zip(symbols, np.split(values, cuts), strict=True)
        return [ScoredText([*names, *[""] * texts.ends], part) for names, part in parts]

    def generate(self, prompt: str, how: Generation) -> str:
        """A text that begins with a prompt."""
        check_can_run()
        unknown = self.coder.unknown(prompt)
        if unknown:
            warnings.warn(DataWarning(_told("symbols", unknown), "prompt"), stacklevel=2)
        return self.generator.generate(prompt, how)

    def complete(self, text: str, n: int = 3) -> list[tuple[str, float]]:
        """The most probable next words after a text, or ends of its last word, with their probabilities."""
        check_can_run()
        return self._completer.complete(text, n)

    def save(self, folder: Path) -> None:
        """Writes the bundle."""
        save_bundle(folder, TASK, self.networks.uncompiled(), self.to_dict())

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> FittedLanguageModel:
        """Reads the model of a finished run.

        Raises:
            RunError: see `load_bundle`.
        """
        return load_bundle(run, TASK, cls.from_dict, stored_sizes)

    def to_dict(self) -> dict[str, Any]:
        """All but the networks, as JSON can hold it."""
        return {
            "coder": self.coder.to_dict(),
            "cache": self.cache._asdict(),
            "options": self.data.model_dump(mode="json", include=set(LAYOUT)),
        }

    @classmethod
    def from_dict(cls, networks: DirectedNetworks, data: dict[str, Any]) -> FittedLanguageModel:
        """The model that `to_dict` described."""
        return cls(networks, TextCoder.from_dict(data["coder"]), Cache(**data["cache"]), DataConfig(**data["options"]))


def _told(kind: str, unknown: list[str]) -> str:
    """The warning about unknown symbols, which names the first ones."""
    some = ", ".join(map(shown, unknown[:SHOWN_UNKNOWN]))
    return f"found {len(unknown)} {kind} that training had not, such as {some}; they count as unknown"
