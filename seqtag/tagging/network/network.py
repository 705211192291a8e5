"""The network of a tagger: token vectors, a recurrent stack, emissions, and a head that scores whole tag sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from seqtag.data.text.word_features import NUM_HASHED
from seqtag.keras_internals import set_untracked
from seqtag.layers import CRF, Bidirectional
from seqtag.models.recurrent import recurrent_layer
from seqtag.models.word_representation import WordRepresentation
from seqtag.ops import crf
from seqtag.tagging.network.context_features import ContextFeatures
from seqtag.tagging.network.softmax_head import SoftmaxHead
from seqtag.tagging.network.tag_distribution import TagDistribution


@keras.saving.register_keras_serializable(package="seqtag")
class TaggerNetwork(keras.Model):
    """Word representation -> variational dropout -> bidirectional recurrent stack -> emissions -> CRF or softmax.

    Args:
        representation: arguments of `WordRepresentation`.
        num_tags: how many tags there are.
        constraints: boolean tables of legal starts (tags,), transitions (tags, tags) and ends (tags,); None for all.
        cell: `"simple_rnn"`, `"peephole_lstm"`, `"lstm"` or `"gru"`.
        units: of each direction of each recurrent layer.
        layers: how many bidirectional layers.
        head: `"crf"` or `"softmax"`; both decode under the constraints.
        tag_costs: the cost of missing each tag in the training of a CRF (tags,); see `CRF`.
        dropout: of the token vectors and of each recurrent layer's output, with the same mask at all steps (Gal and
            Ghahramani 2016).
        recurrent_dropout: of the hidden state before the next step, with the same mask at all steps too.
        context_features: whether the words around a token and its spelling also score its tags without the recurrent
            layers; see `ContextFeatures`.
        kept_rows: for each table that is stored without its zero rows, by its name: how many rows it keeps. Set by
            `compacted` of `seqtag.tagging.network.compaction`.

    Call arguments:
        batch: see `WordRepresentation`, and `lengths (batch,)`.

    Returns:
        Emissions `(batch, time, num_tags)` in float32.
    """

    def __init__(
        self,
        representation: dict[str, Any],
        num_tags: int,
        constraints: Sequence | None = None,
        cell: str = "peephole_lstm",
        units: int = 200,
        layers: int = 1,
        head: str = "crf",
        tag_costs: Sequence[float] | None = None,
        dropout: float = 0.5,
        recurrent_dropout: float = 0.0,
        context_features: bool = True,
        kept_rows: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._representation_keys = sorted(representation)
        self.num_tags = num_tags
        self.constraints = constraints
        self.cell = cell
        self.units = units
        self.num_layers = layers
        self.head_kind = head
        self.tag_costs = tag_costs
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.has_context_features = context_features
        self.kept_rows = dict(kept_rows or {})
        self.representation = WordRepresentation(**representation, kept_rows=self.kept_rows, name="representation")
        self.input_dropout = keras.layers.SpatialDropout1D(dropout, name="input_dropout")
        self.stack = [_bidirectional(cell, units, recurrent_dropout, f"recurrent_{n}") for n in range(layers)]
        self.dropouts = [keras.layers.SpatialDropout1D(dropout, name=f"dropout_{n}") for n in range(layers)]
        self.context_features = None
        if context_features:
            self.context_features = ContextFeatures(
                representation["num_words"],
                representation["num_buckets"],
                num_tags,
                kept_rows=self.kept_rows,
                dtype="float32",
                name="context_features",
            )
        self.emission = keras.layers.Dense(num_tags, dtype="float32", name="emission")
        self.head = _head(head, constraints, tag_costs)
        # As arrays: a long nested list is slow to convert.
        tables = None if constraints is None else [np.array(table) for table in constraints]
        set_untracked(self, "constraint_tables", tables)
        set_untracked(self, "_graphs", {})

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.representation.build()
        width = self.representation.output_units
        for layer in self.stack:
            layer.build((None, None, width))
            width = layer.compute_output_shape((None, None, width))[-1]
        self.emission.build((None, None, width))
        if self.context_features is not None:
            self.context_features.build()
        self.head.build((None, None, self.num_tags))
        self.built = True

    @property
    def tables(self) -> dict[str, keras.layers.Layer]:
        """The embeddings by name: those of the words, of the hashed spelling and of further columns."""
        context = [] if self.context_features is None else self.context_features.tables
        return {table.name: table for table in [*self.representation.tables, *context]}

    def call(self, batch: dict, training: bool = False) -> tf.Tensor:
        """Emissions `(batch, time, num_tags)`."""
        vectors = self.representation(batch, training=training)
        # A recurrence needs at least one step; a batch of empty sentences has none.
        steps = tf.shape(vectors)[1]
        vectors = tf.pad(vectors, [[0, 0], [0, tf.cast(steps == 0, tf.int32)], [0, 0]])
        mask = tf.sequence_mask(batch["lengths"], tf.shape(vectors)[1])
        hidden = self.input_dropout(vectors, training=training)
        for layer, dropout in zip(self.stack, self.dropouts, strict=True):
            hidden = dropout(layer(hidden, mask=mask, training=training), training=training)
        emissions = self.emission(hidden[:, :steps])
        if self.context_features is not None:
            emissions += self.context_features(batch, mask=mask[:, :steps], training=training)
        return emissions

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> tf.Tensor:
        """Negative log-likelihood per token of the tags `y (batch, time)`, -1 where unknown.

        Where `y` is `(batch, time, num_tags)` bool, it says which tags each token may have.

        The sum over the batch is divided by the number of its tokens, so that a batch counts the same whether its
        sentences are short or long. `sample_weight (batch,)` is how often a sentence counts in the sum.
        """
        loss_of = self.head.negative_log_likelihood if len(y.shape) == 2 else self.head.loss_within
        losses = loss_of(y_pred, y, mask=sequence_mask(x))
        if sample_weight is not None:
            losses = losses * ops.cast(sample_weight, losses.dtype)
        tokens = ops.maximum(ops.sum(x["lengths"]), 1)
        loss = ops.sum(losses) / ops.cast(tokens, losses.dtype)
        return loss + ops.sum(self.losses) if self.losses else loss

    def decode(self, batch: dict) -> dict[str, tf.Tensor]:
        """The best legal `tags (batch, time)` int32 of a batch, 0 at padding, and the `emissions`, by a graph."""
        found: dict[str, tf.Tensor] = self._by_graph(self._decoded, batch)
        return found

    def distribution(self, emissions: tf.Tensor, lengths: tf.Tensor, temperature: float = 1.0) -> TagDistribution:
        """The distribution over legal tag sequences that the emissions of a batch give."""
        scores = crf.constrain(self.head.scores, self.constraint_tables)
        return TagDistribution(emissions, lengths, scores, temperature)

    def marginals(self, batch: dict, temperature: float = 1.0) -> tf.Tensor:
        """The probability of every tag, `(batch, time, num_tags)`."""
        return self.distribution(self.decode(batch)["emissions"], batch["lengths"], temperature).marginals()

    def tag(self, batch: dict, temperature: float = 1.0) -> dict[str, tf.Tensor]:
        """The best legal tags and their probabilities.

        It returns `tags (batch, time)` int32, 0 at padding; `scores (batch, time)`, the probability of each tag; and
        `continuations (batch, time)`, the probability of each tag given the tag before it. The probability of a span is
        its first score times the continuations of its other tokens.
        """
        decoded = self.decode(batch)
        scores, continuations = self.path_probabilities(decoded, batch["lengths"], temperature)
        return {"tags": decoded["tags"], "scores": scores, "continuations": continuations}

    def path_probabilities(
        self, decoded: dict[str, tf.Tensor], lengths: tf.Tensor, temperature: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The scores and continuations of what `decode` gave; see `tag`."""
        distribution = self.distribution(decoded["emissions"], lengths, temperature)
        return distribution.path_probabilities(decoded["tags"])

    def _decoded(self, batch: dict) -> dict[str, tf.Tensor]:
        emissions = self(batch, training=False)
        return {"tags": self.head.decode(emissions, mask=sequence_mask(batch)), "emissions": emissions}

    def _by_graph(self, function: Callable, batch: dict) -> Any:
        """What a function gives for a batch, by a graph that is traced for all lengths when it is first asked for.

        Keras reads every attribute of a network that it saves or loads: none of them may trace a graph.
        """
        shapes = {"words": [None], "chars": [None, None], "buckets": [None, NUM_HASHED], "word_rows": [None, None]}
        shapes["lengths"] = [None]
        if self.representation.vectors is not None:
            shapes["vectors"] = [None, None]
        if self.representation.column_sizes:
            shapes["columns"] = [None, None, len(self.representation.column_sizes)]
        name = function.__name__
        if name not in self._graphs:
            signature = {name: tf.TensorSpec(shape, tf.int32) for name, shape in shapes.items()}
            # The one graph that there is: calls of it are not watched for tracing often, which TensorFlow would warn of
            # where many networks in a process are traced once each.
            with tf.init_scope():
                self._graphs[name] = tf.function(function, input_signature=[signature]).get_concrete_function()
        # A batch may hold tags too; the graph does not take them.
        return self._graphs[name]({name: batch[name] for name in shapes})

    def get_config(self) -> dict:
        """The constructor's arguments."""
        representation = self.representation.get_config()
        return {
            **super().get_config(),
            "representation": {key: representation[key] for key in self._representation_keys},
            "num_tags": self.num_tags,
            "constraints": self.constraints,
            "cell": self.cell,
            "units": self.units,
            "layers": self.num_layers,
            "head": self.head_kind,
            "tag_costs": self.tag_costs,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "context_features": self.has_context_features,
            "kept_rows": self.kept_rows,
        }


def sequence_mask(batch: dict) -> tf.Tensor:
    """`(batch, time)` bool, True where a token is."""
    steps = ops.arange(ops.shape(batch["word_rows"])[1], dtype="int32")
    return steps[None, :] < ops.cast(batch["lengths"], "int32")[:, None]


def _head(kind: str, constraints: Sequence | None, tag_costs: Sequence[float] | None) -> CRF | SoftmaxHead:
    if kind == "crf":
        return CRF(constraints=constraints, tag_costs=tag_costs, dtype="float32", name="head")
    if kind != "softmax":
        raise ValueError(f"expected head to be 'crf' or 'softmax', found {kind!r}")
    if tag_costs is not None:
        raise ValueError(f"expected tag_costs with head='crf' alone, found head={kind!r}")
    return SoftmaxHead(constraints=constraints, dtype="float32", name="head")


def _bidirectional(cell: str, units: int, recurrent_dropout: float, name: str) -> Bidirectional:
    # Named, so that reports have the same names for its weights in every run.
    layer = recurrent_layer(cell, units, return_sequences=True, recurrent_dropout=recurrent_dropout, name=cell)
    return Bidirectional(layer, name=name)
