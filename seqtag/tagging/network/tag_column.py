"""What a tagger has for each column of tags, above the layers that all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqtag.layers import CRF
from seqtag.ops import crf
from seqtag.tagging.network.context_features import ContextFeatures
from seqtag.tagging.network.softmax_head import SoftmaxHead
from seqtag.tagging.network.tag_distribution import TagDistribution

Decoded = dict[str, tf.Tensor]


class ColumnSettings(NamedTuple):
    """The settings of one column of tags.

    Attributes:
        num_tags: how many tags there are.
        constraints: boolean tables of legal starts (tags,), transitions (tags, tags) and ends (tags,); None for all.
        head: `"crf"` or `"softmax"`; both decode under the constraints.
        tag_costs: the cost of missing each tag in training (tags,); see `CRF`.
        loss_weight: of the column's loss in the sum of all.
        context_rank: of the scores of the words around a token; see `ContextFeatures`.
    """

    num_tags: int
    constraints: Sequence[Any] | None = None
    head: str = "crf"
    tag_costs: Sequence[float] | None = None
    loss_weight: float = 1.0
    context_rank: int | None = None


class ScoredColumn:
    """Scores of the tag sequences of one column, and how the best one and its probabilities are found.

    Args:
        settings: of the column.

    Attributes:
        num_tags: how many tags there are.
        constraint_tables: of the settings, as arrays.
    """

    def __init__(self, settings: ColumnSettings) -> None:
        self.settings = settings
        self.num_tags = settings.num_tags
        # As arrays: a long nested list is slow to convert.
        constraints = settings.constraints
        self.constraint_tables = None if constraints is None else [np.array(table) for table in constraints]

    @property
    def scores(self) -> crf.CRFScores:
        """Of starts, transitions and ends, without the constraints."""
        raise NotImplementedError

    def decode(self, emissions: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """The best legal tags `(batch, time)` int32, 0 at padding."""
        return crf.decode(emissions, mask, self.scores, self.constraint_tables)

    def distribution(self, emissions: tf.Tensor, lengths: tf.Tensor, temperature: float = 1.0) -> TagDistribution:
        """The distribution over legal tag sequences that the emissions of a batch give."""
        scores = crf.constrain(self.scores, self.constraint_tables)
        return TagDistribution(emissions, lengths, scores, temperature)

    def within(self, decoded: Decoded, allowed: tf.Tensor, lengths: tf.Tensor) -> Decoded:
        """What `DecodesTags.decode` found, among the legal sequences of the `allowed (batch, time, num_tags)` tags.

        There must be one in each row.
        """
        emissions = tf.where(allowed, decoded["emissions"], -np.inf)
        return {"tags": self.distribution(emissions, lengths).best(), "emissions": emissions}

    def tagged(self, decoded: Decoded, lengths: tf.Tensor, temperature: float = 1.0) -> Decoded:
        """What `DecodesTags.decode` found, with its probabilities.

        It returns `tags (batch, time)` int32, 0 at padding; `scores (batch, time)`, the probability of each tag; and
        `continuations (batch, time)`, the probability of each tag given the tag before it. The probability of a span is
        its first score times the continuations of its other tokens.
        """
        distribution = self.distribution(decoded["emissions"], lengths, temperature)
        scores, continuations = distribution.path_probabilities(decoded["tags"])
        return {"tags": decoded["tags"], "scores": scores, "continuations": continuations}


class TagColumn(ScoredColumn):
    """The layers that score one column of tags, and how its tags are decoded.

    The network holds the layers: this has no weights of its own.

    Args:
        settings: of the column.
        number: of the column, from 0; a part of the names of its layers but for the first.
        context: arguments of `ContextFeatures` but for `num_tags`; None for no such scores.
    """

    def __init__(self, settings: ColumnSettings, number: int, context: Mapping[str, Any] | None) -> None:
        suffix = f"_{number}" if number else ""
        super().__init__(settings)
        self.context_features = None
        if context is not None:
            self.context_features = ContextFeatures(
                **context,
                num_tags=settings.num_tags,
                table_suffix=suffix,
                rank=settings.context_rank,
                dtype="float32",
                name=f"context_features{suffix}",
            )
        self.emission = keras.layers.Dense(settings.num_tags, dtype="float32", name=f"emission{suffix}")
        self.head = _head(settings, f"head{suffix}")

    @property
    def scores(self) -> crf.CRFScores:
        """Those of the head."""
        return self.head.scores

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """All that have weights."""
        return [layer for layer in (self.context_features, self.emission, self.head) if layer is not None]

    def build(self, width: int | None) -> None:
        """Creates the weights above hidden states of this width."""
        self.emission.build((None, None, width))
        if self.context_features is not None:
            self.context_features.build()
        self.head.build((None, None, self.num_tags))

    def emissions(self, hidden: tf.Tensor, batch: dict, mask: tf.Tensor, training: bool) -> tf.Tensor:
        """Emissions `(batch, time, num_tags)` of hidden states `(batch, time, width)`."""
        emissions = self.emission(hidden)
        if self.context_features is not None:
            emissions += self.context_features(batch, mask=mask, training=training)
        return emissions

    def loss(self, emissions: tf.Tensor, tags: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """The negative log-likelihood of each row `(batch,)`.

        Args:
            emissions: `(batch, time, num_tags)`.
            tags: `(batch, time)` int32, -1 where unknown; or `(batch, time, num_tags)` bool, those a token may have.
            mask: `(batch, time)` bool.
        """
        loss_of = self.head.negative_log_likelihood if len(tags.shape) == 2 else self.head.loss_within
        return loss_of(emissions, tags, mask=mask)


def _head(settings: ColumnSettings, name: str) -> CRF | SoftmaxHead:
    kind, constraints, tag_costs = settings.head, settings.constraints, settings.tag_costs
    if kind == "crf":
        return CRF(constraints=constraints, tag_costs=tag_costs, dtype="float32", name=name)
    if kind != "softmax":
        raise ValueError(f"expected head to be 'crf' or 'softmax', found {kind!r}")
    return SoftmaxHead(constraints=constraints, tag_costs=tag_costs, dtype="float32", name=name)
