"""Which epoch's weights are kept: the best by the dev measure; when to lower the rate and when to stop."""

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
    """Scores the model on dev after every epoch and keeps the weights of the best one.

    Args:
        evaluate: gives the dev measure of the model as it stands.
        measure: which of two values is better.
        settings: patience and annealing.
        average: the averaged weights are what is scored and kept, where there is an average.
        rate: lowered after `anneal_patience` epochs without a better measure.

    Attributes:
        best: the best measure so far, `best_epoch` its 0-based epoch, `best_weights` the values of that epoch.
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
        """Scores, keeps, anneals, stops; adds `dev` and `best` to the logs."""
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
