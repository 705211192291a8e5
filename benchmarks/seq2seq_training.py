"""What `benchmarks.seq2seq_speed` measures of training and of search."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from benchmarks.epoch_seconds import EpochSeconds
from benchmarks.plain_keras_seq2seq import ATTENTIONS, PlainBatches, plain_seq2seq
from seqtag.callbacks import GradientClipping
from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.batches import PairBatches, assemble_batch, plan_batches
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.fit import Trainer, build_network
from seqtag.seq2seq.model import Seq2SeqModel
from seqtag.seq2seq.network.network import Seq2SeqNetwork
from seqtag.training.averaging import WeightAverage
from seqtag.training.optimizers import build_optimizer
from seqtag.training.schedule import LearningRate

__all__ = ["Subject", "padding", "search_seconds", "training_seconds"]

# Of one `fit`; the first is not counted.
EPOCHS = 3


class Subject(NamedTuple):
    """A network that is ready to be trained, and the batches that its trainer would draw."""

    network: Seq2SeqNetwork
    trainer: Trainer
    stream: PairBatches
    config: Seq2SeqConfig

    @classmethod
    def build(cls, train: Pairs, config: Seq2SeqConfig) -> Subject:
        """The network of a configuration, compiled as the trainer compiles it."""
        keras.utils.set_random_seed(config.seed)
        trainer = Trainer(train, train, config)
        network = build_network(trainer.coders, trainer.scale, config)
        network.compile(optimizer=build_optimizer(config.training), jit_compile=False)
        network.optimizer.build(network.trainable_variables)
        stream = PairBatches(trainer.symbols, trainer.coders, config.training.batch_symbols, config.seed)
        return cls(network, trainer, stream, config)

    def fit(self, timer: EpochSeconds) -> None:
        """Epochs as the trainer makes them, without the scoring of dev and the checkpoint after each."""
        settings = self.config.training
        clipping = [] if settings.clip_norm is None else [GradientClipping("global_norm", settings.clip_norm)]
        self.network.fit(
            self.stream.dataset(0),
            epochs=EPOCHS,
            steps_per_epoch=self.stream.steps,
            callbacks=[*clipping, LearningRate(settings, self.stream.steps), WeightAverage(settings.ema), timer],
            shuffle=False,
            verbose=0,
        )

    def model(self) -> Seq2SeqModel:
        """The model of the network as it is."""
        return self.trainer.model([self.network])


def training_seconds(subjects: Mapping[str, Subject], repeats: int) -> dict[str, list[float]]:
    """The seconds of each epoch of `model.fit`: ours, and those of plain Keras networks of the same widths.

    All see the same pairs in batches of the same plan. They take turns, so that whatever else the machine does falls on
    all; a turn is one `fit` of a few epochs, whose first, which traces, is not counted.

    Args:
        subjects: ours, by name.
        repeats: turns of each.

    Returns:
        Ours by their names, and the plain ones by `keras, ` and their attention.
    """
    plain = {f"keras, {name}": _plain_fit(next(iter(subjects.values())), name) for name in ATTENTIONS}
    fits = {**{name: subject.fit for name, subject in subjects.items()}, **plain}
    timers = {name: EpochSeconds() for name in fits}
    for _ in range(repeats):
        for name, fit in fits.items():
            fit(timers[name])
    return {name: timer.seconds for name, timer in timers.items()}


def _plain_fit(subject: Subject, attention: str) -> Callable[[EpochSeconds], Any]:
    """Fits a plain network on the pairs of a subject; its row 1 is the end, and ours from 1 on follow."""
    symbols, coders, settings = subject.trainer.symbols, subject.trainer.coders, subject.config.model
    assert coders.source is not None and symbols.targets is not None  # for the type checker: CMUdict's are texts
    sources = coders.source.rows(symbols.sources).to_list()
    targets = [[row + 1 for row in rows] + [1] for rows in coders.target.rows(symbols.targets).to_list()]
    lengths = np.array([len(rows) for rows in sources]), np.array([len(rows) for rows in targets])
    plan = plan_batches(*lengths, subject.stream.symbol_budget, np.random.default_rng(subject.config.seed))
    sizes = len(coders.source.vocabulary), len(coders.target.vocabulary) + 1
    plain = plain_seq2seq(*sizes, settings.embedding_dim, settings.units, attention)
    batches = PlainBatches(sources, targets, plan)
    return lambda timer: plain.fit(
        batches.dataset(), epochs=EPOCHS, steps_per_epoch=len(plan), callbacks=[timer], shuffle=False, verbose=0
    )


def padding(subject: Subject) -> float:
    """The share of padding, on both sides, in the batches of a pass over the pairs, as planned for training."""
    symbols, stream = subject.trainer.symbols, subject.stream
    assert symbols.targets is not None  # for the type checker: they are of training
    sides = symbols.source_lengths, symbols.targets.row_lengths().numpy() + 1
    plan = list(islice(stream.after(0), stream.steps))
    positions = sum(len(batch) * int(lengths[batch].max()) for lengths in sides for batch in plan)
    return 1 - stream.items / positions


def search_seconds(model: Seq2SeqModel, sources: Pairs, beams: tuple[int, ...], repeats: int) -> dict[int, float]:
    """Median seconds of the search of one batch of sources by each width of the beam, in turns."""
    symbols = model.symbols(sources)
    batch = assemble_batch(symbols.sources, symbols.features, model.coders)

    def searching(beam: int) -> Callable[[], Any]:
        search = model.search._replace(beam=beam)
        return tf.function(lambda: model.network.search(batch, search, model.max_length + 1).symbols)

    graphs = {beam: searching(beam) for beam in beams}
    seconds: dict[int, list[float]] = {beam: [] for beam in beams}
    for turn in range(repeats + 1):
        for beam, graph in graphs.items():
            began = time.perf_counter()
            graph().numpy()
            if turn:
                seconds[beam].append(time.perf_counter() - began)
    return {beam: statistics.median(times) for beam, times in seconds.items()}
