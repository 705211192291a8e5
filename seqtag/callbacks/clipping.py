"""Gradient clipping as a callback: five rules, a scheduled threshold, and the share of updates that were clipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from seqtag.callbacks.norm_history import NormHistory
from seqtag.callbacks.row_gradients import dense_part, weights_under, with_dense_part
from seqtag.callbacks.update_hook import Update, UpdateCallback
from seqtag.ops import gradients as rules

Rule = Literal["global_norm", "norm", "value", "adaptive", "percentile"]
Threshold = float | Callable[[Any], Any]

# The rules that scale all gradients by one factor.
GLOBAL = ("global_norm", "percentile")
OWN_CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")
# As in the papers: Brock et al. 2021, section 4.1, for units; Seetharaman et al. 2020, section 4, for percentiles.
DEFAULTS = {"global_norm": 1.0, "norm": 1.0, "value": 1.0, "adaptive": 0.01, "percentile": 10.0}


class GradientClipping(UpdateCallback):
    """Bounds the gradients of every update of `fit`.

    `by` names the rule and the meaning of `threshold`:

    - `"global_norm"`: all gradients are scaled by one factor, so that their common norm is at most the threshold
      (Pascanu, Mikolov and Bengio 2013, algorithm 1).
    - `"norm"`: the gradient of each variable is scaled to a norm of at most the threshold.
    - `"value"`: every element is clipped to `[-threshold, threshold]`, which changes the direction.
    - `"adaptive"`: the gradient of each unit is scaled to a norm of at most the threshold times the norm of the unit's
      weights; units are columns of kernels and rows of embeddings (Brock, De, Smith and Simonyan 2021, section 4).
    - `"percentile"`: as `"global_norm"`, with a percentile as the bound: `threshold` (0 to 100) of the norms of the
      last `memory` updates, this one included (AutoClip: Seetharaman, Wichern, Pardo and Le Roux 2020, section 3).

    Clipping acts on the gradient that the optimizer applies: unscaled under mixed precision, accumulated, and summed
    over the replicas of a distribution strategy (Keras's own clipping comes before the sum). A row that a batch looked
    up several times counts once, with its sum. Gradients that are not finite stay as they are; `ExplodingGradients`
    keeps them from the weights.

    At the end of an epoch it adds to the logs `grad_clipped`, the share of updates in which anything was clipped; and
    for the rules that treat layers apart `grad_clipped/<layer>`, the same for each layer.

    Args:
        by: the rule.
        threshold: above zero; or a function of the number of updates so far, such as a Keras
            `LearningRateSchedule`, which is traced; by default the rule's usual value.
        memory: the number of norms that `"percentile"` keeps.

    Raises:
        ValueError: an unknown rule, a threshold of zero or less, a percentile above 100, a memory below 1; when
            training begins, the optimizer or a second `GradientClipping` clips too.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4), keras.layers.Dense(1)])
        >>> model.compile("sgd", loss="mse")
        >>> fitted = model.fit(
        ...     tf.ones((8, 5, 3)), tf.ones((8, 1)), verbose=0, callbacks=[GradientClipping("global_norm", 1e-3)]
        ... )
        >>> fitted.history["grad_clipped"]
        [1.0]
    """

    def __init__(self, by: Rule = "global_norm", threshold: Threshold | None = None, memory: int = 1000) -> None:
        super().__init__()
        if by not in DEFAULTS:
            raise ValueError(f"expected by to be one of {', '.join(get_args(Rule))}, found {by!r}")
        self.by = by
        self.threshold = DEFAULTS[by] if threshold is None else threshold
        if not callable(self.threshold):
            _check_threshold(by, self.threshold)
        if memory < 1:
            raise ValueError(f"expected memory to be at least 1, found {memory}")
        self.memory = memory

    def check_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """The optimizer itself must not clip."""
        for name in OWN_CLIPPING:
            value = getattr(optimizer, name)
            if value is not None:
                raise ValueError(
                    f"expected an optimizer that does not clip beside GradientClipping, found {name}={value}; "
                    f"leave {name} out, or the callback"
                )

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Joins the optimizer's update, as the only one that clips."""
        super().on_train_begin(logs)
        if sum(isinstance(other, GradientClipping) for other in self.hook.callbacks) > 1:
            self.hook.remove()
            raise ValueError("expected one GradientClipping, found two; leave one out")

    def create_state(self) -> None:
        """Counts of all updates and of those in which each layer was clipped, and the last norms."""
        self.layers = list(dict.fromkeys(weight.layer for weight in self.weights))
        self.seen = tf.Variable(0, dtype=tf.int64, trainable=False)
        # The last element counts the updates in which anything was clipped.
        self.clipped = tf.Variable(tf.zeros(len(self.layers) + 1, tf.int64), trainable=False)
        self.history = NormHistory(self.memory) if self.by == "percentile" else None

    def clip(self, gradients: list[Any], variables: list[Any], step: tf.Tensor) -> list[Any]:
        """The gradients, clipped by the rule."""
        parts = [dense_part(gradient) for gradient in gradients]
        if self.by in GLOBAL:
            clipped = rules.clip_by_global_norm(parts, self._bound(step, rules.global_norm(parts)))
        elif self.by == "norm":
            clipped = rules.clip_by_norm(parts, self._scheduled(step))
        elif self.by == "value":
            clipped = rules.clip_by_value(parts, self._scheduled(step))
        else:
            clipped = self._clip_units(gradients, variables, self._scheduled(step))
        return [with_dense_part(gradient, part) for gradient, part in zip(gradients, clipped, strict=True)]

    def _scheduled(self, step: tf.Tensor) -> Any:
        return self.threshold(step) if callable(self.threshold) else self.threshold

    def _bound(self, step: tf.Tensor, norm: tf.Tensor) -> Any:
        """The greatest global norm that stays as it is."""
        threshold = self._scheduled(step)
        if self.history is None:
            return threshold
        norms, count = self.history.with_norm(norm)
        return rules.percentile(norms, tf.maximum(count, 1), threshold)

    def _clip_units(self, gradients: list[Any], variables: list[Any], threshold: Any) -> list[tf.Tensor]:
        clipped = []
        for gradient, variable in zip(gradients, variables, strict=True):
            part, weights = dense_part(gradient), weights_under(gradient, variable)
            if isinstance(gradient, tf.IndexedSlices):
                # A unit of an embedding is a row: the rule's last axis is that of the units.
                (turned,) = rules.clip_adaptive([tf.transpose(part)], [tf.transpose(weights)], threshold)
                clipped.append(tf.transpose(turned))
            else:
                clipped += rules.clip_adaptive([part], [weights], threshold)
        return clipped

    def before_update(self, update: Update) -> None:
        """Counts the update, and keeps its norm."""
        clipped = self._clipped_layers(update)
        self.seen.assign_add(1)
        self.clipped.assign_add(tf.cast(tf.stack([*clipped, tf.reduce_any(clipped)]), tf.int64))
        if self.history is not None:
            self.history.add(update.global_norm)

    def _clipped_layers(self, update: Update) -> list[tf.Tensor]:
        """Whether each layer was clipped; under one factor for all, that factor tells."""
        if self.by in GLOBAL:
            factor = rules.shrinkage(update.global_norm, self._bound(update.step, update.global_norm))
            return [factor < 1] * len(self.layers)
        changed: dict[str, tf.Tensor] = dict.fromkeys(self.layers, tf.constant(False))
        for weight, before, after in zip(update.weights, update.gradients, update.clipped, strict=True):
            # By size: a NaN would differ from itself.
            differs = tf.abs(dense_part(before)) > tf.abs(dense_part(after))
            changed[weight.layer] = changed[weight.layer] | tf.reduce_any(differs)
        return list(changed.values())

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts counting."""
        if not self.started:
            return
        self.seen.assign(0)
        self.clipped.assign(tf.zeros_like(self.clipped))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds `grad_clipped`, and `grad_clipped/<layer>` for the rules that treat layers apart."""
        super().on_epoch_end(epoch, logs)
        if logs is None:
            return
        shares = self.clipped.numpy() / max(1, int(self.seen.numpy()))
        logs["grad_clipped"] = float(shares[-1])
        if self.by not in GLOBAL:
            logs.update(
                {f"grad_clipped/{layer}": float(share) for layer, share in zip(self.layers, shares, strict=False)}
            )


def _check_threshold(by: str, threshold: float) -> None:
    if not threshold > 0:
        raise ValueError(f"expected threshold to be above zero, found {threshold}")
    if by == "percentile" and threshold > 100:
        raise ValueError(f"expected threshold to be a percentile of at most 100, found {threshold}")
