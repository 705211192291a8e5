"""The figures that `GradientMonitor` takes of one update, in the graph: a row of numbers for each weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from seqtag.callbacks.row_gradients import dense_part, weights_under
from seqtag.callbacks.update_hook import Update
from seqtag.ops.gradients import norm

# Columns of the table. For an embedding they are of the rows that the batch looked up.
COLUMNS = ("norm", "clipped_norm", "zeros", "non_finite", "size", "weight_norm", "update_norm")
# Edges of the histograms: 1e-10 to 1e4 with both signs, four to a decade, since gradients spread over decades.
_MAGNITUDES = np.logspace(-10, 4, 57)
EDGES = np.concatenate([-_MAGNITUDES[::-1], _MAGNITUDES])


def gradient_columns(update: Update) -> tf.Tensor:
    """Norms before and after clipping; counts of zeros, of values that are not finite, and of all: `(weights, 5)`."""
    rows = []
    for before, after in zip(update.gradients, update.clipped, strict=True):
        values = dense_part(before)
        counts = (_count(values == 0), _count(~tf.math.is_finite(values)), tf.size(values))
        rows.append([norm(values), norm(dense_part(after)), *counts])
    return _table(rows)


def update_columns(update: Update, old: Sequence[tf.Tensor]) -> tf.Tensor:
    """The norms of the `old` weights and of their change by the update: `(weights, 2)`."""
    rows = [[norm(before), norm(after - before)] for before, after in zip(old, touched_weights(update), strict=True)]
    return _table(rows)


def touched_weights(update: Update) -> list[tf.Tensor]:
    """The current weights: those of the rows of a sparse gradient, else all."""
    pairs = zip(update.gradients, update.variables, strict=True)
    return [weights_under(gradient, variable) for gradient, variable in pairs]


def gradient_histograms(update: Update) -> tf.Tensor:
    """How many elements of each gradient before clipping lie between neighbouring `EDGES`: `(weights, EDGES - 1)`."""
    return tf.stack([_histogram(dense_part(gradient)) for gradient in update.gradients])


def _histogram(values: tf.Tensor) -> tf.Tensor:
    inner = tf.constant(EDGES[1:-1], tf.float32)
    places = tf.searchsorted(inner, tf.reshape(tf.cast(values, tf.float32), [-1]), side="right")
    return tf.math.unsorted_segment_sum(tf.ones_like(places, tf.float32), places, len(EDGES) - 1)


def _table(rows: list[list[tf.Tensor]]) -> tf.Tensor:
    return tf.stack([tf.stack([tf.cast(number, tf.float32) for number in row]) for row in rows])


def _count(flags: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(flags, dtype=tf.int64)
