"""The loss that a CRF layer gives to `compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from seqtag.keras_internals import keras_mask
from seqtag.ops.crf.arguments import static_shape

Tensor = Any

TOKEN_MEAN = "token_mean"
REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", TOKEN_MEAN)


@keras.saving.register_keras_serializable(package="seqtag")
class CRFLoss(keras.losses.Loss):
    """Negative log-likelihood of a batch under a `CRF` layer: get it as `layer.loss`.

    Called on `(tags, emissions)`, with the mask that Keras keeps on the emissions. Tags are `(batch, time)` or
    `(batch, time, 1)`; one-hot tags are refused. A model saves layer and loss as a pair, so that after loading it
    trains its own layer's transitions.

    Sample weights are `(batch,)`, a factor on the loss of each row, or `(batch, time)`, a factor on that of each step:
    `-log p(tag | the tags before it)`, whose sum over time is the loss of the row. Equal weights for all steps of a row
    are therefore the same as one for the row. A step whose weight is zero still tells the steps after it what its tag
    is; if its tag is not known, give it the tag -1. `class_weight` of `fit` cannot serve tags: Keras makes one weight a
    row of it.

    Args:
        reduction: one of Keras's, where a row counts as one: `"sum_over_batch_size"` (the same as `"mean"`),
            `"mean_with_sample_weight"`, `"sum"`, `"none"`; or `"token_mean"`, which divides the sum by the number of
            real steps, so that long rows count as much as their length.
    """

    def __init__(self, name: str = "crf_loss", reduction: str | None = "sum_over_batch_size") -> None:
        reduction = "none" if reduction is None else reduction
        if reduction not in REDUCTIONS:
            raise ValueError(f"expected reduction to be one of {', '.join(REDUCTIONS)}, found {reduction!r}")
        super().__init__(name=name)
        self.reduction = reduction
        self._row_losses: Callable[..., Tensor] | None = None
        self._token_losses: Callable[..., Tensor] | None = None

    def bind(self, row_losses: Callable[..., Tensor], token_losses: Callable[..., Tensor]) -> None:
        """Takes the methods `negative_log_likelihood` and `token_losses` of a layer."""
        # Not the layer itself: Keras would follow the reference when it loads a model, from the layer to its loss and
        # back, without end.
        self._row_losses, self._token_losses = row_losses, token_losses

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Reduced loss of the emissions `y_pred` for the tags `y_true`."""
        weight = None if sample_weight is None else _checked_weight(sample_weight, y_pred)
        if weight is not None and len(weight.shape) == 2:
            losses = self._losses(self._token_losses, y_true, y_pred)
            weight = ops.where(_real(y_pred), ops.cast(weight, losses.dtype), 0.0)
            losses = ops.sum(losses * weight, axis=1)
        else:
            losses = self.call(y_true, y_pred)
            losses = losses if weight is None else losses * ops.cast(weight, losses.dtype)
        return self._reduced(losses, weight, y_pred)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Loss of each row: `(batch,)`."""
        return self._losses(self._row_losses, y_true, y_pred)

    def _losses(self, function: Callable[..., Tensor] | None, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if function is None:
            raise ValueError("expected the loss of a CRF layer, found one without a layer: compile with layer.loss")
        if len(y_pred.shape) == 2 and "int" in keras.backend.standardize_dtype(y_pred.dtype):
            raise ValueError(
                "expected the emissions that a CRF returns, found decoded tags: train a model that ends in the CRF, or "
                "one with both outputs"
            )
        return function(y_pred, y_true, mask=keras_mask(y_pred))

    def _reduced(self, losses: Tensor, weight: Tensor | None, y_pred: Tensor) -> Tensor:
        if self.reduction == "none":
            return losses
        total = ops.sum(losses)
        if self.reduction == "sum":
            return total
        if self.reduction == TOKEN_MEAN:
            return total / ops.maximum(ops.sum(ops.cast(_real(y_pred), losses.dtype)), 1.0)
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            weights = ops.cast(weight, losses.dtype) + (0.0 if len(weight.shape) == 2 else ops.zeros_like(losses))
            return ops.divide_no_nan(total, ops.sum(weights))
        return total / ops.cast(ops.maximum(ops.shape(losses)[0], 1), losses.dtype)


def _real(emissions: Tensor) -> Tensor:
    """Which steps are real, `(batch, time)`."""
    mask = keras_mask(emissions)
    return ops.ones(ops.shape(emissions)[:2], dtype="bool") if mask is None else ops.cast(mask, "bool")


def _checked_weight(weight: Tensor, emissions: Tensor) -> Tensor:
    """The weights `()`, `(batch,)` or `(batch, time)`."""
    weight = ops.convert_to_tensor(weight)
    shape, (batch, time) = static_shape(weight), tuple(emissions.shape)[:2]
    if shape is None:
        return ops.reshape(weight, (ops.shape(emissions)[0], -1))
    if len(shape) == 2 and shape[1] == 1:
        return _checked_weight(weight[:, 0], emissions)
    sizes = zip(shape, (batch, time), strict=False)
    if len(shape) > 2 or any(None not in pair and pair[0] != pair[1] for pair in sizes):
        raise ValueError(
            f"expected sample weights of shape ({batch},) for rows or ({batch}, {time}) for steps, found {shape}"
        )
    return weight
