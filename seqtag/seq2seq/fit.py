"""From pairs and a configuration to a fitted sequence-to-sequence model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.symbols import SymbolCoder, symbols_of
from seqtag.errors import DataWarning
from seqtag.process.forks import check_can_run
from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.batches import Coders, PairBatches, Symbols
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.references import distinct_pairs
from seqtag.seq2seq.dictionary import Dictionary
from seqtag.seq2seq.evaluation.evaluate import DevMeasure
from seqtag.seq2seq.evaluation.measure_names import resolve_measure
from seqtag.seq2seq.length_bound import LengthBound
from seqtag.seq2seq.model import Seq2SeqModel
from seqtag.seq2seq.network.ensemble import Search, Seq2SeqEnsemble
from seqtag.seq2seq.network.network import Seq2SeqNetwork
from seqtag.seq2seq.network.own_symbols import OwnSymbols
from seqtag.seq2seq.network.risk import RiskTraining
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult, fit_network, joined
from seqtag.training.recording import Recording
from seqtag.training.seeding import seeded

# Updates of a fit whose number of epochs is not given, and the bounds on these.
UPDATES, MIN_EPOCHS, MAX_EPOCHS = 6_000, 15, 100
# Fine-tuning begins where the fit has ended: at its full rate, without an average that would hold it back.
TUNING = {"warmup_steps": 0, "decay": "none", "ema": 0.0, "patience": None}


def coders_of(train: Pairs, config: Seq2SeqConfig) -> Coders:
    """The coders of a model, whose vocabularies come from the training data alone."""
    model = config.model
    source = None if model.source == "frames" else _coder(model.source, train.sources, model.min_count)
    columns = [symbols_of("symbols", list(column)) for column in zip(*train.features, strict=True)]
    features = [SymbolCoder.count("symbols", column) for column in columns]
    return Coders(source, _coder(model.target, train.targets, model.min_count), features, model.copies)


def _coder(kind: str, texts: list[str], min_count: int | None) -> SymbolCoder:
    # A model of words that has seen every word does not learn what an unknown one is.
    least = min_count or (2 if kind == "words" else 1)
    return SymbolCoder.count(kind, symbols_of(kind, texts), least)


def epochs_for(steps: int) -> int:
    """How many epochs of so many updates a fit has unless it is said.

    >>> epochs_for(3), epochs_for(300), epochs_for(3000)
    (100, 20, 15)
    """
    return min(max(-(-UPDATES // steps), MIN_EPOCHS), MAX_EPOCHS)


def bound_of(train: Pairs, coders: Coders, config: Seq2SeqConfig) -> LengthBound:
    """How long answers may be."""
    if config.model.max_length:
        return LengthBound.fixed(config.model.max_length)
    targets = symbols_of(coders.target.kind, train.targets).row_lengths().numpy()
    if coders.source is None:
        return LengthBound.fit(np.array([len(frames) for frames in train.sources]), targets)
    return LengthBound.fit(symbols_of(coders.source.kind, train.sources).row_lengths().numpy(), targets)


def build_network(coders: Coders, scale: FrameScale | None, config: Seq2SeqConfig) -> Seq2SeqNetwork:
    """An unfitted network."""
    settings = config.model
    shared = {
        "embedding_dim": settings.embedding_dim,
        "cell": settings.cell,
        "units": settings.units,
        "layers": settings.layers,
        "dropout": settings.dropout,
        "recurrent_dropout": settings.recurrent_dropout,
    }
    network = Seq2SeqNetwork(
        len(coders.target.vocabulary),
        encoder={
            "num_symbols": None if coders.source is None else len(coders.source.vocabulary),
            "feature_sizes": [len(coder.vocabulary) for coder in coders.features],
            **shared,
        },
        decoder={"attention": settings.attention, "input_feeding": settings.input_feeding, **shared},
        frame_width=None if scale is None else scale.width,
        copies=settings.copies,
        label_smoothing=config.training.label_smoothing,
        dtype=config.training.precision,
    )
    network.build()
    return network


def fit_seq2seq_model(
    train: Pairs,
    dev: Pairs,
    config: Seq2SeqConfig,
    recording: Recording = Recording(),
    budget: Budget | None = None,
) -> tuple[Seq2SeqModel, FitResult]:
    """Fits a model on `train`; `dev`, decoded greedily, chooses the epoch.

    The same seed gives the same model bit for bit on a CPU.

    Args:
        train: the training pairs.
        dev: pairs of other sources.
        config: the whole configuration.
        recording: where checkpoints and logs go.
        budget: the time that training may take; that of the configuration unless given.

    Raises:
        ConfigError: a measure of words for other targets.
        RunError: see `fit_network`.
    """
    check_can_run()
    measure = resolve_measure(config.evaluation.measure, config.model.target)
    trainer = Trainer(train, dev, config)
    budget = budget or Budget(config.training.budget)
    size = config.model.ensemble_size
    networks, results = [], []
    for number in range(size):
        part = recording.part(f"member-{number + 1}", labelled=size > 1)
        network, result = trainer.fit(config.seed + number, measure, part, budget.part(1 / (size - number)))
        networks.append(network)
        results.append(result)
    return trainer.model(networks), joined(results)


def warn_of_long(pairs: Pairs, symbols: Symbols, bound: LengthBound) -> None:
    """Warns once of targets that no answer can be, since they are longer than the bound."""
    bounds = bound.of(tf.constant(symbols.source_lengths)).numpy()
    long = symbols.targets.row_lengths().numpy() > bounds
    if long.any():
        first = int(long.argmax())
        place = pairs.place(first)
        message = (
            f"found {long.sum()} targets longer than an answer may be, here {bounds[first]} symbols: model.max_length"
        )
        warnings.warn(DataWarning(message, place["path"], place["line"]), stacklevel=3)


class Trainer:
    """Fits networks of different seeds on the same data.

    Args:
        train: the training pairs.
        dev: the pairs that choose the epoch.
        config: the whole configuration.
    """

    def __init__(self, train: Pairs, dev: Pairs, config: Seq2SeqConfig) -> None:
        self.config = config
        self.dev = dev
        self.coders = coders_of(train, config)
        self.scale = FrameScale.fit(train.sources) if config.model.source == "frames" else None
        self.bound = bound_of(train, self.coders, config)
        self.dictionary = Dictionary.fit(train) if config.model.dictionary else None
        # What the dictionary knows, the network is not asked: a pair counts once, however often it occurs.
        train = distinct_pairs(train) if config.model.dictionary else train
        empty = self.model([])
        self.symbols = empty.symbols(train)
        for pairs, symbols in ((train, self.symbols), (dev, empty.symbols(dev))):
            warn_of_long(pairs, symbols, self.bound)

    def model(self, networks: Sequence[Seq2SeqNetwork]) -> Seq2SeqModel:
        """The model of networks."""
        evaluation = self.config.evaluation
        return Seq2SeqModel(
            Seq2SeqEnsemble(networks),
            self.coders,
            self.bound,
            Search(evaluation.beam, evaluation.length_penalty, evaluation.coverage_penalty),
            self.dictionary,
            self.scale,
            self.config.data,
        )

    def fit(self, seed: int, measure: str, recording: Recording, budget: Budget) -> tuple[Seq2SeqNetwork, FitResult]:
        """A network fitted with a seed, and how the fit went."""
        config, training = self.config, self.config.training
        batches = PairBatches(self.symbols, self.coders, training.batch_symbols, seed)
        epochs = training.epochs or epochs_for(batches.steps)
        training = training.model_copy(update={"epochs": epochs})
        with seeded(seed):
            network = build_network(self.coders, self.scale, config)
            measured = DevMeasure(self.model([network]), self.dev, measure)
            network.reads_own_symbols = training.sampling != "none"
            own = OwnSymbols(training.sampling, training.sampling_share, epochs)
            callbacks = [own] if network.reads_own_symbols else []
            result = fit_network(
                network, batches, training, measured, measured.measure, recording, callbacks, budget=budget
            )
            network.own_share.assign(0.0)
            network.reads_own_symbols = False
            if training.risk.objective != "none":
                result = self._fine_tuned(network, batches, measured, result, recording, budget)
        return network, result

    def _fine_tuned(
        self,
        network: Seq2SeqNetwork,
        batches: PairBatches,
        measured: DevMeasure,
        before: FitResult,
        recording: Recording,
        budget: Budget,
    ) -> FitResult:
        """Trains a fitted network on the measure; one that gets no better on dev keeps its weights."""
        risk = self.config.training.risk
        settings = self.config.training.model_copy(
            update={**TUNING, "epochs": risk.epochs, "learning_rate": risk.learning_rate}
        )
        network.optimizer = None
        tuned = RiskTraining(network, risk.objective, risk.cost, risk.candidates, risk.sharpness, self.bound)
        kept = [variable.numpy() for variable in network.trainable_variables]
        best = before.history[before.best_epoch - 1]["dev"]
        after = fit_network(tuned, batches, settings, measured, measured.measure, recording.part("risk"), budget=budget)
        epochs = len(before.history)
        history = [{**row, "epoch": row["epoch"] + epochs} for row in after.history]
        better = measured.measure.better(after.history[after.best_epoch - 1]["dev"], best)
        if not better:
            for variable, value in zip(network.trainable_variables, kept, strict=True):
                variable.assign(value)
        return replace(
            before,
            history=[*before.history, *history],
            best_epoch=epochs + after.best_epoch if better else before.best_epoch,
            seconds=before.seconds + after.seconds,
        )
