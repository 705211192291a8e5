"""A network in training: its state is carried from batch to batch, its loss is that of the next symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqtag.models.language_network.network import LanguageNetwork


class Predicted(NamedTuple):
    """Log-probabilities of the targets `(rows, steps)`, and where there are targets, bool `(rows, steps)`."""

    log_probabilities: tf.Tensor
    real: tf.Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class StreamTraining(keras.Model):
    """Truncated backpropagation through time over a stream of batches (Williams and Peng 1990).

    Each row of a batch goes on where that of the batch before ended: the state is carried over, the gradient is not.
    A row that is fresh starts from a state of zeros. The state is a variable of this model, and so in its checkpoints.

    Args:
        network: a built network; its weights are trained.
        rows: of each batch.
    """

    def __init__(self, network: LanguageNetwork, rows: int) -> None:
        super().__init__()
        self.network = network
        self.carried = [
            self.add_weight(
                name=f"state_{n}",
                shape=(rows, width),
                dtype=dtype,
                initializer="zeros",
                trainable=False,
                autocast=False,
            )
            for n, (width, dtype) in enumerate(network.reader.state_specs())
        ]
        self.built = True

    def call(self, batch: Mapping[str, tf.Tensor], training: bool = False) -> Predicted:
        """Reads a batch of `StreamBatches`, and keeps the state after it."""
        fresh = batch["fresh"][:, None]
        state = [tf.where(fresh, tf.zeros_like(value), value) for value in map(tf.convert_to_tensor, self.carried)]
        read = self.network.read(batch["symbols"], state, training)
        for variable, value in zip(self.carried, read.state, strict=True):
            variable.assign(tf.cast(value, variable.dtype))
        real = tf.sequence_mask(batch["lengths"], tf.shape(batch["targets"])[1])
        return Predicted(self.network.of_targets(read.hidden, batch["targets"]), real)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> tf.Tensor:
        """The mean cross-entropy of the targets, in nats."""
        real = tf.cast(y_pred.real, tf.float32)
        return -tf.reduce_sum(y_pred.log_probabilities * real) / tf.maximum(tf.reduce_sum(real), 1.0)
