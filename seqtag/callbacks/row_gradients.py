"""Gradients of embeddings as TensorFlow hands them over: the rows that a batch looked up, some of them repeated."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def merge_rows(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """The same gradient with every row once, its slices summed.

    >>> merged = merge_rows(tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([7, 3, 7])))
    >>> merged.indices.numpy().tolist(), merged.values.numpy().tolist()
    ([7, 3], [[5.0], [2.0]])
    """
    rows, positions = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def merge_all_rows(gradients: list[Any]) -> list[Any]:
    """The gradients with the rows of the sparse ones merged."""
    return [merge_rows(g) if isinstance(g, tf.IndexedSlices) else g for g in gradients]


def dense_part(gradient: Any) -> tf.Tensor:
    """The tensor to compute with: the rows of a sparse gradient, all of another."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def with_dense_part(gradient: Any, values: tf.Tensor) -> Any:
    """A gradient of the same rows with other values."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return values


def weights_under(gradient: Any, variable: Any) -> tf.Tensor:
    """The weights that the gradient is of: those of its rows, or all."""
    return (
        tf.gather(variable, gradient.indices)
        if isinstance(gradient, tf.IndexedSlices)
        else tf.convert_to_tensor(variable)
    )
