"""Entities of decoded labels, in the graph: how probable each one is, and which of them are given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class FoundEntities(NamedTuple):
    """Entities of a batch, token by token; all are `(batch, time)`.

    Attributes:
        tags: int32, the labels, with 0 (`O`) for those of entities that are not given.
        goes_on: bool, whether a token goes on with the entity of the token before.
        probabilities: float32, of the entity that a token is of; of the label where it is of none.
    """

    tags: tf.Tensor
    goes_on: tf.Tensor
    probabilities: tf.Tensor


class EntityRule:
    """Finds the entities of decoded labels, and leaves out those of a probability below the threshold of their type.

    Args:
        continues: (labels, labels) bool, see `TagCodec`.
        thresholds: (labels,) the least probability of an entity whose label this is; 0 for all to be given.
    """

    def __init__(self, continues: np.ndarray, thresholds: np.ndarray) -> None:
        self._continues = continues
        self._thresholds = thresholds.astype(np.float32)

    def __call__(
        self, tags: tf.Tensor, scores: tf.Tensor, continuations: tf.Tensor, kept: tf.Tensor | None = None
    ) -> FoundEntities:
        """The entities of labels with their probabilities, as `TaggerNetwork.tag` gives them.

        `kept (batch, time)` bool says which tokens' entities are given whatever their probability.
        """
        before = tf.pad(tags, [[0, 0], [1, 0]])[:, :-1]
        # Before the first token stands O.
        goes_on = tf.gather_nd(tf.constant(self._continues), tf.stack([before, tags], axis=-1))
        entity = tf.cumsum(tf.cast(tf.reshape(~goes_on, [-1]), tf.int32)) - 1
        factors = tf.reshape(tf.where(goes_on, continuations, scores), [-1])
        products = tf.math.unsorted_segment_prod(factors, entity, tf.size(tags))
        probabilities = tf.reshape(tf.gather(products, entity), tf.shape(tags))
        given = probabilities >= tf.gather(tf.constant(self._thresholds), tags)
        if kept is not None:
            chosen = tf.math.unsorted_segment_max(tf.cast(tf.reshape(kept, [-1]), tf.int32), entity, tf.size(tags))
            given |= tf.reshape(tf.gather(chosen, entity), tf.shape(tags)) > 0
        return FoundEntities(tf.where(given, tags, 0), goes_on, probabilities)
