"""Fits a network on an encoded corpus: batches, optimizer and callbacks put together around Keras's own `fit`."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.callbacks.gradient_monitor import GradientMonitor
from seqtag.callbacks.proximal_l1 import ProximalL1
from seqtag.config import TrainingConfig
from seqtag.data.batching import EncodedCorpus, batch_dataset, plan_batches
from seqtag.diagnostics.sparsity import SparsityReport, sparsity
from seqtag.training.averaging import WeightAverage
from seqtag.training.checkpoint import Checkpoint
from seqtag.training.optimizers import build_optimizer
from seqtag.training.progress import ProgressLine
from seqtag.training.schedule import LearningRate
from seqtag.training.selection import DevSelection


@dataclass(frozen=True)
class FitResult:
    """What a fit leaves beside the weights.

    Attributes:
        history: one dict an epoch: `epoch, loss, dev, best, learning_rate, train_seconds`.
        best_epoch: 1-based epoch whose weights the network has now.
        seconds: of all epochs, evaluation on dev included, summed over resumed parts.
        tokens_per_second: training words a second, the first epoch (tracing) left out where there are more.
        sparsity: the zeros of the weights, where a penalty was to make some.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    tokens_per_second: float
    sparsity: SparsityReport | None = None

    def to_metrics(self) -> dict[str, Any]:
        """The `train` part of `metrics.json`; the peak of memory is that of the whole process so far."""
        sparse = {} if self.sparsity is None else {"sparsity": self.sparsity.to_dict()}
        return sparse | {
            "seconds": self.seconds,
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            "tokens_per_second": self.tokens_per_second,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


class BatchStream:
    """An endless stream of batches as index arrays, pass after pass over the corpus, each in another order.

    The number of batches of a pass depends on its order, but Keras takes the first epoch's for all: it would leave out
    what a longer pass has more. An epoch is therefore a fixed number of steps, `steps`, of one stream.

    Args:
        lengths: tokens of each sentence.
        token_budget: the most tokens in a batch.
        seed: with the number of the pass, decides its order.
    """

    def __init__(self, lengths: np.ndarray, token_budget: int, seed: int) -> None:
        self.lengths = lengths
        self.token_budget = token_budget
        self.seed = seed
        self.steps = len(self._pass(0))

    def _pass(self, number: int) -> list[np.ndarray]:
        return plan_batches(self.lengths, self.token_budget, np.random.default_rng([self.seed, number]))

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The stream without its first `steps` batches."""
        return islice(chain.from_iterable(map(self._pass, count())), steps, None)


class EpochLogs(keras.callbacks.Callback):
    """Adds the seconds of an epoch's steps and the learning rate to its logs."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds `train_seconds` and `learning_rate`."""
        if logs is not None:
            logs["train_seconds"] = time.monotonic() - self.started
            logs["learning_rate"] = float(self.model.optimizer.learning_rate.numpy())


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes each epoch's numbers for TensorBoard."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.writer = tf.summary.create_file_writer(str(folder))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the logs as scalars."""
        with self.writer.as_default(step=epoch + 1):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def fit_network(
    network: keras.Model,
    corpus: EncodedCorpus,
    settings: TrainingConfig,
    evaluate: Callable[[], float],
    *,
    seed: int,
    measure: str,
    checkpoints: Path | None = None,
    log_folder: Path | None = None,
    resume: bool = False,
    label: str = "",
) -> FitResult:
    """Fits `network` and leaves it with the weights of the epoch that dev liked best.

    Args:
        network: a built, uncompiled model whose `compute_loss` reads the batches of `corpus`.
        corpus: the training sentences with tags.
        settings: optimizer, schedule, batches, patience.
        evaluate: gives the dev measure of the network as it stands.
        seed: decides the order of the batches.
        measure: the dev measure's name, for the progress line.
        checkpoints: folder of the state after each epoch; None keeps none.
        log_folder: TensorBoard's folder; None writes none.
        resume: go on from `checkpoints`; the numbers are those of a run that was never interrupted.
        label: put before the progress lines.

    Raises:
        RunError: the loss is no longer finite, or the checkpoint is of another model.
    """
    network.compile(optimizer=build_optimizer(settings), jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    stream = BatchStream(corpus.lengths, settings.batch_tokens, seed)
    rate = LearningRate(settings, stream.steps)
    # Before all that scores or saves: at the end of an epoch it brings the weights up to date.
    penalties = [ProximalL1(settings.l1, settings.row_l1)] if settings.l1 or settings.row_l1 else []
    average = WeightAverage(settings.ema)
    selection = DevSelection(evaluate, settings, average, rate)
    checkpoint = Checkpoint(checkpoints, rate, average, selection)
    checkpoint.set_model(network)
    finished = resume and checkpoint.restore() and checkpoint.stopped
    first_epoch = checkpoint.epochs_done
    if not finished and first_epoch < settings.epochs:
        tokens = int(corpus.lengths.sum())
        progress = ProgressLine(settings.epochs, tokens, stream.steps, measure, first_epoch, label)
        watching = _monitors(settings.monitor_every, log_folder, append=resume)
        callbacks = [*watching, *penalties, EpochLogs(), rate, average, selection, checkpoint, progress]
        if log_folder is not None:
            callbacks.append(TensorBoardScalars(log_folder))
        dataset = batch_dataset(corpus, lambda: stream.after(first_epoch * stream.steps)).map(split_tags)
        try:
            network.fit(
                dataset,
                epochs=settings.epochs,
                initial_epoch=first_epoch,
                steps_per_epoch=stream.steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
        finally:
            progress.live.close()
    selection.set_model(network)
    selection.restore_best()
    speed = _speed(checkpoint.history, corpus)
    found = sparsity(network) if penalties else None
    return FitResult(checkpoint.history, selection.best_epoch + 1, checkpoint.seconds, speed, found)


def _monitors(every: int | None, log_folder: Path | None, append: bool) -> list[GradientMonitor]:
    if every is None:
        return []
    return [GradientMonitor(every, None if log_folder is None else log_folder / "gradients", append)]


def split_tags(batch: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """A batch as Keras's `fit` takes it: the inputs, and the tags."""
    return {name: value for name, value in batch.items() if name != "tags"}, batch["tags"]


def _speed(history: list[dict[str, float]], corpus: EncodedCorpus) -> float:
    settled = history[1:] or history
    return float(corpus.lengths.sum() / np.median([epoch["train_seconds"] for epoch in settled]))
