"""Adam and Nadam whose step on an embedding takes time in proportion to the rows of the batch, not to the vocabulary.

Keras's own read and write whole tables at every step. Here the gradient of an embedding stays the rows that the batch
looked up, and the moments of another row wait until that row is looked up again. Clip with
`seqtag.callbacks.GradientClipping`: Keras's own arguments for it make the gradient dense.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from seqtag.callbacks.row_gradients import merge_rows
from seqtag.config.fitting import FittingConfig
from seqtag.keras_internals import adam_moments, nadam_product


class RowUpdates(keras.optimizers.Optimizer):
    """The lazy update of both optimizers; a base before a Keras optimizer that has momentums and velocities."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable, or the rows of it that the gradient holds."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = merge_rows(gradient)
        rows, g = gradient.indices, gradient.values
        averages = adam_moments(self, variable)
        m = _move_rows(averages[0].value, rows, g, 1 - self.beta_1)
        v = _move_rows(averages[1].value, rows, tf.square(g), 1 - self.beta_2)
        step = tf.cast(self.iterations + 1, g.dtype)
        direction = self._direction(m, v, g, step)
        # On TensorFlow, Keras passes the variable that its own holds.
        table = variable.value if isinstance(variable, keras.Variable) else variable
        table.scatter_sub(tf.IndexedSlices(tf.cast(learning_rate, g.dtype) * direction, rows))


def _move_rows(table: tf.Variable, rows: tf.Tensor, towards: tf.Tensor, rate: float) -> tf.Tensor:
    """Moves rows of an average by the share `rate` of the way to `towards`, and returns them."""
    old = tf.gather(table, rows)
    new = old + rate * (towards - old)
    table.scatter_update(tf.IndexedSlices(new, rows))
    return new


@keras.saving.register_keras_serializable(package="seqtag")
class RowAdam(RowUpdates, keras.optimizers.Adam):
    """Adam (Kingma and Ba 2015), lazy on the rows of embeddings; takes Keras's arguments."""

    def _direction(self, m: tf.Tensor, v: tf.Tensor, g: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        # As Keras has it: epsilon is added before the correction of v's bias (the end of the paper's section 2).
        return tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step) * m / (tf.sqrt(v) + self.epsilon)


@keras.saving.register_keras_serializable(package="seqtag")
class RowNadam(RowUpdates, keras.optimizers.Nadam):
    """Adam with Nesterov momentum (Dozat 2016), lazy on the rows of embeddings; takes Keras's arguments."""

    def _direction(self, m: tf.Tensor, v: tf.Tensor, g: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        u_now, u_next = (self.beta_1 * (1 - 0.5 * 0.96**t) for t in (step, step + 1))
        product = tf.cast(nadam_product(self), g.dtype)
        m_hat = u_next * m / (1 - product * u_next) + (1 - u_now) * g / (1 - product)
        return m_hat / (tf.sqrt(v / (1 - self.beta_2**step)) + self.epsilon)


def build_optimizer(settings: FittingConfig) -> keras.optimizers.Optimizer:
    """The optimizer of the settings; it does not clip."""
    match settings.optimizer:
        case "adam":
            return RowAdam(settings.learning_rate)
        case "nadam":
            return RowNadam(settings.learning_rate)
        case _:
            return keras.optimizers.SGD(settings.learning_rate, momentum=settings.momentum)
