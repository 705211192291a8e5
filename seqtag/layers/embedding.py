"""An embedding that reads the rows of a batch alone."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqtag.keras_internals import table_rows


@keras.saving.register_keras_serializable(package="seqtag")
class Embedding(keras.layers.Embedding):
    """`keras.layers.Embedding`, with its arguments, numbers and weight files, at a price that does not grow with it.

    Keras's own reads the whole table and takes rows from that. TensorFlow copies a table for this, once rows of it have
    been written: 400,000 rows of 300 at every look-up in training and after it.

    Example:

        >>> table = Embedding(5, 2, embeddings_initializer="ones")
        >>> table(ops.array([[1, 4]])).numpy().tolist()
        [[[1.0, 1.0], [1.0, 1.0]]]
    """

    def call(self, inputs: Any) -> Any:
        """The rows of the inputs."""
        table = self.embeddings
        if not isinstance(table, keras.Variable):
            # A sum of matrices: `enable_lora` was called.
            return super().call(inputs)
        if ops.dtype(inputs) not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(table_rows(table, inputs), self.compute_dtype)
