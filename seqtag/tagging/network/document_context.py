"""What the same word's other places in a document say of a token."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="seqtag")
class DocumentContext(keras.layers.Layer):
    """Adds the mean state of the same word elsewhere in the document, through a gate, to a token's own state.

    For a token with the state `h`, and `m` the mean of the states of the other tokens of its document that are the same
    word,

        g = sigmoid([h; m] W_g + b_g),
        h' = h + g * tanh(m W + b).

    A word that stands once in its document keeps its state. A sentence that says clearly what a name is so helps those
    that do not (Krishnan and Manning 2006; as pooled states Akbik et al. 2019).

    Training leaves the context out of a share of the sentences, as whole rows, so that the network also knows sentences
    that come alone. Nothing is scaled, as for words that stand once.

    Args:
        alone: that share.

    Call arguments:
        hidden: `(batch, time, units)`.
        words: `(batch, time)` int32, equal for equal words of one document; see `document_words`.
        mask: `(batch, time)` bool, True where a token is.

    Returns:
        `(batch, time, units)`.
    """

    def __init__(self, alone: float = 0.25, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alone = alone
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True
        self.gate: keras.layers.Dense
        self.states: keras.layers.Dense

    def build(self, input_shape: Any) -> None:
        """Creates the weights for states of this width."""
        units = input_shape[-1]
        # A gate that is mostly shut at first: a network begins as one without documents.
        shut = keras.initializers.Constant(-1.0)
        self.gate = keras.layers.Dense(units, "sigmoid", bias_initializer=shut, dtype=self.dtype_policy, name="gate")
        self.states = keras.layers.Dense(units, "tanh", dtype=self.dtype_policy, name="states")
        self.gate.build((None, None, 2 * units))
        self.states.build((None, None, units))

    def call(self, hidden: tf.Tensor, words: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The states with what other places say."""
        others, found = mean_of_others(hidden, words, mask)
        if training and self.alone:
            found &= keras.random.uniform((tf.shape(hidden)[0], 1), seed=self.seed_generator) >= self.alone
        gate = self.gate(tf.concat([hidden, others], axis=-1))
        return hidden + tf.where(found[..., None], gate * self.states(others), 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "alone": self.alone}


def mean_of_others(hidden: tf.Tensor, words: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The mean `(batch, time, units)` of the states of the other tokens with the same number, and where there are any.

    It is 0 where there are none.
    """
    real = tf.cast(mask, tf.float32)
    states = tf.cast(hidden, tf.float32) * real[..., None]
    numbers = tf.reshape(words, [-1])
    count = tf.reduce_max(tf.concat([numbers, [0]], axis=0)) + 1
    sums = tf.math.unsorted_segment_sum(tf.reshape(states, [-1, hidden.shape[-1]]), numbers, count)
    times = tf.math.unsorted_segment_sum(tf.reshape(real, [-1]), numbers, count)
    others = tf.gather(times, words) - real
    found = mask & (others > 0)
    mean = (tf.gather(sums, words) - states) / tf.maximum(others, 1.0)[..., None]
    return tf.cast(tf.where(found[..., None], mean, 0.0), hidden.dtype), found
