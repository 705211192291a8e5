"""The network of a classifier: vectors of steps, a recurrent stack, pooling, and a score for each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from seqtag.classification.network.pooling import Kind, SequencePooling
from seqtag.layers import Bidirectional
from seqtag.models.recurrent import recurrent_layer
from seqtag.models.word_representation import WordRepresentation


@keras.saving.register_keras_serializable(package="seqtag")
class ClassifierNetwork(keras.Model):
    """Words or frames -> variational dropout -> bidirectional recurrent stack -> pooling -> scores of the labels.

    Args:
        num_labels: how many labels there are.
        several: whether a sequence may have several: the loss is then that of a yes or no for each label.
        representation: arguments of `WordRepresentation`, for texts.
        frame_width: how many numbers a frame has, for frames.
        cell: `"simple_rnn"`, `"peephole_lstm"`, `"lstm"` or `"gru"`.
        units: of each direction of each recurrent layer.
        layers: how many bidirectional layers.
        pooling: the kind of `SequencePooling`.
        dropout: of the vectors of words and of each recurrent layer's output, with the same mask at all steps (Gal and
            Ghahramani 2016); and of the pooled vector.
        recurrent_dropout: of the hidden state before the next step, with the same mask at all steps too.
        input_noise: deviation of the normal noise that each number of a frame gets while training (Graves and
            Schmidhuber 2005).
        label_weights: how much a sequence of each label counts in the loss; 1 for all unless given.

    Call arguments:
        batch: of texts see `WordRepresentation`, and `lengths (batch,)`; of frames `frames (batch, time, features)` and
            `lengths`.

    Returns:
        Scores `(batch, num_labels)` in float32: logits of a softmax, or of a sigmoid for each label.
    """

    def __init__(
        self,
        num_labels: int,
        several: bool = False,
        representation: dict[str, Any] | None = None,
        frame_width: int | None = None,
        cell: str = "gru",
        units: int = 64,
        layers: int = 1,
        pooling: Kind = "attention",
        dropout: float = 0.5,
        recurrent_dropout: float = 0.0,
        input_noise: float = 0.0,
        label_weights: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_labels = num_labels
        self.several = several
        self.frame_width = frame_width
        self.cell = cell
        self.units = units
        self.num_layers = layers
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.label_weights = None if label_weights is None else list(label_weights)
        self._representation_keys = sorted(representation or ())
        self.representation = None
        if representation is not None:
            self.representation = WordRepresentation(**representation, name="representation")
        self.input_noise = keras.layers.GaussianNoise(input_noise, name="input_noise")
        # A number of a frame says what no other one does.
        of_input = dropout if representation is not None else 0.0
        self.input_dropout = keras.layers.SpatialDropout1D(of_input, name="input_dropout")
        self.stack = [_bidirectional(cell, units, recurrent_dropout, f"recurrent_{n}") for n in range(layers)]
        self.dropouts = [keras.layers.SpatialDropout1D(dropout, name=f"dropout_{n}") for n in range(layers)]
        self.pooling = SequencePooling(pooling, name="pooling")
        self.pooled_dropout = keras.layers.Dropout(dropout, name="pooled_dropout")
        # Scores are summed and compared in float32, whatever the policy is.
        self.scores = keras.layers.Dense(num_labels, dtype="float32", name="scores")

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        width = self.frame_width
        if self.representation is not None:
            self.representation.build()
            width = self.representation.output_units
        for layer in self.stack:
            layer.build((None, None, width))
            width = layer.compute_output_shape((None, None, width))[-1]
        self.pooling.build((None, None, width))
        self.scores.build(self.pooling.compute_output_shape((None, None, width))[0])
        self.built = True

    def call(self, batch: dict, training: bool = False) -> Any:
        """The scores."""
        pooled, _ = self._pooled(batch, training)
        return self.scores(self.pooled_dropout(pooled, training=training))

    def attention(self, batch: dict) -> Any:
        """How much each step weighs in the pooled vector, `(batch, time)`."""
        return self._pooled(batch, training=False)[1]

    def _pooled(self, batch: dict, training: bool) -> tuple[Any, Any]:
        if self.representation is None:
            vectors = self.input_noise(batch["frames"], training=training)
        else:
            vectors = self.representation(batch, training=training)
        steps = tf.shape(vectors)[1]
        # A recurrence needs at least one step; a batch of empty sequences has none.
        vectors = tf.pad(vectors, [[0, 0], [0, tf.cast(steps == 0, tf.int32)], [0, 0]])
        mask = tf.sequence_mask(batch["lengths"], tf.shape(vectors)[1])
        hidden = self.input_dropout(vectors, training=training)
        for layer, dropout in zip(self.stack, self.dropouts, strict=True):
            hidden = dropout(layer(hidden, mask=mask, training=training), training=training)
        pooled, weights = self.pooling(hidden, mask)
        return pooled, weights[:, :steps]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The mean negative log-likelihood of the labels, each sequence weighted as its labels are.

        Args:
            x: a batch.
            y: `(batch, num_labels)` float32, 1 for the labels that a sequence has.
            y_pred: the scores.
            sample_weight: not used.
            training: not used.
        """
        weights = (
            ops.ones((self.num_labels,))
            if self.label_weights is None
            else ops.convert_to_tensor(self.label_weights, "float32")
        )
        if self.several:
            entropies = tf.nn.weighted_cross_entropy_with_logits(y, y_pred, weights)
            loss = ops.mean(ops.sum(entropies, axis=-1))
        else:
            of_sequences = ops.sum(y * weights, axis=-1)
            entropies = tf.nn.softmax_cross_entropy_with_logits(y, y_pred)
            loss = ops.sum(of_sequences * entropies) / ops.maximum(ops.sum(of_sequences), 1e-7)
        return loss + ops.sum(self.losses) if self.losses else loss

    def get_config(self) -> dict:
        """The constructor's arguments."""
        representation = None
        if self.representation is not None:
            config = self.representation.get_config()
            representation = {key: config[key] for key in self._representation_keys}
        return {
            **super().get_config(),
            "num_labels": self.num_labels,
            "several": self.several,
            "representation": representation,
            "frame_width": self.frame_width,
            "cell": self.cell,
            "units": self.units,
            "layers": self.num_layers,
            "pooling": self.pooling.kind,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "input_noise": self.input_noise.stddev,
            "label_weights": self.label_weights,
        }


def _bidirectional(cell: str, units: int, recurrent_dropout: float, name: str) -> Bidirectional:
    # Named, so that reports have the same names for its weights in every run.
    layer = recurrent_layer(cell, units, return_sequences=True, recurrent_dropout=recurrent_dropout, name=cell)
    return Bidirectional(layer, name=name)
