"""Selection of the epoch with the best dev measure; a lower learning rate or an end when it does not improve."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np

from seqtag.config.fitting import FittingConfig
from seqtag.errors import RunError
from seqtag.training.averaging import WeightAverage
from seqtag.training.measure import Measure
from seqtag.training.schedule import LearningRate


class DevSelection(keras.callbacks.Callback):
    """Computes the dev measure after every epoch, and keeps the weights of the best epoch.

    Args:
        evaluate: computes the dev measure of the model with its current weights.
        measure: tells which of two values is better.
        settings: patience and annealing.
        average: its averaged weights are scored and kept, if it is switched on.
        rate: lowered after `anneal_patience` epochs without a better measure.

    Attributes:
        best: the best measure so far.
        best_epoch: its 0-based epoch.
        best_weights: the weights of that epoch.
    """

    def __init__(
        self,
        evaluate: Callable[[], float],
        measure: Measure,
        settings: FittingConfig,
        average: WeightAverage,
        rate: LearningRate,
    ) -> None:
        super().__init__()
        self.evaluate = evaluate
        self.measure = measure
        self.settings = settings
        self.average = average
        self.rate = rate
        self.best = measure.worst
        self.best_epoch = -1
        self.best_weights: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Computes the measure, adds it to the logs as `dev` beside `best`, and keeps, anneals or stops."""
        logs = {} if logs is None else logs
        _check_finite(logs.get("loss", 0.0), "loss", epoch)
        with self.average.applied():
            value = self.evaluate()
            _check_finite(value, f"dev {self.measure.name}", epoch)
            if self.measure.better(value, self.best):
                self.best, self.best_epoch = value, epoch
                self.best_weights = [w.numpy() for w in self.model.trainable_variables]
        logs.update(dev=value, best=self.best)
        waited = epoch - self.best_epoch
        if waited and waited % self.settings.anneal_patience == 0:
            self.rate.anneal()
        if self.settings.patience is not None and waited >= self.settings.patience:
            self.model.stop_training = True

    def restore_best(self) -> None:
        """Gives the model the weights of the best epoch."""
        for variable, value in zip(self.model.trainable_variables, self.best_weights, strict=True):
            variable.assign(value)


def _check_finite(value: float, name: str, epoch: int) -> None:
    if not math.isfinite(value):
        raise RunError(
            f"training: expected a finite {name}, found {value} in epoch {epoch + 1}; lower "
            "training.learning_rate or training.clip_norm"
        )
