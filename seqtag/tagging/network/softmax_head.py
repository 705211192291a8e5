"""A head that scores each token by itself, with the interface of the CRF layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from seqtag.layers import CRF


@keras.saving.register_keras_serializable(package="seqtag")
class SoftmaxHead(CRF):
    """Independent softmax at each step: a CRF whose scores of starts, transitions and ends stay zero.

    The loss is the cross-entropy, which no constraint enters:

        -log p(y | x) = - sum_t log softmax(emissions[t])[y_t].

    Decoding, probabilities and the k best are those of the paths that the constraints allow, so the tags are legal
    sequences all the same.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the zero scores, which are not trained."""
        super().build(input_shape)
        for scores in (self.start, self.transitions, self.end):
            scores.trainable = False

    def negative_log_likelihood(self, tags: Any, emissions: Any, mask: Any = None) -> Any:
        """`-log p(tags | emissions)` of each row `(batch,)`; unknown tags (-1) and masked steps count nothing."""
        emissions, mask = self._check(emissions, mask)
        tags = ops.cast(tags, "int32")
        known = ops.logical_and(mask, tags >= 0)
        log_probabilities = ops.log_softmax(emissions, axis=-1)
        of_tags = ops.take_along_axis(log_probabilities, ops.maximum(tags, 0)[..., None], axis=-1)[..., 0]
        return -ops.sum(ops.where(known, of_tags, 0.0), axis=1)
