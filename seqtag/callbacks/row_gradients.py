"""Gradients of embeddings, which TensorFlow gives as the rows that a batch looked up, repeated rows included."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def merge_rows(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """The same gradient with each row once: the sum of its slices.

    >>> merged = merge_rows(tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([7, 3, 7])))
    >>> merged.indices.numpy().tolist(), merged.values.numpy().tolist()
    ([7, 3], [[5.0], [2.0]])
    """
    rows, positions = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def merge_all_rows(gradients: list[Any]) -> list[Any]:
    """The gradients, with `merge_rows` of those that are sparse."""
    return [merge_rows(g) if isinstance(g, tf.IndexedSlices) else g for g in gradients]


def dense_part(gradient: Any) -> tf.Tensor:
    """The values of a gradient: the rows of a sparse one, all of a dense one."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def with_dense_part(gradient: Any, values: tf.Tensor) -> Any:
    """The gradient with other values; a sparse one keeps its rows."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return values


def weights_under(gradient: Any, variable: Any) -> tf.Tensor:
    """The weights that a gradient belongs to: the same rows for a sparse one, else all."""
    return (
        tf.gather(variable, gradient.indices)
        if isinstance(gradient, tf.IndexedSlices)
        else tf.convert_to_tensor(variable)
    )
