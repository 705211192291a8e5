"""A function of a batch as a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class Traced:
    """Calls a function by a graph, which is traced once, for batches of any size.

    Args:
        function: takes and gives tensors, alone or in dictionaries and lists, whose first axis is the batch. All calls
            give it the same structure.
        free_axes: how many first axes of the arguments may have another size at each call: 1 for the batch alone, 2
            where the steps of sequences may differ too.

    Example:
        >>> double = Traced(lambda batch: 2 * batch["x"])
        >>> double({"x": tf.constant([1.0, 2.0])}).numpy(), double({"x": tf.constant([3.0])}).numpy()
        (array([2., 4.], dtype=float32), array([6.], dtype=float32))
    """

    def __init__(self, function: Callable[..., Any], free_axes: int = 1) -> None:
        self._function = function
        self._free_axes = free_axes
        self._graph: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives."""
        if self._graph is None:
            specs = tf.nest.map_structure(self._spec, arguments)
            # Not a part of the graph that is traced when it is called first.
            with tf.init_scope():
                self._graph = tf.function(self._function, autograph=False).get_concrete_function(*specs)
        return self._graph(*arguments)

    def _spec(self, tensor: tf.Tensor) -> tf.TensorSpec:
        free = min(self._free_axes, tensor.shape.rank)
        return tf.TensorSpec([*[None] * free, *tensor.shape[free:]], tensor.dtype)
