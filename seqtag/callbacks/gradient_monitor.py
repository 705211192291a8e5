"""A callback that measures the gradients of a training and the updates of the weights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from seqtag.callbacks.gradient_records import Sample, SampleLog
from seqtag.callbacks.gradient_table import (
    COLUMNS,
    EDGES,
    gradient_columns,
    gradient_histograms,
    touched_weights,
    update_columns,
)
from seqtag.callbacks.update_hook import Update, UpdateCallback


class GradientMonitor(UpdateCallback):
    """Measures the gradients of `fit`: norms before and after clipping, zeros, values that are not finite, and the
    ratio of the norm of each update to that of the weights.

    The global norm is measured in every update; the rest in the first update of every epoch and then in every
    `every`-th, in the graph, and read from the device together. The gradients are those that the optimizer gets:
    unscaled under mixed precision, accumulated, and summed over the replicas of a distribution strategy. Of an
    embedding, the rows that the batch looked up are measured, each once. The monitor changes no number of the training.

    To the logs of each epoch, and so to the `History`, it adds

    - `grad_norm` and `grad_norm_max`: mean and maximum of the global norm before clipping, over all updates whose norm
      is finite;
    - `grad_non_finite`: the number of updates whose norm is not finite;
    - `grad_norm/<layer>` and `update_ratio/<layer>`: means over the measured updates. The ratio is ‖Δw‖ / ‖w‖; about
      1e-3 is usual. Weights that are all zero have none.

    It writes to `log_dir` a table `history.csv` and files for TensorBoard. For each measured update the table has a row
    for all weights together, one for each layer and one for each weight. TensorBoard shows the same as scalars, and
    a histogram of every gradient in the first update of an epoch.

    Args:
        every: the number of updates from one measurement to the next.
        log_dir: the folder of `history.csv` and TensorBoard's files; None writes none.
        append: whether to append to an existing `history.csv`.

    Raises:
        ValueError: `every` is below 1; in the first step, the model has no trainable weights or updates by other
            optimizers than its own.
        TypeError: when training begins, the optimizer is no Keras optimizer.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
        >>> model.compile("sgd", loss="mse")
        >>> fitted = model.fit(tf.ones((8, 5, 3)), tf.ones((8, 4)), verbose=0, callbacks=[GradientMonitor()])
        >>> sorted(fitted.history)
        ['grad_non_finite', 'grad_norm', 'grad_norm/gru', 'grad_norm_max', 'loss', 'update_ratio/gru']
    """

    def __init__(self, every: int = 10, log_dir: str | Path | None = None, append: bool = False) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"expected every to be at least 1, found {every}")
        self.every = every
        self.log_dir = None if log_dir is None else Path(log_dir)
        self.append = append

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Joins the optimizer's update and opens the files."""
        super().on_train_begin(logs)
        self.log = SampleLog(self.log_dir, self.append)
        self.epoch_samples: list[Sample] = []

    def create_state(self) -> None:
        """Creates variables for the sums of an epoch and for the measurements since the last reading."""
        # As many measurements as may come between two readings, which come between executions, and one more.
        slots = math.ceil((self.model.steps_per_execution or 1) / self.every) + 1
        weights = len(self.weights)
        self.norm_sum = tf.Variable(0.0, trainable=False)
        self.norm_max = tf.Variable(0.0, trainable=False)
        self.finite = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.non_finite = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.next_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.taken = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.steps = tf.Variable(tf.zeros(slots, tf.int64), trainable=False)
        self.tables = tf.Variable(tf.zeros((slots, weights, len(COLUMNS))), trainable=False)
        bars = len(EDGES) - 1 if self.log_dir is not None else 0
        self.histogram = tf.Variable(tf.zeros((weights, bars)), trainable=False)
        self.histogram_due = tf.Variable(True, trainable=False)
        self.measured = self.weights
        self.read = 0

    def before_update(self, update: Update) -> None:
        """Adds the norm to the sums of the epoch; in a measured update copies the weights."""
        self.measured = update.weights
        finite = tf.math.is_finite(update.global_norm)
        norm = tf.where(finite, update.global_norm, 0.0)
        self.norm_sum.assign_add(norm)
        self.norm_max.assign(tf.maximum(self.norm_max, norm))
        self.finite.assign_add(tf.cast(finite, tf.int64))
        self.non_finite.assign_add(tf.cast(~finite, tf.int64))
        due = update.step >= self.next_step
        update.notes[self] = due, self._weights_before(update, due)

    def _weights_before(self, update: Update, due: tf.Tensor) -> list[tf.Tensor]:
        """Copies of the weights in a measured update; rows of embeddings are few, and are copied in every update."""
        weights = touched_weights(update)
        dense = [n for n, gradient in enumerate(update.gradients) if not isinstance(gradient, tf.IndexedSlices)]
        copies = tf.cond(
            due,
            lambda: [tf.identity(weights[n]) for n in dense],
            lambda: [tf.zeros(weights[n].shape, weights[n].dtype) for n in dense],
        )
        for n, copy in zip(dense, copies, strict=True):
            weights[n] = copy
        return weights

    def after_update(self, update: Update) -> None:
        """Measures the update, if it is time."""
        due, old = update.notes[self]
        tf.cond(due, lambda: self._measure(update, old), lambda: None)

    def _measure(self, update: Update, old: list[tf.Tensor]) -> None:
        table = tf.concat([gradient_columns(update), update_columns(update, old)], axis=1)
        slot = tf.cast(self.taken % self.steps.shape[0], tf.int32)
        self.steps.assign(tf.tensor_scatter_nd_update(self.steps, [[slot]], [update.step]))
        padded = tf.pad(table, [[0, len(self.weights) - len(update.weights)], [0, 0]])
        self.tables.assign(tf.tensor_scatter_nd_update(self.tables, [[slot]], [padded]))
        self.taken.assign_add(1)
        self.next_step.assign(update.step + self.every)
        if self.log_dir is not None:
            tf.cond(self.histogram_due, lambda: self._count_bars(update), lambda: None)

    def _count_bars(self, update: Update) -> None:
        bars = gradient_histograms(update)
        self.histogram.assign(tf.pad(bars, [[0, len(self.weights) - len(update.weights)], [0, 0]]))
        self.histogram_due.assign(False)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Resets the sums, so that the first update of the epoch is measured."""
        if self.started:
            for variable in (self.norm_sum, self.norm_max, self.finite, self.non_finite, self.next_step):
                variable.assign(tf.zeros_like(variable))
            self.histogram_due.assign(True)
        self.epoch_samples = []
        self.epoch = epoch
        self.last_batch = -self.every

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Reads the measurements every `every` batches."""
        if self.started and batch - self.last_batch >= self.every:
            self.last_batch = batch
            self._read_samples()

    def _read_samples(self) -> None:
        taken = int(self.taken.numpy())
        if taken == self.read:
            return
        steps, tables = self.steps.numpy(), self.tables.numpy()
        for number in range(max(self.read, taken - len(steps)), taken):
            slot = number % len(steps)
            table = tables[slot, : len(self.measured)].astype("float64")
            sample = Sample(self.epoch + 1, int(steps[slot]) + 1, self.measured, table)
            self.epoch_samples.append(sample)
            self.log.write(sample)
        self.read = taken

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds the figures of the epoch to the logs, and flushes the files."""
        super().on_epoch_end(epoch, logs)
        self._read_samples()
        if self.epoch_samples:
            self.log.write_histograms(self.epoch_samples[0], self.histogram.numpy())
        self.log.flush()
        if logs is not None:
            logs.update(self._epoch_figures())

    def _epoch_figures(self) -> dict[str, float]:
        finite = int(self.finite.numpy())
        figures = {
            "grad_norm": float(self.norm_sum.numpy()) / finite if finite else math.nan,
            "grad_norm_max": float(self.norm_max.numpy()) if finite else math.nan,
            "grad_non_finite": int(self.non_finite.numpy()),
        }
        layers = [sample.of_layers() for sample in self.epoch_samples]
        for name, column in (("grad_norm", "norm"), ("update_ratio", "update_ratio")):
            for layer in layers[0] if layers else ():
                values = np.array([sample[layer][column] for sample in layers])
                # Weights that are all zero have no ratio.
                defined = values[~np.isnan(values)]
                figures[f"{name}/{layer}"] = float(defined.mean()) if len(defined) else math.nan
        return figures

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leaves the optimizer as it was, and closes the files."""
        super().on_train_end(logs)
        self.log.close()
