"""Fits a network with Keras's own `fit`, and the optimizer and callbacks that every task uses."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from seqtag.callbacks.clipping import GradientClipping
from seqtag.callbacks.gradient_monitor import GradientMonitor
from seqtag.callbacks.proximal_l1 import ProximalL1
from seqtag.config.fitting import FittingConfig
from seqtag.diagnostics.sparsity import SparsityReport, sparsity
from seqtag.keras_internals import freed_training_graphs
from seqtag.process.quiet_tensorflow import one_trace_a_model
from seqtag.training.averaging import WeightAverage
from seqtag.training.budget import Budget, Deadline
from seqtag.training.checkpoint import Checkpoint
from seqtag.training.measure import Measure
from seqtag.training.memory import peak_memory_mb
from seqtag.training.optimizers import build_optimizer
from seqtag.training.progress import ProgressLine
from seqtag.training.recording import Recording
from seqtag.training.schedule import LearningRate
from seqtag.training.selection import DevSelection


@dataclass(frozen=True)
class FitResult:
    """The figures of a fit.

    Attributes:
        history: a dict for each epoch: `epoch, loss, dev, best, learning_rate, updates, train_seconds`, and
            `grad_clipped` where gradients are clipped.
        best_epoch: the 1-based epoch whose weights the network has.
        seconds: the time of all epochs, evaluation on dev included, summed over resumed parts.
        items_per_second: tokens or windows a second in training, without the first epoch (tracing) if there are more.
        unit: the name of these items.
        sparsity: the zeros of the weights, if there was a penalty.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    items_per_second: float
    unit: str
    sparsity: SparsityReport | None = None

    def to_metrics(self) -> dict[str, Any]:
        """The `train` part of `metrics.json`; `peak_rss_mb` is that of the whole process so far."""
        metrics = {
            "sparsity": None if self.sparsity is None else self.sparsity.to_dict(),
            "seconds": self.seconds,
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            f"{self.unit}_per_second": self.items_per_second,
            "peak_rss_mb": peak_memory_mb(),
        }
        return {name: value for name, value in metrics.items() if value is not None}


def joined(results: Sequence[FitResult]) -> FitResult:
    """One result of all members: their epochs one after the other, their seconds summed."""
    if len(results) == 1:
        return results[0]
    return replace(
        results[0],
        history=[{"member": n, **row} for n, result in enumerate(results, 1) for row in result.history],
        seconds=sum(result.seconds for result in results),
        items_per_second=statistics.median(result.items_per_second for result in results),
    )


class Examples(Protocol):
    """The data that a network is fitted on: an endless stream of batches; every epoch takes the same number.

    Attributes:
        steps: the number of batches of an epoch.
        items: the number of tokens or windows of an epoch.
        unit: the name of these items.
    """

    steps: int
    items: int
    unit: str

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream from this 0-based batch on, for Keras's `fit`."""


class EpochLogs(keras.callbacks.Callback):
    """Adds the number of an epoch's updates, their time and the learning rate to its logs."""

    async_safe = True

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self.started = time.monotonic()
        self.updates = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the update."""
        self.updates += 1

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds `updates`, `train_seconds` and `learning_rate`."""
        if logs is not None:
            logs["updates"] = self.updates
            logs["train_seconds"] = time.monotonic() - self.started
            logs["learning_rate"] = float(self.model.optimizer.learning_rate.numpy())


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes each epoch's logs for TensorBoard."""

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
    examples: Examples,
    settings: FittingConfig,
    evaluate: Callable[[], float],
    measure: Measure,
    recording: Recording = Recording(),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    budget: Budget | None = None,
) -> FitResult:
    """Fits `network` and gives it the weights of the epoch with the best dev measure.

    Args:
        network: a built, uncompiled model whose `compute_loss` reads the batches of `examples`.
        examples: the training data.
        settings: optimizer, schedule, patience.
        evaluate: computes the dev measure of the network with its current weights.
        measure: tells which of two dev measures is better.
        recording: where checkpoints and logs go, and whether to resume.
        callbacks: further callbacks, which run before those that compute the dev measure.
        budget: the time that the fit may take, where it is one of several; that of the settings unless given.

    Raises:
        RunError: the loss is no longer finite, or the checkpoint is of another model.
    """
    network.compile(optimizer=build_optimizer(settings), jit_compile=False)
    network.optimizer.build(network.trainable_variables)

    def watched() -> float:
        if recording.verbose:
            progress.show_scoring()
        return evaluate()

    deadline = Deadline(budget or Budget(settings.budget), watched)
    rate = LearningRate(settings, examples.steps, deadline.spent)
    # It comes before the callbacks that score or save: at the end of an epoch it still changes the weights.
    penalties = [ProximalL1(settings.l1, settings.row_l1)] if settings.l1 or settings.row_l1 else []
    average = WeightAverage(settings.ema)
    selection = DevSelection(deadline.evaluate, measure, settings, average, rate)
    checkpoint = Checkpoint(recording.checkpoints, rate, average, selection)
    checkpoint.set_model(network)
    finished = recording.resume and checkpoint.restore() and checkpoint.stopped
    deadline.resume(checkpoint.seconds)
    first_epoch = checkpoint.epochs_done
    progress = ProgressLine(settings, examples, selection, deadline, recording.label)
    if not finished and first_epoch < settings.epochs:
        limit = [deadline] if deadline.budget.limited else []
        lines = [progress] if recording.verbose else []
        gradients = [*_clipping(settings.clip_norm), *_monitors(settings.monitor_every, recording)]
        logging = [] if recording.logs is None else [TensorBoardScalars(recording.logs)]
        scoring = [EpochLogs(), rate, average, selection, *limit, checkpoint, *lines]
        try:
            with one_trace_a_model(), freed_training_graphs():
                network.fit(
                    examples.dataset(first_epoch * examples.steps),
                    epochs=settings.epochs,
                    initial_epoch=first_epoch,
                    steps_per_epoch=examples.steps,
                    callbacks=[*gradients, *penalties, *callbacks, *scoring, *logging],
                    shuffle=False,
                    verbose=0,
                )
        finally:
            progress.live.close()
    selection.set_model(network)
    selection.restore_best()
    speed = _typical_speed(checkpoint.history, examples)
    found = sparsity(network) if penalties else None
    return FitResult(checkpoint.history, selection.best_epoch + 1, checkpoint.seconds, speed, examples.unit, found)


def _clipping(norm: float | None) -> list[GradientClipping]:
    return [] if norm is None else [GradientClipping("global_norm", norm)]


def _monitors(every: int | None, recording: Recording) -> list[GradientMonitor]:
    if every is None:
        return []
    folder = None if recording.logs is None else recording.logs / "gradients"
    return [GradientMonitor(every, folder, append=recording.resume)]


def _typical_speed(history: list[dict[str, float]], examples: Examples) -> float:
    """The items a second of the median epoch, without the first one if there are more."""
    items = examples.items / examples.steps
    # A state that an earlier version has saved does not count updates.
    speeds = [items * epoch.get("updates", examples.steps) / epoch["train_seconds"] for epoch in history]
    return float(np.median(speeds[1:] or speeds))
