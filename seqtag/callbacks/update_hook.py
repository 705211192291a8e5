"""A way into the optimizer's update, which Keras's callbacks do not have.

While a training runs, the hook stands in the place of the optimizer's update (see
`seqtag.keras_internals.ReplacedUpdate`): it gets gradients that are unscaled, accumulated and summed over the replicas,
clips them, shows them to the callbacks, and updates. The model's `make_train_function` is replaced too, so that a
training that broke off leaves no trace in the next one.
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
        name: its path from the layer on, as `lstm/cell/kernel`.
        layer: the name of the layer that owns it; see `seqtag.layers.introspection`.
        variable: itself.
    """

    name: str
    layer: str
    variable: keras.Variable


@dataclass(frozen=True)
class Update:
    """One update of the weights, as tensors of the graph; sparse gradients have every row once.

    Attributes:
        step: how many updates came before, int64.
        weights: what is updated: the trainable variables that have a gradient.
        variables: TensorFlow's variables of these.
        gradients: summed over the replicas, unscaled, before any clipping.
        clipped: what the optimizer takes.
        notes: what a callback keeps from before the update for after it.
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
    """A callback that takes part in every update of `fit`, in the graph, wherever that runs.

    A subclass overrides what it needs of `create_state`, `clip`, `before_update`, `allows`, `adjust` and
    `after_update`. They are traced, not run: state is kept in the variables that `create_state` makes, and reading it
    in a callback's own methods costs one wait for the device. After a `fit` that broke off, a callback stays in the
    optimizer until the next `fit` begins.

    Raises:
        TypeError: at the beginning of training, if the optimizer is not a Keras one.
        ValueError: the same, if the model has no trainable weights.
    """

    # Keras would turn the logs of every batch into numbers for a callback that might read them.
    async_safe = True

    weights: list[Weight]
    hook: UpdateHook

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Takes its place in the optimizer."""
        check_trainable(self.model)
        optimizer = inner_optimizer(self.model.optimizer)
        self.weights = weights_of(self.model)
        with self.model.distribute_strategy.scope():
            self.create_state()
        self.hook = UpdateHook.on(optimizer, self.model, self.weights)
        self.hook.join(self)
        # What was traced before knows nothing of this callback.
        retrace(self.model)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leaves the optimizer as it was."""
        self.hook.leave(self)
        retrace(self.model)

    def create_state(self) -> None:
        """Makes the variables that the graph writes to, in the scope of the model's distribution strategy."""

    def clip(self, gradients: list[Any], variables: list[Any], step: tf.Tensor) -> list[Any]:
        """What the optimizer takes for these gradients; called in each replica, and must not write to variables."""
        return gradients

    def before_update(self, update: Update) -> None:
        """Sees an update that is about to happen; may write to its own variables."""

    def allows(self, update: Update) -> tf.Tensor | None:
        """Whether the update may happen, a boolean of the graph; None for always."""
        return None

    def adjust(self, update: Update) -> None:
        """Changes the variables once they are updated; not called where the update was not allowed."""

    def after_update(self, update: Update) -> None:
        """Sees the variables as they are in the end; may write to its own variables."""


class UpdateHook:
    """What stands in an optimizer's update while callbacks take part in it; one for an optimizer, made by `on`."""

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
        """Adds a callback; what a `fit` that broke off has left goes."""
        self.callbacks = [
            other for other in self.callbacks if other.params is callback.params and other is not callback
        ]
        self.callbacks.append(callback)
        if self.replaced is None:
            self.replaced = ReplacedUpdate(self.optimizer, self._update)
            set_untracked(self.model, "make_train_function", self._begin_anew)

    def leave(self, callback: UpdateCallback) -> None:
        """Takes a callback out, and after the last one the hook."""
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
        """Stands for the model's `make_train_function`, with which every `fit` begins, before its callbacks come.

        Nobody tells a callback that its `fit` breaks off: what it has left is taken out here.
        """
        self.remove()
        retrace(self.model)

    def _update(self, distribution: tf.distribute.Strategy, pairs: list[tuple[Any, Any]], rate: Any) -> None:
        """Clips, shows, updates; stands in the place of the optimizer's own update."""
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

        def shown(values: list[Any]) -> list[Any]:
            # The replicas' gradients are equal once they are summed.
            return merge_all_rows([distribution.experimental_local_results(value)[0] for value in values])

        weights = [self.weights[variable_index(self.optimizer, variable)] for variable in variables]
        update = Update(step, weights, [w.variable.value for w in weights], shown(gradients), shown(clipped))
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
    """Has the model trace its training step anew."""
    type(model).make_train_function(model, force=True)


def inner_optimizer(optimizer: Any) -> keras.optimizers.Optimizer:
    """The optimizer that updates, below a `LossScaleOptimizer`.

    Raises:
        TypeError: it is not a Keras optimizer.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"expected optimizer to be a Keras optimizer, found {type(optimizer).__name__}")
    return optimizer


def weights_of(model: keras.Model) -> list[Weight]:
    """The trainable variables of a model, in its own order."""
    layers = {id(variable): name for name, variables in owned_weights(model).items() for variable in variables}
    owners = [layers[id(variable)] for variable in model.trainable_variables]
    return [Weight(_name(v, layer), layer, v) for v, layer in zip(model.trainable_variables, owners, strict=True)]


def _name(variable: keras.Variable, layer: str) -> str:
    """The variable's path from its layer on."""
    parts, own = variable.path.split("/"), layer.split("/")[-1]
    return "/".join([layer, *(parts[parts.index(own) + 1 :] if own in parts else parts[-1:])])
