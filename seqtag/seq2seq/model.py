"""A complete sequence-to-sequence model: strings in, strings with probabilities out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.symbols import SymbolCoder, join_symbols, symbols_of
from seqtag.errors import DataWarning
from seqtag.models.traced import Traced
from seqtag.process.forks import check_can_run
from seqtag.runs.bundle import load_bundle, save_bundle
from seqtag.seq2seq.config import LAYOUT, TASK, DataConfig
from seqtag.seq2seq.data.batches import Coders, Symbols, assemble_batch, gathered, plan_batches
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.dictionary import Dictionary
from seqtag.seq2seq.length_bound import LengthBound
from seqtag.seq2seq.network.ensemble import GREEDY, Search, Seq2SeqEnsemble
from seqtag.seq2seq.stored_sizes import stored_sizes

# Symbols of a batch in prediction, sources with padding, and the most sources in it.
BATCH_SYMBOLS, BATCH_SOURCES = 4_000, 256
# How many sources of a file are answered at a time: progress is shown after each part.
CHUNK_SOURCES = 1_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that a search found, with its probability given the source."""

    target: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answers to a source.

    Attributes:
        candidates: the best targets, best first, one at least.
        by: `"dictionary"` where the dictionary knows the source, else `"network"`.
        ended: whether the best target ended before the bound on its length.
    """

    candidates: list[Candidate]
    by: str = "network"
    ended: bool = True

    @property
    def target(self) -> str:
        """The best target."""
        return self.candidates[0].target

    @property
    def score(self) -> float:
        """The probability of the best target given the source; that of a dictionary is 1."""
        return self.candidates[0].score


class Seq2SeqModel:
    """Networks, the vocabularies that turn strings into their input and back, and a dictionary.

    Args:
        network: the fitted networks.
        coders: between strings and rows.
        bound: how long an answer may be.
        search: how answers are searched unless said otherwise.
        dictionary: of sources that had one target in most of their training pairs.
        scale: of frames.
        data: how the files that it reads are laid out.
    """

    def __init__(
        self,
        network: Seq2SeqEnsemble,
        coders: Coders,
        bound: LengthBound,
        search: Search = GREEDY,
        dictionary: Dictionary | None = None,
        scale: FrameScale | None = None,
        data: DataConfig = DataConfig(),
    ) -> None:
        self.network = network
        self.coders = coders
        self.bound = bound
        self.search = search
        self.dictionary = dictionary
        self.scale = scale
        self.data = data
        self._graphs: dict[Any, Any] = {}

    @property
    def reads_frames(self) -> bool:
        """Whether sources are frames of numbers."""
        return self.coders.source is None

    def symbols(self, pairs: Pairs) -> Symbols:
        """Pairs as symbols."""
        check_can_run()
        features = tf.constant(pairs.features, tf.string, (len(pairs), len(self.coders.features)))
        targets = symbols_of(self.coders.target.kind, pairs.targets) if pairs.targets else None
        return Symbols(self._sources(pairs), features, targets)

    def _sources(self, pairs: Pairs) -> tf.RaggedTensor:
        if len(pairs):
            pairs.check_kind(0 if self.scale is None else self.scale.width)
        if self.scale is not None:
            return self.scale.ragged(pairs.sources)
        return symbols_of(self.coders.source_kind, list(pairs.sources))

    def answer(self, pairs: Pairs, search: Search | None = None, n_best: int = 1) -> list[Answer]:
        """Answers sources, all of them in memory.

        A source without symbols has the empty target. A `DataWarning` says how many answers were cut by the bound.

        Args:
            pairs: the sources, whose targets are not read.
            search: how answers are searched; that of the model unless given.
            n_best: how many candidates an answer has, at most the width of the beam.

        Raises:
            DataError: sources are frames and not texts, the other way round, or frames of another width.
        """
        answers = self._answers(pairs, search or self.search, n_best)
        cut = sum(not answer.ended for answer in answers)
        if cut:
            message = f"cut {cut} answers that were as long as their sources allow and had not ended: model.max_length"
            warnings.warn(DataWarning(message, pairs.path), stacklevel=2)
        return answers

    def _answers(self, pairs: Pairs, search: Search, n_best: int) -> list[Answer]:
        check_can_run()
        known = [self._known(pairs, number) for number in range(len(pairs))]
        unknown = [number for number, target in enumerate(known) if target is None]
        answers = [Answer([Candidate(target or "", 1.0)], "dictionary") for target in known]
        for number, answer in zip(unknown, self._searched(pairs.subset(unknown), search, n_best), strict=True):
            answers[number] = answer
        return answers

    def greedy_targets(self, pairs: Pairs) -> list[str]:
        """The targets that greedy search gives; nobody is told of those that the bound cut."""
        return [answer.target for answer in self._answers(pairs, GREEDY, n_best=1)]

    def _known(self, pairs: Pairs, number: int) -> str | None:
        if self.dictionary is None:
            return None
        return self.dictionary.target(pairs.sources[number], pairs.features[number])

    def _searched(self, pairs: Pairs, search: Search, n_best: int) -> list[Answer]:
        """The networks' answers, in batches of sources of similar length."""
        answers: list[Answer] = [Answer([Candidate("", 1.0)])] * len(pairs)
        if not len(pairs):
            return answers
        sources = self._sources(pairs)
        features = tf.constant(pairs.features, tf.string, (len(pairs), len(self.coders.features)))
        graph = self._search_graph(search, n_best)
        for batch in _source_batches(sources.row_lengths().numpy()):
            part = tf.gather(sources, batch)
            targets, scores, ended = graph(part.flat_values, part.row_lengths(), tf.gather(features, batch))
            rows = zip(batch, targets.numpy(), scores.numpy(), ended.numpy(), strict=True)
            for number, texts, probabilities, done in rows:
                found = [Candidate(t.decode(), float(p)) for t, p in zip(texts, probabilities, strict=True) if p >= 0]
                answers[number] = Answer(found, ended=bool(done))
        return answers

    def draw(
        self,
        pairs: Pairs,
        seed: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> list[Candidate]:
        """Draws a target of each source from the networks' distribution, which the dictionary does not change.

        Args:
            pairs: the sources, whose targets are not read.
            seed: gives the same targets each time.
            temperature, top_k, top_p: see `seqtag.ops.sampling.sample`.

        Raises:
            ValueError: a limit that is out of its range.
        """
        check_can_run()
        sources = self._sources(pairs)
        features = tf.constant(pairs.features, tf.string, (len(pairs), len(self.coders.features)))
        drawn = [Candidate("", 1.0)] * len(pairs)
        sizes = sources.row_lengths().numpy()
        for number, batch in enumerate(_source_batches(sizes)):
            part = tf.gather(sources, batch)
            rows = assemble_batch(part, tf.gather(features, batch), self.coders)
            bounds = self.bound.of(rows["source_lengths"])
            found = self.network.draw(rows, bounds + 1, seed + number, temperature, top_k, top_p)
            lengths = tf.minimum(found.lengths, bounds)
            texts = self._texts(found.symbols[:, None], lengths[:, None], part)[:, 0].numpy()
            for row, text, log_probability in zip(batch, texts, found.log_probabilities.numpy(), strict=True):
                if sizes[row]:
                    drawn[row] = Candidate(text.decode(), float(np.exp(log_probability)))
        return drawn

    def search_symbols(
        self, sources: tf.RaggedTensor, features: tf.Tensor, search: Search, n_best: int
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The best targets of sources; a pure graph function.

        Args:
            sources: symbols `(batch, None)`, or scaled frames `(batch, None, features)`.
            features: strings `(batch, features)`.
            search, n_best: as for `answer`.

        Returns:
            Targets `(batch, n_best)` as texts, their probabilities `(batch, n_best)`, -1 where there is no such
            hypothesis, and whether the best one has ended `(batch,)`.
        """
        batch = assemble_batch(sources, features, self.coders)
        bounds = self.bound.of(batch["source_lengths"])
        beams = self.network.search(batch, search, bounds + 1, n_best)
        # A search has one step more, for the end: where it is no end, the last symbol is beyond the bound.
        texts = self._texts(beams.symbols, tf.minimum(beams.lengths, bounds[:, None]), sources)
        scores = tf.exp(beams.log_probabilities)
        exists = beams.log_probabilities > -float("inf")
        empty = (batch["source_lengths"] == 0)[:, None]
        first = tf.range(n_best)[None] == 0
        texts = tf.where(empty | ~exists, "", texts)
        scores = tf.where(empty, tf.where(first, 1.0, -1.0), tf.where(exists, scores, -1.0))
        return texts, scores, beams.finished[:, 0] | empty[:, 0]

    def _texts(self, rows: tf.Tensor, lengths: tf.Tensor, sources: tf.RaggedTensor) -> tf.Tensor:
        """The texts of hypotheses `(batch, n, steps)` of these lengths."""
        symbols = self.symbol_texts(rows, sources)
        steps = tf.shape(symbols)[2]
        ragged = tf.RaggedTensor.from_tensor(tf.reshape(symbols, [-1, steps]), tf.reshape(lengths, [-1]))
        return tf.reshape(join_symbols(self.coders.target.kind, ragged), tf.shape(lengths))

    def symbol_texts(self, rows: tf.Tensor, sources: tf.RaggedTensor) -> tf.Tensor:
        """The symbols of rows `(batch, n, steps)` as strings, those that are copied from the sources among them."""
        target = self.coders.target
        if not self.coders.copies:
            return target.symbols(rows)
        size, shape = len(target.vocabulary), tf.shape(rows)
        places = tf.reshape(tf.maximum(rows - size, 0), [shape[0], -1])
        # One more column, since there may be none.
        padded = tf.pad(sources.to_tensor(""), [[0, 0], [0, 1]])
        copied = tf.reshape(tf.gather(padded, places, batch_dims=1), shape)
        return tf.where(rows < size, target.symbols(tf.where(rows < size, rows, 0)), copied)

    def log_probabilities(self, symbols: Symbols, batch_symbols: int = 8_000) -> np.ndarray:
        """The log probability of each target given its source, with the end, `(pairs,)`."""
        found = np.zeros(len(symbols), np.float32)
        graph = self._graph("likelihood", self.network.total_log_probability)
        lengths = symbols.targets.row_lengths().numpy() + 1
        for batch in plan_batches(symbols.source_lengths, lengths, batch_symbols):
            found[batch] = graph(gathered(symbols, tf.constant(batch), self.coders)).numpy()
        return found

    def attention(self, source: Any, features: Sequence[str], target: str) -> tuple[list[str], list[str], np.ndarray]:
        """The symbols of a source and of a target with its end, and the attention's weights `(target, source)`.

        Raises:
            ValueError: the networks have no attention.
        """
        if not self.network.attends:
            raise ValueError("expected a model with attention, found one without")
        pairs = Pairs([source], [target], [tuple(features)])
        symbols = self.symbols(pairs)
        batch = gathered(symbols, tf.constant([0]), self.coders)
        weights = self._graph("weights", lambda batch: self.network(batch).weights)(batch).numpy()[0]
        steps = int(symbols.source_lengths[0])
        shown = [symbol.decode() for symbol in symbols.targets.flat_values.numpy()]
        if self.reads_frames:
            names = [str(number) for number in range(steps)]
        else:
            names = [symbol.decode() for symbol in symbols.sources.flat_values.numpy()]
        return names, [*shown, "■"], weights[:, :steps]

    def _search_graph(self, search: Search, n_best: int) -> Traced:
        """`search_symbols` as a graph for sources of any number and length, traced at its first use."""
        key = search, n_best
        if key not in self._graphs:
            self._graphs[key] = Traced(partial(self._search_flat, search=search, n_best=n_best))
        return self._graphs[key]

    def _search_flat(self, symbols: tf.Tensor, lengths: tf.Tensor, features: tf.Tensor, **how: Any) -> tuple:
        return self.search_symbols(tf.RaggedTensor.from_row_lengths(symbols, lengths), features, **how)

    def _graph(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of a batch with targets as a graph, traced at its first use."""
        if name not in self._graphs:
            self._graphs[name] = Traced(function, free_axes=2)
        return self._graphs[name]

    def save(self, folder: Path) -> None:
        """Writes the bundle."""
        save_bundle(folder, TASK, self.network.uncompiled(), self.to_dict())

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> Seq2SeqModel:
        """Reads the model of a finished run.

        Raises:
            RunError: see `load_bundle`.
        """
        return load_bundle(run, TASK, cls.from_dict, stored_sizes)

    def to_dict(self) -> dict[str, Any]:
        """All but the network, as JSON can hold it."""
        coders = self.coders
        return {
            "source": None if coders.source is None else coders.source.to_dict(),
            "target": coders.target.to_dict(),
            "features": [coder.to_dict() for coder in coders.features],
            "copies": coders.copies,
            "max_length": self.bound.most,
            "bound": self.bound[1:],
            "search": self.search._asdict(),
            "dictionary": None if self.dictionary is None else self.dictionary.to_dict(),
            "scale": None if self.scale is None else self.scale.to_dict(),
            "options": {key: value for key, value in self.data.model_dump(mode="json").items() if key in LAYOUT},
        }

    @classmethod
    def from_dict(cls, network: Seq2SeqEnsemble, data: dict[str, Any]) -> Seq2SeqModel:
        """The model that `to_dict` described, around a network."""
        coders = Coders(
            None if data["source"] is None else SymbolCoder.from_dict(data["source"]),
            SymbolCoder.from_dict(data["target"]),
            [SymbolCoder.from_dict(column) for column in data["features"]],
            data["copies"],
        )
        return cls(
            network,
            coders,
            LengthBound(data["max_length"], *data.get("bound", (data["max_length"], 0.0))),
            Search(**data["search"]),
            None if data["dictionary"] is None else Dictionary.from_dict(data["dictionary"]),
            None if data["scale"] is None else FrameScale.from_dict(data["scale"]),
            DataConfig(**data["options"]),
        )


def _source_batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """The numbers of sources of similar length that are answered together."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        full = stop - start == BATCH_SOURCES
        if stop == len(order) or full or (stop + 1 - start) * lengths[order[stop]] > BATCH_SYMBOLS:
            yield order[start:stop]
            start = stop
