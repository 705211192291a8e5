"""From sequences with labels and a configuration to a fitted classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtag.classification.calibration import fit_factors, fit_threshold, log_loss, probabilities_of
from seqtag.classification.config import ClassificationConfig
from seqtag.classification.data.batches import LabelledBatches
from seqtag.classification.data.examples import Examples
from seqtag.classification.data.frame_encoder import FrameEncoder
from seqtag.classification.data.labels import LabelCodec
from seqtag.classification.data.ngrams import NgramHasher
from seqtag.classification.data.text_encoder import TextEncoder
from seqtag.classification.evaluation.evaluate import DevMeasure
from seqtag.classification.linear import STRENGTHS, LinearPart, as_matrix, fit_part
from seqtag.classification.model import ClassificationModel
from seqtag.classification.network.ensemble import ClassifierEnsemble
from seqtag.classification.network.network import ClassifierNetwork
from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vectors.store import WordVectors
from seqtag.process.forks import check_can_run
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, fit_network, joined
from seqtag.training.recording import Recording
from seqtag.training.seeding import seeded


def fit_classifier(
    train: Examples,
    dev: Examples,
    config: ClassificationConfig,
    recording: Recording = Recording(),
    budget: Budget | None = None,
    vectors: WordVectors | None = None,
) -> tuple[ClassificationModel, FitResult]:
    """Fits a model on `train`; `dev` chooses the epoch and, after that, what each part of the model counts.

    The same seed gives the same model bit for bit on a CPU.

    Args:
        train: the training data.
        dev: other data with labels.
        config: the whole configuration.
        recording: where checkpoints and logs go.
        budget: the time that training may take; that of the configuration unless given.
        vectors: pretrained word vectors.

    Raises:
        DataError: all of `train` have one label.
        RunError: see `fit_network`.
    """
    check_can_run()
    budget = budget or Budget(config.training.budget)
    trainer = Trainer(train, dev, config, vectors)
    size = config.model.ensemble_size
    networks, results = [], []
    for number in range(size):
        part = recording.part(f"member-{number + 1}", labelled=size > 1)
        network, result = trainer.fit(config.seed + number, part, budget.part(1 / (size - number)))
        networks.append(network)
        results.append(result)
    return trainer.model(networks), joined(results)


def label_weights(codec: LabelCodec, targets: np.ndarray, config: ClassificationConfig) -> list[float] | None:
    """How much sequences of each label count; None where all count the same."""
    wanted = config.training.class_weights
    if wanted is None:
        return None
    if wanted == "balanced":
        counts = np.maximum(targets.sum(axis=0), 1)
        return (counts.sum() / len(counts) / counts).tolist()
    return [wanted.get(name, 1.0) for name in codec.names]


class Trainer:
    """Fits networks of different seeds on the same data, and the linear model beside them.

    Args:
        train: the training data.
        dev: the data that choose the epoch.
        config: the whole configuration.
        vectors: pretrained word vectors.
    """

    def __init__(
        self, train: Examples, dev: Examples, config: ClassificationConfig, vectors: WordVectors | None
    ) -> None:
        self.config = config
        self.vectors = vectors
        self.labels = LabelCodec.fit(train, config.model.labels == "several")
        self.dev = dev
        self.encoder = self._encoder(train)
        self.encoded: Any
        self.encoded_dev: Any
        self.encoded, self.encoded_dev = (self.encoder.encode(part.sources) for part in (train, dev))
        self.targets, self.dev_targets = (self.labels.targets(part.labels) for part in (train, dev))
        self.label_weights = label_weights(self.labels, self.targets, config)

    def _encoder(self, train: Examples) -> TextEncoder | FrameEncoder:
        if self.config.model.source == "frames":
            return FrameEncoder.fit(train.sources)
        lookup = None if self.vectors is None else VectorLookup.of(self.vectors)
        return TextEncoder.fit(train.sources, self.config.model, lookup)

    def fit(self, seed: int, recording: Recording, budget: Budget) -> tuple[ClassifierNetwork, FitResult]:
        """A network fitted with a seed, and how the fit went."""
        training = self.config.training
        batches = LabelledBatches(self.encoded, self.targets, training.batch_tokens, seed, self.encoder.unit)
        with seeded(seed):
            network = self._network()
            model = self._model(ClassifierEnsemble([network]))
            measured = DevMeasure(model, self.encoded_dev, self.dev.labels, self.config.evaluation.measure)
            result = fit_network(network, batches, training, measured, measured.measure, recording, budget=budget)
        return network, result

    def model(self, networks: Sequence[ClassifierNetwork]) -> ClassificationModel:
        """The calibrated model of fitted networks, with the linear model beside them."""
        own = ClassifierEnsemble(networks)
        own.build()
        parts = self._linear_parts()
        scores = [self._model(own).member_scores(self.encoded_dev), *(of_dev for _, of_dev in parts)]
        share, *factors = fit_factors(scores, self.dev_targets, self.labels.several)
        network = ClassifierEnsemble(networks, self._ngram_arguments([part for part, _ in parts]), float(share))
        network.build()
        if network.ngrams is not None:
            table, bias = self._table([part for part, _ in parts], factors)
            network.ngrams.fill(table, bias)
        model = self._model(network)
        if self.labels.several:
            model.threshold = fit_threshold(model.probabilities_of(self.encoded_dev), self.dev_targets)
        return model

    def _model(self, network: ClassifierEnsemble) -> ClassificationModel:
        return ClassificationModel(network, self.encoder, self.labels, data=self.config.data)

    def _network(self) -> ClassifierNetwork:
        settings, encoder = self.config.model, self.encoder
        network = ClassifierNetwork(
            len(self.labels),
            self.labels.several,
            representation=self._representation(encoder) if isinstance(encoder, TextEncoder) else None,
            frame_width=encoder.scale.columns if isinstance(encoder, FrameEncoder) else None,
            cell=settings.cell,
            units=settings.units,
            layers=settings.layers,
            pooling=settings.pooling,
            dropout=settings.dropout,
            recurrent_dropout=settings.recurrent_dropout,
            input_noise=settings.input_noise,
            label_weights=self.label_weights,
            dtype=self.config.training.precision,
        )
        network.build()
        layer = None if network.representation is None else network.representation.vectors
        if layer is not None and self.vectors is not None:
            layer.fill(self.vectors.matrix)
        return network

    def _representation(self, encoder: TextEncoder) -> dict[str, Any]:
        settings, words = self.config.model, encoder.words
        return {
            "num_words": len(words.words),
            "singletons_from": words.words.singletons_from,
            "num_chars": len(words.chars),
            "num_buckets": words.num_buckets,
            "word_dim": settings.word_dim,
            "char_encoder": settings.char_encoder,
            "spelling": settings.spelling,
            "word_dropout": settings.word_dropout,
            "singleton_dropout": settings.singleton_dropout,
            "num_vectors": 0 if words.vectors is None else words.vectors.num_rows,
            "vector_dim": 0 if self.vectors is None else self.vectors.width,
            "tune_vectors": settings.tune_vectors,
        }

    @property
    def _hasher(self) -> NgramHasher | None:
        return self.encoder.ngrams if isinstance(self.encoder, TextEncoder) else None

    def _linear_parts(self) -> list[tuple[LinearPart, np.ndarray]]:
        """The linear models of n-grams of words and of characters, with their scores of dev."""
        hasher = self._hasher
        if hasher is None:
            return []
        train, dev = (as_matrix(encoded.ngrams, hasher) for encoded in (self.encoded, self.encoded_dev))
        weights = None if self.label_weights is None else np.array(self.label_weights)
        found = []
        for rows in hasher.groups.values():
            tried = [fit_part(train, self.targets, rows, c, self.labels.several, weights) for c in STRENGTHS]
            scored = [(part, part.scores(dev)) for part in tried]
            found.append(min(scored, key=lambda one: self._dev_loss(one[1])))
        return found

    def _dev_loss(self, scores: np.ndarray) -> float:
        """The log loss of dev at the best temperature."""
        factors = fit_factors([scores], self.dev_targets, self.labels.several)
        return log_loss(
            probabilities_of(factors[0] * scores, self.labels.several), self.dev_targets, self.labels.several
        )

    def _ngram_arguments(self, parts: Sequence[LinearPart]) -> dict[str, Any] | None:
        if self._hasher is None:
            return None
        kept = sum(int((part.weights != 0).any(axis=1).sum()) for part in parts)
        return {"num_rows": self._hasher.num_rows, "num_labels": len(self.labels), "kept_rows": kept}

    def _table(self, parts: Sequence[LinearPart], factors: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """The weights of all n-grams, with the factor of their part, and the offsets of the labels."""
        assert self._hasher is not None
        table = np.zeros((self._hasher.num_rows, len(self.labels)), np.float32)
        bias = np.zeros(len(self.labels))
        for part, factor in zip(parts, factors, strict=True):
            table[part.rows] = factor * part.weights
            bias += factor * part.bias
        return table, bias
