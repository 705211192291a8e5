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

    Example:
        >>> double = Traced(lambda batch: 2 * batch["x"])
        >>> double({"x": tf.constant([1.0, 2.0])}).numpy(), double({"x": tf.constant([3.0])}).numpy()
        (array([2., 4.], dtype=float32), array([6.], dtype=float32))
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._graph: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives."""
        if self._graph is None:
            specs = tf.nest.map_structure(_spec, arguments)
            # Not a part of the graph that is traced when it is called first.
            with tf.init_scope():
                self._graph = tf.function(self._function).get_concrete_function(*specs)
        return self._graph(*arguments)


def _spec(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)
