"""Gives callbacks access to the optimizer's update, which Keras's own callbacks do not have.

While a training runs, a hook replaces the optimizer's update (see `seqtag.keras_internals.ReplacedUpdate`): it gets
gradients that are unscaled, accumulated and summed over the replicas, clips them, passes them to the callbacks, and
updates. It replaces the model's `make_train_function` too, so that a training that was interrupted does not change the
next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf

from seqtag.callbacks.row_gradients import dense_part, merge_all_rows
from seqtag.keras_internals import ReplacedUpdate, remove_untracked, replaced_update, set_untracked, variable_index
from seqtag.layers.introspection import check_trainable, owned_weights
from seqtag.ops.gradients import global_norm


@dataclass(frozen=True)
class Weight:
    """A trainable variable of the model.

    Attributes:
        name: its path from the layer on, such as `lstm/cell/kernel`.
        layer: the name of the layer that owns it; see `seqtag.layers.introspection`.
        variable: the variable itself.
    """

    name: str
    layer: str
    variable: keras.Variable


@dataclass(frozen=True)
class Update:
    """One update of the weights, as tensors of the graph; a sparse gradient has each row once.

    Attributes:
        step: the number of updates before this one, int64.
        weights: the trainable variables that have a gradient.
        variables: their TensorFlow variables.
        gradients: their gradients, summed over the replicas, unscaled, before any clipping.
        clipped: the gradients that the optimizer applies.
        notes: what each callback keeps from before the update until after it.
    """

    step: tf.Tensor
    weights: list[Weight]
    variables: list[tf.Variable]
    gradients: list[Any]
    clipped: list[Any]
    notes: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def global_norm(self) -> tf.Tensor:
        """The norm of all gradients before clipping."""
        return global_norm([dense_part(gradient) for gradient in self.gradients])


class UpdateCallback(keras.callbacks.Callback):
    """A callback that takes part in every update of `fit`, inside the graph, on any device.

    A subclass overrides what it needs of `create_state`, `clip`, `before_update`, `allows`, `adjust` and
    `after_update`. These are traced once, not run at every step: they keep state in the variables that `create_state`
    makes. A callback's other methods may read that state; each reading waits for the device. After an interrupted
    `fit`, a callback stays in the optimizer until the next `fit` begins.

    Raises:
        TypeError: when training begins, the optimizer is not a Keras optimizer.
        ValueError: when training begins, the model has no trainable weights.
    """

    # Without this, Keras waits for the device after every batch, to turn the logs into numbers.
    async_safe = True

    weights: list[Weight]
    hook: UpdateHook

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Joins the optimizer's update."""
        check_trainable(self.model)
        optimizer = inner_optimizer(self.model.optimizer)
        self.weights = weights_of(self.model)
        with self.model.distribute_strategy.scope():
            self.create_state()
        self.hook = UpdateHook.on(optimizer, self.model, self.weights)
        self.hook.join(self)
        # A training step that was traced before does not call this callback.
        retrace(self.model)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leaves the optimizer as it was."""
        self.hook.leave(self)
        retrace(self.model)

    def create_state(self) -> None:
        """Makes the variables that the graph writes to, in the scope of the model's distribution strategy."""

    def clip(self, gradients: list[Any], variables: list[Any], step: tf.Tensor) -> list[Any]:
        """The gradients that the optimizer applies; runs in each replica and must not write to variables."""
        return gradients

    def before_update(self, update: Update) -> None:
        """Gets an update before it is applied; may write to the callback's own variables."""

    def allows(self, update: Update) -> tf.Tensor | None:
        """Whether the update is applied, a boolean of the graph; None for always."""
        return None

    def adjust(self, update: Update) -> None:
        """Changes the weights after an update that was applied."""

    def after_update(self, update: Update) -> None:
        """Gets an update after it was applied and adjusted, or refused; may write to the callback's own variables."""


class UpdateHook:
    """Runs the callbacks in an optimizer's update; `on` makes one for each optimizer."""

    def __init__(self, optimizer: keras.optimizers.Optimizer, model: keras.Model, weights: list[Weight]) -> None:
        self.optimizer = optimizer
        self.model = model
        self.weights = weights
        self.callbacks: list[UpdateCallback] = []
        self.replaced: ReplacedUpdate | None = None

    @classmethod
    def on(cls, optimizer: keras.optimizers.Optimizer, model: keras.Model, weights: list[Weight]) -> UpdateHook:
        """The hook of an optimizer, a new one if it has none."""
        present = replaced_update(optimizer)
        return present.__self__ if present is not None else cls(optimizer, model, weights)

    def join(self, callback: UpdateCallback) -> None:
        """Adds a callback, and removes those of an earlier, interrupted `fit`."""
        self.callbacks = [
            other for other in self.callbacks if other.params is callback.params and other is not callback
        ]
        self.callbacks.append(callback)
        if self.replaced is None:
            self.replaced = ReplacedUpdate(self.optimizer, self._update)
            set_untracked(self.model, "make_train_function", self._begin_anew)

    def leave(self, callback: UpdateCallback) -> None:
        """Removes a callback, and after the last one the hook itself."""
        self.callbacks = [other for other in self.callbacks if other is not callback]
        if not self.callbacks:
            self.remove()

    def remove(self) -> None:
        """Gives the optimizer its own methods back."""
        self.callbacks = []
        if self.replaced is not None:
            self.replaced.restore()
            self.replaced = None
            remove_untracked(self.model, "make_train_function")

    def _begin_anew(self, force: bool = False) -> None:
        """Replaces the model's `make_train_function`, which every `fit` calls before `on_train_begin` of its callbacks.

        A callback is not told that its `fit` was interrupted, so the hook of that `fit` is removed here.
        """
        self.remove()
        retrace(self.model)

    def _update(self, distribution: tf.distribute.Strategy, pairs: list[tuple[Any, Any]], rate: Any) -> None:
        """Clips, calls the callbacks, and updates; replaces the optimizer's own update."""
        assert self.replaced is not None
        apply_own = self.replaced.apply
        pairs = [pair for pair in pairs if pair[0] is not None]
        gradients, variables = [list(part) for part in zip(*pairs, strict=True)]
        step = tf.convert_to_tensor(self.optimizer.iterations)
        arguments = gradients, variables, step
        if tf.distribute.in_cross_replica_context():
            clipped = distribution.extended.call_for_each_replica(self._clip, arguments)
        else:
            clipped = self._clip(*arguments)

        def of_one_replica(values: list[Any]) -> list[Any]:
            # All replicas have the same gradients after the sum.
            return merge_all_rows([distribution.experimental_local_results(value)[0] for value in values])

        weights = [self.weights[variable_index(self.optimizer, variable)] for variable in variables]
        values = [weight.variable.value for weight in weights]
        update = Update(step, weights, values, of_one_replica(gradients), of_one_replica(clipped))
        for callback in self.callbacks:
            callback.before_update(update)

        def apply() -> None:
            pairs = list(zip(clipped, variables, strict=True))
            apply_own(distribution, pairs, rate)
            for callback in self.callbacks:
                callback.adjust(update)

        self._apply_if_allowed(update, apply)
        for callback in self.callbacks:
            callback.after_update(update)

    def _clip(self, gradients: list[Any], variables: list[Any], step: tf.Tensor) -> list[Any]:
        assert self.replaced is not None
        clipped = self.replaced.clip(gradients)
        for callback in self.callbacks:
            if type(callback).clip is not UpdateCallback.clip:
                clipped = callback.clip(merge_all_rows(clipped), variables, step)
        return clipped

    def _apply_if_allowed(self, update: Update, apply: Callable[[], None]) -> None:
        verdicts = [callback.allows(update) for callback in self.callbacks]
        verdicts = [verdict for verdict in verdicts if verdict is not None]
        if verdicts:
            tf.cond(tf.reduce_all(verdicts), apply, lambda: None)
        else:
            apply()


def retrace(model: keras.Model) -> None:
    """Makes the model trace its training step again."""
    type(model).make_train_function(model, force=True)


def inner_optimizer(optimizer: Any) -> keras.optimizers.Optimizer:
    """The optimizer that updates: the one inside a `LossScaleOptimizer`, or `optimizer` itself.

    Raises:
        TypeError: it is no Keras optimizer.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"expected optimizer to be a Keras optimizer, found {type(optimizer).__name__}")
    return optimizer


def weights_of(model: keras.Model) -> list[Weight]:
    """The trainable variables of a model, in the model's order."""
    layers = {id(variable): name for name, variables in owned_weights(model).items() for variable in variables}
    owners = [layers[id(variable)] for variable in model.trainable_variables]
    return [Weight(_name(v, layer), layer, v) for v, layer in zip(model.trainable_variables, owners, strict=True)]


def _name(variable: keras.Variable, layer: str) -> str:
    """The variable's path from its layer on."""
    parts, own = variable.path.split("/"), layer.split("/")[-1]
    return "/".join([layer, *(parts[parts.index(own) + 1 :] if own in parts else parts[-1:])])
