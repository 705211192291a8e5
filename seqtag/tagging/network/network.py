"""The network of a tagger: token vectors, a recurrent stack, emissions, and a head that scores whole tag sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from seqtag.keras_internals import set_untracked
from seqtag.layers import Bidirectional
from seqtag.models.frame_representation import FrameRepresentation
from seqtag.models.recurrent import recurrent_layer
from seqtag.models.word_representation import WordRepresentation
from seqtag.tagging.network.decoding import DecodesTags, sequence_mask
from seqtag.tagging.network.document_context import DocumentContext
from seqtag.tagging.network.tag_column import ColumnSettings, TagColumn


@keras.saving.register_keras_serializable(package="seqtag")
class TaggerNetwork(keras.Model, DecodesTags):
    """Word representation -> variational dropout -> bidirectional recurrent stack -> emissions -> CRF or softmax.

    Several columns of tags share all but emissions and head; the loss is the weighted sum of theirs.

    Args:
        representation: arguments of `WordRepresentation`, or of `FrameRepresentation`, which `frame_columns` is one of.
        num_tags, constraints: of the first column of tags; see `ColumnSettings`.
        cell: `"simple_rnn"`, `"peephole_lstm"`, `"lstm"` or `"gru"`.
        units: of each direction of each recurrent layer.
        layers: how many bidirectional layers.
        head, tag_costs, loss_weight, context_rank: of the first column of tags too.
        dropout: of the token vectors and of each recurrent layer's output, with the same mask at all steps (Gal and
            Ghahramani 2016).
        recurrent_dropout: of the hidden state before the next step, with the same mask at all steps too.
        context_features: whether the words around a token and its spelling also score its tags without the recurrent
            layers; see `ContextFeatures`.
        kept_rows: for each table that is stored without its zero rows, by its name: how many rows it keeps. Set by
            `compacted` of `seqtag.tagging.network.compaction`.
        further_columns: the arguments of `ColumnSettings` for each further column of tags.
        document_context: whether a token also reads the states of the same word elsewhere in its document; see
            `DocumentContext`.

    Attributes:
        columns: a `TagColumn` for each column of tags.

    Call arguments:
        batch: see `WordRepresentation` or `FrameRepresentation`; `lengths (batch,)`; and with context of documents
            `document_words (batch, time)`, see the function of this name.

    Returns:
        Emissions `(batch, time, num_tags)` in float32; those of several columns side by side.
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
        loss_weight: float = 1.0,
        further_columns: Sequence[Mapping[str, Any]] = (),
        document_context: bool = False,
        context_rank: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._representation_keys = sorted(representation)
        self.cell = cell
        self.units = units
        self.num_layers = layers
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.has_context_features = context_features
        self.kept_rows = dict(kept_rows or {})
        self.representation = _representation(representation, self.kept_rows)
        self.input_dropout = keras.layers.SpatialDropout1D(dropout, name="input_dropout")
        self.stack = [_bidirectional(cell, units, recurrent_dropout, f"recurrent_{n}") for n in range(layers)]
        self.dropouts = [keras.layers.SpatialDropout1D(dropout, name=f"dropout_{n}") for n in range(layers)]
        self.document_context = DocumentContext(name="document_context") if document_context else None
        context = None
        if context_features:
            sizes = {name: representation[name] for name in ("num_words", "num_buckets")}
            context = sizes | {"kept_rows": self.kept_rows}
        first = ColumnSettings(num_tags, constraints, head, tag_costs, loss_weight, context_rank)
        settings = [first, *(ColumnSettings(**further) for further in further_columns)]
        columns = [TagColumn(column, number, context) for number, column in enumerate(settings)]
        # Keras finds layers that are attributes. Stored networks know the first column's by these names.
        self.context_features, self.emission, self.head = (
            columns[0].context_features,
            columns[0].emission,
            columns[0].head,
        )
        self.further_layers = [layer for column in columns[1:] for layer in column.layers]
        self.columns: list[TagColumn]
        set_untracked(self, "columns", columns)
        set_untracked(self, "_graphs", {})

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.representation.build()
        width = self.representation.output_units
        for layer in self.stack:
            layer.build((None, None, width))
            width = layer.compute_output_shape((None, None, width))[-1]
        if self.document_context is not None:
            self.document_context.build((None, None, width))
        for column in self.columns:
            column.build(width)
        self.built = True

    @property
    def reads_documents(self) -> bool:
        """Whether what it says of a sentence depends on the other sentences of its document."""
        return self.document_context is not None

    @property
    def tables(self) -> dict[str, keras.layers.Layer]:
        """The embeddings by name: those of the words, of the hashed spelling and of further columns."""
        context = [column.context_features for column in self.columns if column.context_features is not None]
        tables = [*self.representation.tables, *(table for layer in context for table in layer.tables)]
        return {table.name: table for table in tables}

    def call(self, batch: dict, training: bool = False) -> tf.Tensor:
        """Emissions `(batch, time, num_tags)` of all columns side by side."""
        vectors = self.representation(batch, training=training)
        # A recurrence needs at least one step; a batch of empty sentences has none.
        steps = tf.shape(vectors)[1]
        vectors = tf.pad(vectors, [[0, 0], [0, tf.cast(steps == 0, tf.int32)], [0, 0]])
        mask = tf.sequence_mask(batch["lengths"], tf.shape(vectors)[1])
        hidden = self.input_dropout(vectors, training=training)
        for layer, dropout in zip(self.stack, self.dropouts, strict=True):
            hidden = dropout(layer(hidden, mask=mask, training=training), training=training)
        hidden, mask = hidden[:, :steps], mask[:, :steps]
        if self.document_context is not None:
            hidden = self.document_context(hidden, batch["document_words"], mask=mask, training=training)
        emissions = [column.emissions(hidden, batch, mask, training) for column in self.columns]
        return emissions[0] if len(emissions) == 1 else tf.concat(emissions, axis=-1)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> tf.Tensor:
        """Negative log-likelihood per token of the tags `y`, -1 where unknown.

        Args:
            x: a batch.
            y: for each column of tags `(batch, time)` int32, -1 where unknown; or `(batch, time, num_tags)` bool, the
                tags that each token may have.
            y_pred: the emissions of all columns.
            sample_weight: `(batch,)`, how often each sentence counts in the sum.
            training: not used.

        The sum over the batch is divided by the number of its tokens, so that a batch counts the same whether its
        sentences are short or long.
        """
        mask = sequence_mask(x)
        losses = sum(
            column.settings.loss_weight * column.loss(emissions, tags, mask)
            for column, emissions, tags in zip(self.columns, self.split(y_pred), y, strict=True)
        )
        if sample_weight is not None:
            losses = losses * ops.cast(sample_weight, losses.dtype)
        tokens = ops.maximum(ops.sum(x["lengths"]), 1)
        loss = ops.sum(losses) / ops.cast(tokens, losses.dtype)
        return loss + ops.sum(self.losses) if self.losses else loss

    def input_shapes(self) -> dict[str, list[int | None]]:
        """The shapes of what a batch must hold: a graph is traced for all lengths when it is first asked for.

        Keras reads every attribute of a network that it saves or loads: none of them may trace a graph.
        """
        shapes = self.representation.input_shapes | {"lengths": [None]}
        if self.document_context is not None:
            shapes["document_words"] = [None, None]
        return shapes

    def get_config(self) -> dict:
        """The constructor's arguments."""
        representation = self.representation.get_config()
        first, *further = (column.settings for column in self.columns)
        return {
            **super().get_config(),
            "representation": {key: representation[key] for key in self._representation_keys},
            "num_tags": first.num_tags,
            "constraints": first.constraints,
            "cell": self.cell,
            "units": self.units,
            "layers": self.num_layers,
            "head": first.head,
            "tag_costs": first.tag_costs,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "context_features": self.has_context_features,
            "kept_rows": self.kept_rows,
            "loss_weight": first.loss_weight,
            "further_columns": [settings._asdict() for settings in further],
            "document_context": self.document_context is not None,
            "context_rank": first.context_rank,
        }


def _representation(
    arguments: Mapping[str, Any], kept_rows: Mapping[str, int]
) -> WordRepresentation | FrameRepresentation:
    if "frame_columns" in arguments:
        return FrameRepresentation(**arguments, name="representation")
    return WordRepresentation(**arguments, kept_rows=kept_rows, name="representation")


def _bidirectional(cell: str, units: int, recurrent_dropout: float, name: str) -> Bidirectional:
    # Named, so that reports have the same names for its weights in every run.
    layer = recurrent_layer(cell, units, return_sequences=True, recurrent_dropout=recurrent_dropout, name=cell)
    return Bidirectional(layer, name=name)
