"""What a language model of characters knows at each word of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from seqtag.data.text.vocabulary import BOUNDARY
from seqtag.models.language_network.network import LanguageNetwork

# The entry of a batch with states that were computed before.
STATES = "language_states"


@keras.saving.register_keras_serializable(package="seqtag")
class WordStates(keras.layers.Layer):
    """The hidden states of a language model of characters at the words of sentences (Peters et al. 2017).

    The words of a sentence are one text, with a space after each. The vector of word i is

        v_i = [f_i; b_i],

    where f_i is the state of the forward network at the space after the word, and b_i the state of the backward
    network, which reads the text from its end, at the space before the word (Akbik, Blythe and Vollgraf 2018). At the
    space, and not yet at the last character, a network knows that the word is complete: "cat" also begins "cattle".
    Without a backward network v_i is f_i. Each sentence is read from a state of zeros.

    Args:
        networks: the forward network and, where there is one, the backward network.
        space: the row of the space in the vocabulary of characters.
        tuned: whether the networks are trained along; otherwise no gradient reaches them.

    Call arguments:
        batch: dict of `symbols (distinct, characters)`, rows of the characters of the distinct words, 0 beyond a
            word's end; `word_rows (batch, time)`, each token's row among them; and `lengths (batch,)`. Or of
            `language_states (batch, time, width)` that were computed before.

    Returns:
        `(batch, time, width)`, zeros beyond the length of a sentence.
    """

    def __init__(self, networks: Sequence[LanguageNetwork], space: int, tuned: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.networks = list(networks)
        self.space = space
        self.tuned = tuned

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        for network in self.networks:
            if not network.built:
                network.build()
            # Also where this layer is a part of one that is trained. No state comes from what is above the reader.
            network.trainable = self.tuned
            for above in filter(None, (network.projection, network.softmax)):
                above.trainable = False
        self.built = True

    @property
    def width(self) -> int:
        """Width of the vectors."""
        return sum(network.reader.width for network in self.networks)

    @property
    def constant_weights(self) -> list[keras.Variable]:
        """All weights, where they are not trained: a checkpoint need not hold them."""
        return [] if self.tuned else self.variables

    def fill(self, networks: Sequence[LanguageNetwork]) -> None:
        """Takes over the weights of networks of the same shapes."""
        if not self.built:
            self.build()
        for own, other in zip(self.networks, networks, strict=True):
            for variable, original in zip(own.variables, other.variables, strict=True):
                variable.assign(original.value)

    def call(self, batch: dict, training: bool = False) -> Any:
        """The vectors of the words of a batch."""
        if STATES in batch:
            return ops.cast(batch[STATES], self.compute_dtype)
        symbols, rows, lengths = batch["symbols"], batch["word_rows"], batch["lengths"]
        training = training and self.tuned
        parts = [self._states(self.networks[0], symbols, rows, lengths, training)]
        for network in self.networks[1:]:
            turned = tf.reverse_sequence(symbols, _sizes(symbols), seq_axis=1)
            from_end = tf.reverse_sequence(rows, lengths, seq_axis=1)
            states = self._states(network, turned, from_end, lengths, training)
            parts.append(tf.reverse_sequence(states, lengths, seq_axis=1))
        states = ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)
        return states if self.tuned else ops.stop_gradient(states)

    def _states(self, network: LanguageNetwork, symbols: Any, rows: Any, lengths: Any, training: bool) -> Any:
        """The states `(batch, time, units)` of one network at the space after each word."""
        sizes, real = _sizes(symbols), tf.sequence_mask(lengths, tf.shape(rows)[1])
        texts = tf.pad(_texts(_with_space(symbols, sizes, self.space), sizes + 1, rows, real), [[0, 0], [1, 0]])
        hidden = network.read(texts, network.reader.zero_state(tf.shape(rows)[0]), training).hidden
        # The boundary before the text is at place 0, the space after the first word at its size plus 1.
        places = tf.cumsum(tf.where(real, tf.gather(sizes + 1, rows), 0), axis=1)
        states = tf.gather(hidden, places, batch_dims=1)
        return tf.where(real[..., None], states, tf.zeros_like(states))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        networks = [keras.saving.serialize_keras_object(network) for network in self.networks]
        return {**super().get_config(), "networks": networks, "space": self.space, "tuned": self.tuned}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WordStates:
        """The layer that `get_config` described."""
        networks = [keras.saving.deserialize_keras_object(network) for network in config["networks"]]
        return cls(**{**config, "networks": networks})


def _sizes(symbols: tf.Tensor) -> tf.Tensor:
    """How many characters each word has, int32 `(distinct,)`."""
    return tf.math.count_nonzero(symbols, axis=1, dtype=tf.int32)


def _with_space(symbols: tf.Tensor, sizes: tf.Tensor, space: int) -> tf.Tensor:
    """The rows of words `(distinct, characters + 1)` with a space after the last character of each."""
    padded = tf.pad(symbols, [[0, 0], [0, 1]])
    is_end = tf.range(tf.shape(padded)[1])[None] == sizes[:, None]
    return tf.where(is_end, tf.cast(space, symbols.dtype), padded)


def _texts(spelt: tf.Tensor, sizes: tf.Tensor, rows: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """The characters of sentences one after the other, int32 `(batch, most)`, with boundaries beyond their ends.

    Args:
        spelt: int32 `(distinct, characters)`.
        sizes: `(distinct,)`, how many of them count.
        rows: `(batch, time)`, the row of each token's word.
        real: `(batch, time)` bool, where tokens are.
    """
    words = tf.boolean_mask(rows, real)
    characters = tf.RaggedTensor.from_tensor(tf.gather(spelt, words), lengths=tf.gather(sizes, words))
    lengths = tf.reduce_sum(tf.cast(real, tf.int64), axis=1)
    sentences = tf.RaggedTensor.from_row_lengths(characters, lengths, validate=False)
    return sentences.merge_dims(1, 2).to_tensor(BOUNDARY)
