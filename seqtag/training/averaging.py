"""An exponential moving average of a model's weights, cheap enough for large embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from seqtag.callbacks.update_hook import Update, UpdateCallback, of_no_graph
from seqtag.training.optimizers import RowUpdates


class WeightAverage(UpdateCallback):
    """Keeps avg <- avg + (1 - m) (w - avg), an average of weights (Polyak and Juditsky 1992) with exponential decay.

    A move reads every weight, so it comes every `every` steps only, with the momentum of that many: m = momentum^every.
    At the n-th move, m is at most (1 + n) / (10 + n), so that the initial weights soon leave the average.

    The rows of an embedding that no batch looks up are not read. While a weight is the same, k moves are one,

        avg <- w + m_1 ··· m_k (avg - w),

    which a row makes up for before it is updated, and all rows before they are scored or saved. (A proximal step also
    changes rows that no batch looked up. They count as if they had been what they are when their moves are made.)

    An average of sparse weights is not sparse. Where a weight is exactly zero, as after a proximal step, the averaged
    model has a zero too, although the average still holds some of the weight's earlier values.

    Args:
        momentum: the momentum of one step; 0 switches the average off.
        every: steps from one move to the next.
    """

    def __init__(self, momentum: float, every: int = 5) -> None:
        super().__init__()
        self.momentum = momentum**every
        self.every = every
        self.updates = 0
        self.step = 0
        self.average: list[tf.Variable] = []
        # The logarithm of m_1 ··· m_n, of all moves so far, and what it was when a row of a table was last up to date.
        self.decay = tf.Variable(0.0, trainable=False)
        self.last_decay: dict[int, tf.Variable] = {}
        # A function of this object: one of the class would keep its graph after the object is gone.
        self._move = tf.function(self._moved, reduce_retracing=True, autograph=False)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts from the current weights, unless a checkpoint has set the average."""
        if not self.momentum:
            return
        super().on_train_begin(logs)
        if not self.average:
            self.average = [tf.Variable(w.value, trainable=False) for w in self.model.trainable_variables]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Does nothing: an average need not change."""

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leaves the optimizer as it was."""
        if self.momentum:
            super().on_train_end(logs)

    def before_update(self, update: Update) -> None:
        """Makes the moves that the rows of an update have missed, while their weights are what they were then."""
        if not isinstance(self.hook.optimizer, RowUpdates):
            # Others also change rows without a gradient.
            return
        numbers = {id(weight): number for number, weight in enumerate(self.model.trainable_variables)}
        for weight, gradient in zip(update.weights, update.clipped, strict=True):
            if isinstance(gradient, tf.IndexedSlices):
                self._make_up_for(numbers[id(weight.variable)], weight.variable.value, gradient.indices)

    def _make_up_for(self, number: int, weight: tf.Variable, rows: tf.Tensor) -> None:
        average = self.average[number]
        if number not in self.last_decay:
            with tf.init_scope(), tf.variable_creator_scope(of_no_graph):
                self.last_decay[number] = tf.Variable(tf.zeros(weight.shape[0]), trainable=False)
        last = self.last_decay[number]
        values = _moved_towards(tf.gather(weight, rows), tf.gather(average, rows), self.decay - tf.gather(last, rows))
        average.scatter_update(tf.IndexedSlices(values, rows))
        last.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), self.decay), rows))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the step and, every `every` steps, moves the average."""
        self.step += 1
        if self.momentum and self.step % self.every == 0:
            self.updates += 1
            momentum = min(self.momentum, (1 + self.updates) / (10 + self.updates))
            self._move(tf.constant(1 - momentum, tf.float32))

    def _moved(self, rate: tf.Tensor) -> None:
        self.decay.assign_add(tf.math.log(1 - rate))
        for number, (average, weight) in enumerate(zip(self.average, self.model.trainable_variables, strict=True)):
            if number not in self.last_decay:
                average.assign_add(tf.cast(rate, average.dtype) * (weight.value - average))

    def _make_up_for_all(self) -> None:
        for number, last in self.last_decay.items():
            average, weight = self.average[number], self.model.trainable_variables[number]
            average.assign(_moved_towards(tf.convert_to_tensor(weight.value), average, self.decay - last))
            last.assign(tf.zeros_like(last))
        # A new count: a checkpoint after this has the average alone to keep.
        self.decay.assign(0.0)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the model the averaged weights within the block, and zeros where its own weights are zero."""
        if not self.updates:  # the average is still that of the initial weights
            yield
            return
        self._make_up_for_all()
        current = [weight.numpy() for weight in self.model.trainable_variables]
        averaged = [np.where(w == 0, 0, a.numpy()) for w, a in zip(current, self.average, strict=True)]
        _assign(self.model.trainable_variables, averaged)
        try:
            yield
        finally:
            _assign(self.model.trainable_variables, current)


def _moved_towards(weights: tf.Tensor, average: tf.Tensor, decay: tf.Tensor) -> tf.Tensor:
    """The rows of an average after moves whose momentums have a product of exp(decay), one for each row."""
    decay = tf.reshape(decay, [-1, *[1] * (len(weights.shape) - 1)])
    moved = weights + tf.cast(tf.exp(decay), weights.dtype) * (average - weights)
    # Without a move nothing is rounded.
    return tf.where(decay < 0, moved, average)


def _assign(variables: list, values: list) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
