"""A complete classifier: sequences in, labels with probabilities out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.classification.config import LAYOUT, TASK, DataConfig
from seqtag.classification.data.batches import Encoded
from seqtag.classification.data.examples import Kind, Label, Source
from seqtag.classification.data.frame_encoder import FrameEncoder
from seqtag.classification.data.labels import LabelCodec
from seqtag.classification.data.text_encoder import TextEncoder
from seqtag.classification.network.ensemble import ClassifierEnsemble
from seqtag.classification.stored_sizes import stored_sizes
from seqtag.data.length_batches import batches_by_length
from seqtag.data.text.word_batches import Batch
from seqtag.models.traced import Traced
from seqtag.process.forks import check_can_run
from seqtag.runs.bundle import load_bundle, save_bundle

# Steps of a batch in prediction, padding counted.
BATCH_STEPS = 4_000
# How many texts of a file are answered at a time.
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a classifier says of a sequence.

    Attributes:
        labels: the most probable label; where there may be several, those that it gives.
        scores: the probability of each label, in the order of the model's.
    """

    labels: tuple[Label, ...]
    scores: list[float]

    @property
    def score(self) -> float:
        """The probability of the most probable label."""
        return max(self.scores)


class ClassificationModel:
    """Networks, the encoder that turns sequences into their input, and the labels of their output.

    Args:
        network: the fitted networks, with the linear model of n-grams.
        encoder: encodes texts, or frames.
        labels: the labels.
        threshold: the probability from which on labels are given, where a text may have several.
        data: how the files that it reads are laid out.
    """

    def __init__(
        self,
        network: ClassifierEnsemble,
        encoder: TextEncoder | FrameEncoder,
        labels: LabelCodec,
        threshold: float = 0.5,
        data: DataConfig = DataConfig(),
    ) -> None:
        self.network = network
        self.encoder = encoder
        self.labels = labels
        self.threshold = threshold
        self.data = data
        self._graphs: dict[str, Traced] = {}

    @property
    def kind(self) -> Kind:
        """What it classifies, and whether into several labels."""
        return Kind("frames" if isinstance(self.encoder, FrameEncoder) else "text", self.labels.several)

    def encode(self, sources: Sequence[Source]) -> Encoded:
        """Sequences as numbers."""
        check_can_run()
        return self.encoder.encode(sources)

    def answer(self, sources: Sequence[Source]) -> list[Answer]:
        """The labels of texts, all of them in memory; an empty text has what is probable without a word."""
        probabilities = self.probabilities(sources)
        decoded = self.labels.decode(probabilities, self.threshold)
        return [Answer(labels, row.tolist()) for labels, row in zip(decoded, probabilities, strict=True)]

    def probabilities(self, sources: Sequence[Source]) -> np.ndarray:
        """The probability of each label, `(sequences, labels)`."""
        return self.probabilities_of(self.encode(sources))

    def probabilities_of(self, encoded: Encoded) -> np.ndarray:
        """The same of texts that are encoded already."""
        return self._rows_of(encoded, "probabilities", self.batch_probabilities)

    def batch_probabilities(self, batch: Batch) -> tf.Tensor:
        """The probability of each label `(batch, labels)`; a pure graph function."""
        scores = self.network(batch)
        return tf.sigmoid(scores) if self.labels.several else tf.nn.softmax(scores)

    def member_scores(self, encoded: Encoded) -> np.ndarray:
        """The mean of the networks' own scores, `(sequences, labels)`, without factor and n-grams."""
        return self._rows_of(encoded, "members", self.network.mean_score)

    def attention(self, encoded: Encoded) -> list[np.ndarray]:
        """How much each word weighs in the pooled states, `(words,)` for each text."""
        found: list[np.ndarray] = [np.zeros(0, np.float32)] * len(encoded.lengths)
        graph = self._graph("attention", self.network.attention)
        for numbers in _batches(encoded.lengths):
            for n, row in zip(numbers, graph(encoded.full_batch(tf.constant(numbers))).numpy(), strict=True):
                found[n] = row[: encoded.lengths[n]]
        return found

    def _rows_of(self, encoded: Encoded, name: str, function: Callable[[Batch], tf.Tensor]) -> np.ndarray:
        """What a graph function gives for each sequence, `(sequences, labels)`."""
        found = np.zeros((len(encoded.lengths), len(self.labels)), np.float32)
        graph = self._graph(name, function)
        for numbers in _batches(encoded.lengths):
            found[numbers] = graph(encoded.full_batch(tf.constant(numbers))).numpy()
        return found

    def _graph(self, name: str, function: Callable[[Batch], tf.Tensor]) -> Traced:
        """A function of a batch as a graph, traced at its first use."""
        if name not in self._graphs:
            self._graphs[name] = Traced(function, free_axes=2)
        return self._graphs[name]

    def save(self, folder: Path) -> None:
        """Writes the bundle."""
        save_bundle(folder, TASK, self.network.uncompiled(), self.to_dict())

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> ClassificationModel:
        """Reads the model of a finished run.

        Raises:
            RunError: see `load_bundle`.
        """
        return load_bundle(run, TASK, cls.from_dict, stored_sizes)

    def to_dict(self) -> dict[str, Any]:
        """All but the network, as JSON can hold it."""
        return {
            self.kind.source: self.encoder.to_dict(),
            "labels": self.labels.to_dict(),
            "threshold": self.threshold,
            "options": {key: value for key, value in self.data.model_dump(mode="json").items() if key in LAYOUT},
        }

    @classmethod
    def from_dict(cls, network: ClassifierEnsemble, data: dict[str, Any]) -> ClassificationModel:
        """The model that `to_dict` described, around a network."""
        return cls(
            network,
            FrameEncoder.from_dict(data["frames"]) if "frames" in data else TextEncoder.from_dict(data["text"]),
            LabelCodec.from_dict(data["labels"]),
            float(data["threshold"]),
            DataConfig(**data["options"]),
        )


def _batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """The numbers of sequences of similar length that are answered together."""
    yield from batches_by_length(np.maximum(lengths, 1), BATCH_STEPS)
