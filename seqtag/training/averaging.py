"""An exponential moving average of a model's weights, cheap enough for large embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf


class WeightAverage(keras.callbacks.Callback):
    """Keeps avg <- avg + (1 - m) (w - avg), an average of weights (Polyak and Juditsky 1992) with exponential decay.

    An update reads every weight, embeddings included, so it comes every `every` steps only, with the momentum of that
    many: m = momentum^every. After the first n updates, m is at most (1 + n) / (10 + n), so that the initial weights
    soon leave the average.

    An average of sparse weights is not sparse. Where a weight is exactly zero, as after a proximal step, the averaged
    model has a zero too, although the average still holds some of the weight's earlier values.

    Args:
        momentum: the momentum of one step; 0 switches the average off.
        every: steps from one update to the next.
    """

    async_safe = True

    def __init__(self, momentum: float, every: int = 5) -> None:
        super().__init__()
        self.momentum = momentum**every
        self.every = every
        self.updates = 0
        self.step = 0
        self.average: list[tf.Variable] = []
        # A function of this object: one of the class would keep its graph after the object is gone.
        self._update = tf.function(self._moved, reduce_retracing=True)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts from the current weights, unless a checkpoint has set the average."""
        if self.momentum and not self.average:
            self.average = [tf.Variable(w.value, trainable=False) for w in self.model.trainable_variables]

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the step and, every `every` steps, updates the average."""
        self.step += 1
        if self.momentum and self.step % self.every == 0:
            self.updates += 1
            momentum = min(self.momentum, (1 + self.updates) / (10 + self.updates))
            self._update(tf.constant(1 - momentum, tf.float32))

    def _moved(self, rate: tf.Tensor) -> None:
        for average, weight in zip(self.average, self.model.trainable_variables, strict=True):
            average.assign_add(tf.cast(rate, average.dtype) * (weight.value - average))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the model the averaged weights within the block, and zeros where its own weights are zero."""
        if not self.updates:  # the average is still that of the initial weights
            yield
            return
        current = [weight.numpy() for weight in self.model.trainable_variables]
        averaged = [np.where(w == 0, 0, a.numpy()) for w, a in zip(current, self.average, strict=True)]
        _assign(self.model.trainable_variables, averaged)
        try:
            yield
        finally:
            _assign(self.model.trainable_variables, current)


def _assign(variables: list, values: list) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
