"""The loss that a CRF layer gives to `compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from seqtag.keras_internals import keras_mask

Tensor = Any


@keras.saving.register_keras_serializable(package="seqtag")
class CRFLoss(keras.losses.Loss):
    """Mean negative log-likelihood of a batch under a `CRF` layer: get it as `layer.loss`.

    Called on `(tags, emissions)`, with the mask that Keras keeps on the emissions. There is one sample weight for each
    row. A model saves layer and loss as a pair, so that after loading it trains its own layer's transitions.
    """

    def __init__(self, name: str = "crf_loss", reduction: str = "sum_over_batch_size") -> None:
        super().__init__(name=name, reduction=reduction)
        self._row_losses: Callable[..., Tensor] | None = None

    def bind(self, row_losses: Callable[..., Tensor]) -> None:
        """Takes the method `negative_log_likelihood` of a layer."""
        # Not the layer itself: Keras would follow the reference when it loads a model, from the layer to its loss and
        # back, without end.
        self._row_losses = row_losses

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Reduced loss of the emissions `y_pred` for the tags `y_true`."""
        losses = self.call(y_true, y_pred)
        if sample_weight is not None:
            losses = losses * ops.cast(ops.reshape(sample_weight, (-1,)), losses.dtype)
        if self.reduction in (None, "none"):
            return losses
        total = ops.sum(losses)
        rows = ops.cast(ops.maximum(ops.shape(losses)[0], 1), losses.dtype)
        return total if self.reduction == "sum" else total / rows

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Loss of each row: `(batch,)`."""
        if self._row_losses is None:
            raise ValueError("expected the loss of a CRF layer, found one without a layer: compile with layer.loss")
        return self._row_losses(y_pred, y_true, mask=keras_mask(y_pred))
