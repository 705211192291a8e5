"""A head that scores each token by itself, with the methods of the CRF layer that a tagger needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from seqtag.layers.crf import check_constraints, check_costs, mask_or_ones
from seqtag.ops import crf
from seqtag.ops.crf.likelihood import add_costs, add_costs_within


@keras.saving.register_keras_serializable(package="seqtag")
class SoftmaxHead(keras.layers.Layer):
    """Independent softmax at each step; it has no weights.

    Called on emissions `(batch, time, tags)` it returns them in float32. The loss is the cross-entropy, in which the
    constraints play no part:

        -log p(y | x) = - sum_t log softmax(emissions[t])[y_t].

    Decoding and probabilities are those of the paths that the constraints allow, so that the tags are legal sequences
    all the same: those of a CRF whose scores of starts, transitions and ends are zero.

    Args:
        constraints: boolean tables `(start, transitions, end)`; see `seqtag.layers.CRF`.
        tag_costs: `(tags,)`, the cost of missing each tag; see there too. The softmax of the loss then scores all tags
            but the true one higher by its cost.
    """

    def __init__(
        self, constraints: Sequence[Any] | None = None, tag_costs: Sequence[float] | None = None, **kwargs: Any
    ) -> None:
        # Emissions must arrive unchanged: a float16 policy would round them.
        super().__init__(autocast=False, **kwargs)
        self.constraints = check_constraints(constraints)
        self.tag_costs = check_costs(tag_costs)
        self.supports_masking = True

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Notes the number of tags."""
        self.tags = int(input_shape[-1] or 0)

    def call(self, emissions: Any, mask: Any = None) -> Any:
        """The emissions in float32, with their mask."""
        return ops.cast(emissions, "float32")

    def negative_log_likelihood(self, emissions: Any, tags: Any, mask: Any = None) -> Any:
        """`-log p(tags | emissions)` of each row `(batch,)`; unknown tags (-1) and masked steps count nothing."""
        emissions = ops.cast(emissions, "float32")
        tags = ops.cast(tags, "int32")
        known = ops.logical_and(mask_or_ones(emissions, mask), tags >= 0)
        log_probabilities = ops.log_softmax(add_costs(emissions, tags, self.tag_costs), axis=-1)
        of_tags = ops.take_along_axis(log_probabilities, ops.maximum(tags, 0)[..., None], axis=-1)[..., 0]
        return -ops.sum(ops.where(known, of_tags, 0.0), axis=1)

    def loss_within(self, emissions: Any, allowed: Any, mask: Any = None) -> Any:
        """`-log p(every tag is allowed)` of each row `(batch,)`; `allowed (batch, time, tags)` is bool."""
        emissions = ops.cast(emissions, "float32")
        within = ops.logsumexp(ops.where(allowed, emissions, -float("inf")), axis=-1)
        raised = add_costs_within(emissions, allowed, self.tag_costs)
        losses = ops.maximum(ops.logsumexp(raised, axis=-1) - within, 0.0)
        return ops.sum(ops.where(mask_or_ones(emissions, mask), losses, 0.0), axis=1)

    @property
    def scores(self) -> crf.CRFScores:
        """Zero for all starts, transitions and ends."""
        tags = self.tags
        return crf.CRFScores(ops.zeros(tags), ops.zeros((tags, tags)), ops.zeros(tags))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "constraints": self.constraints, "tag_costs": self.tag_costs}
