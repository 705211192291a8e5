"""The network of a sequence-to-sequence model: encoder, decoder, and the probabilities of symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from seqtag.data.text.symbols import END
from seqtag.seq2seq.network.decoder import Decoded, StepState, TargetDecoder
from seqtag.seq2seq.network.encoder import Encoded, SourceEncoder

# The probability of a symbol is no smaller: its logarithm stays finite.
SMALLEST = 1e-30


class Likelihood(NamedTuple):
    """What a network says of targets.

    Attributes:
        log_probabilities: of each symbol given those before it `(batch, time)`; padding has some value too.
        smoothed: the mean of the log probabilities of all symbols at each step `(batch, time)`.
        weights: of the attention `(batch, time, steps)`; None without attention.
    """

    log_probabilities: tf.Tensor
    smoothed: tf.Tensor
    weights: tf.Tensor | None


class Step(NamedTuple):
    """What a search carries from symbol to symbol; see `TargetDecoder.step`."""

    encoded: Encoded
    memory: Any


@keras.saving.register_keras_serializable(package="seqtag")
class Seq2SeqNetwork(keras.Model):
    """p(y_t | y_{<t}, x): an encoder, a decoder that attends to it, and a softmax over the target's symbols.

    With `copies` (See, Liu and Manning 2017, section 2.2), a gate p = σ([o_t; e_t] w + b) weighs the softmax against
    the attention's weights: p(y_t) = p softmax_t(y_t) + (1 - p) Σ_{s: x_s = y_t} a_ts, so that symbols that only the
    source has can be told.

    Args:
        num_targets: rows of the vocabulary of targets, of which row 0 is the end.
        encoder: arguments of `SourceEncoder`.
        decoder: arguments of `TargetDecoder`, but for `num_symbols`.
        frame_width: numbers of a frame, where sources are frames.
        copies: whether symbols are copied from the source; needs attention.
        label_smoothing: share ε of each step that is spread over all symbols in the loss (Szegedy et al. 2016).

    Call arguments:
        batch: see `assemble_batch`, with targets.

    Returns:
        `Likelihood`.
    """

    def __init__(
        self,
        num_targets: int,
        encoder: dict[str, Any],
        decoder: dict[str, Any],
        frame_width: int | None = None,
        copies: bool = False,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_targets = num_targets
        self.arguments = {"encoder": dict(encoder), "decoder": dict(decoder)}
        self.frame_width = frame_width
        self.copies = copies
        self.label_smoothing = label_smoothing
        self.encoder = SourceEncoder(**encoder, name="encoder")
        self.decoder = TargetDecoder(num_targets, **decoder, name="decoder")
        self.output_dropout = keras.layers.SpatialDropout1D(decoder["dropout"], name="output_dropout")
        self.scores = keras.layers.Dense(num_targets, name="scores")
        self.seed = keras.random.SeedGenerator()
        # Whether training replaces a share of a target's symbols by the network's own; the step's graph depends on it.
        self.reads_own_symbols = False
        self.gate: Any = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="gate") if copies else None

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        # The share of a target's symbols that training replaces by the network's own.
        self.own_share = self.add_weight(
            name="own_share", shape=(), initializer="zeros", dtype="float32", trainable=False, autocast=False
        )
        self.encoder.build(self.frame_width)
        directions = self.encoder.stack[-1].forward_layer
        states = 2 * len(directions.state_size) * directions.units
        self.decoder.build(2 * directions.units, states)
        self.scores.build((None, None, self.decoder.units))
        if self.gate is not None:
            self.gate.build((None, None, self.decoder.units + self.decoder.embedding_dim))
        self.built = True

    def call(self, batch: Mapping[str, tf.Tensor], training: bool = False) -> Likelihood:
        """The likelihood of the batch's targets."""
        encoded = self.encoder(batch, training=training)
        mixes = training and self.reads_own_symbols
        before = self._mixed(batch, encoded) if mixes else shifted(batch["target"])
        decoded = self.decoder(self.known(before), encoded, training=training)
        return self._likelihood(batch, before, decoded, training)

    def _mixed(self, batch: Mapping[str, tf.Tensor], encoded: Encoded) -> tf.Tensor:
        """Targets, in which each symbol is with probability `own_share` one that the network draws in its place.

        Whatever is read at a step, the target's own symbol is to be learned next (Bengio et al. 2015, section 2.4).
        """
        memory = self.decoder.memory(encoded)
        rows, steps = tf.unstack(tf.shape(batch["target"]))
        # The network's own generator is a part of its state: a resumed fit draws what an uninterrupted one does.
        chances = keras.random.uniform((2, steps, rows), seed=self.seed)

        def step(t: tf.Tensor, symbols: tf.Tensor, state: StepState, read: tf.TensorArray) -> tuple:
            read = read.write(t, symbols)
            log_probabilities, state = self.step(symbols, state, encoded, memory, batch.get("copied"))
            drawn = _drawn(log_probabilities, chances[0, t])
            return t + 1, tf.where(chances[1, t] < self.own_share.value, drawn, batch["target"][:, t]), state, read

        state = self.decoder.initial_state(encoded, memory)
        start = tf.fill(tf.shape(batch["source_lengths"]), END)
        read = tf.TensorArray(tf.int32, steps)
        *_, read = tf.while_loop(lambda t, *_: t < steps, step, (0, start, state, read))
        return tf.stop_gradient(tf.transpose(read.stack()))

    def _likelihood(
        self, batch: Mapping[str, tf.Tensor], before: tf.Tensor, decoded: Decoded, training: bool
    ) -> Likelihood:
        target = batch["target"]
        hidden = self.output_dropout(decoded.hidden, training=training)
        logits = ops.cast(self.scores(hidden), "float32")
        total = ops.logsumexp(logits, axis=-1)
        known = ops.take_along_axis(logits, self.known(target)[..., None], axis=-1)[..., 0] - total
        smoothed = ops.mean(logits, axis=-1) - total
        if self.gate is None:
            return Likelihood(known, smoothed, decoded.weights)
        gate = self._gate(hidden, before)
        copied = batch["copied"][:, None] == target[..., None]
        by_copy = ops.sum(ops.where(copied, decoded.weights, 0.0), axis=-1)
        in_vocabulary = ops.cast(target < self.num_targets, "float32")
        probability = gate * in_vocabulary * ops.exp(known) + (1 - gate) * by_copy
        return Likelihood(ops.log(ops.maximum(probability, SMALLEST)), smoothed, decoded.weights)

    def _gate(self, hidden: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
        vectors = ops.cast(self.decoder.vectors(self.known(symbols)), hidden.dtype)
        return self.gate(ops.cast(ops.concatenate([hidden, vectors], axis=-1), "float32"))[..., 0]

    def known(self, symbols: tf.Tensor) -> tf.Tensor:
        """Symbols as the vocabulary has them: a copied one that it lacks is unknown."""
        return tf.where(symbols < self.num_targets, symbols, 1)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> tf.Tensor:
        """Negative log-likelihood per symbol, smoothed, of the targets with their ends."""
        mask = target_mask(x)
        smoothing = self.label_smoothing
        values = (1 - smoothing) * y_pred.log_probabilities + smoothing * y_pred.smoothed
        loss = -ops.sum(ops.where(mask, values, 0.0)) / ops.cast(
            ops.maximum(ops.sum(x["target_lengths"]), 1), "float32"
        )
        return loss + ops.sum(self.losses) if self.losses else loss

    def begin(self, batch: Mapping[str, tf.Tensor]) -> tuple[Encoded, Any, StepState]:
        """A source as the steps of a search read it, and the state before the first symbol."""
        encoded = self.encoder(batch)
        memory = self.decoder.memory(encoded)
        return encoded, memory, self.decoder.initial_state(encoded, memory)

    def step(
        self, symbols: tf.Tensor, state: StepState, encoded: Encoded, memory: Any, copied: tf.Tensor | None
    ) -> tuple[tf.Tensor, StepState]:
        """The log probabilities of what follows symbols `(rows,)`, and the new state.

        They are `(rows, symbols)`; with copying the rows of the source's places follow those of the vocabulary.
        """
        hidden, weights, state = self.decoder.step(self.known(symbols), state, memory)
        logits = ops.log_softmax(ops.cast(self.scores(hidden), "float32"), axis=-1)
        if self.gate is None:
            return logits, state
        gate = self._gate(hidden, symbols)[:, None]
        generated = gate * ops.exp(logits)
        width = self.num_targets + tf.shape(weights)[1]
        repeats = tf.shape(weights)[0] // tf.shape(copied)[0]
        places = tf.repeat(copied, repeats, axis=0)
        rows = tf.broadcast_to(tf.range(tf.shape(places)[0])[:, None], tf.shape(places))
        by_copy = tf.scatter_nd(tf.stack([rows, places], axis=-1), (1 - gate) * weights, (tf.shape(places)[0], width))
        beyond = tf.zeros((tf.shape(generated)[0], tf.shape(weights)[1]))
        return tf.math.log(tf.maximum(tf.concat([generated, beyond], axis=1) + by_copy, SMALLEST)), state

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_targets": self.num_targets,
            **self.arguments,
            "frame_width": self.frame_width,
            "copies": self.copies,
            "label_smoothing": self.label_smoothing,
        }


def _drawn(log_probabilities: tf.Tensor, chances: tf.Tensor) -> tf.Tensor:
    """A symbol of each row `(rows, symbols)`, drawn by chances from 0 to 1 `(rows,)`."""
    below = tf.cumsum(tf.exp(log_probabilities), axis=1) < chances[:, None]
    return tf.minimum(tf.reduce_sum(tf.cast(below, tf.int32), axis=1), tf.shape(below)[1] - 1)


def shifted(target: tf.Tensor) -> tf.Tensor:
    """What stands before each symbol of targets: the start, and the symbols but the last one."""
    return tf.pad(target[:, :-1], [[0, 0], [1, 0]], constant_values=END)


def target_mask(batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """`(batch, time)` bool, True where a target has a symbol or its end."""
    return tf.sequence_mask(batch["target_lengths"], tf.shape(batch["target"])[1])


def summed_log_probabilities(likelihoods: Sequence[Likelihood], batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The log probability of each target `(batch,)` by the mean of several networks' probabilities."""
    stacked = tf.stack([one.log_probabilities for one in likelihoods])
    mean = tf.reduce_logsumexp(stacked, axis=0) - tf.math.log(float(len(likelihoods)))
    return tf.reduce_sum(tf.where(target_mask(batch), mean, 0.0), axis=1)
