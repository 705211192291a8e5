"""Gives callbacks access to the optimizer's update, which Keras's own callbacks do not have.

While a training runs, a hook replaces the optimizer's update (see `seqtag.keras_internals.ReplacedUpdate`): it gets
gradients that are unscaled, accumulated and summed over the replicas, clips them, passes them to the callbacks, and
updates. The callbacks start with the first update, when every model has its weights.

The hook replaces the model's `train_step` too, around which callbacks may act, and its `make_train_function`, so that a
training that was interrupted does not change the next one. Other optimizers that the model holds raise an error if the
step updates by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import keras
import tensorflow as tf

from seqtag.callbacks.row_gradients import dense_part, merge_all_rows
from seqtag.keras_internals import (
    ReplacedUpdate,
    remove_untracked,
    replaced_update,
    set_untracked,
    sublayers,
    trained_variable,
    trained_variables,
)
from seqtag.layers.introspection import check_tensorflow, check_trainable, owned_weights
from seqtag.ops.gradients import global_norm

Result = TypeVar("Result")


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

    A subclass overrides what it needs of `create_state`, `around_step`, `clip`, `before_update`, `allows`, `adjust` and
    `after_update`. These are traced once, not run at every step: they keep state in the variables that `create_state`
    makes when the first update is traced. A callback's other methods may read that state once it has `started`; each
    reading waits for the device. After an interrupted `fit`, a callback stays in the optimizer until the next `fit`
    begins.

    Attributes:
        weights: the weights that the model trains.
        started: whether there are weights and state.

    Raises:
        RuntimeError: when training begins, Keras does not run on TensorFlow.
        TypeError: when training begins, the optimizer is not a Keras optimizer.
        ValueError: in the first step, the model has no trainable weights, or a `train_step` of its own updates by other
            optimizers than `model.optimizer`.
    """

    # Without this, Keras waits for the device after every batch, to turn the logs into numbers.
    async_safe = True

    weights: list[Weight]
    started = False
    hook: UpdateHook

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Joins the optimizer's update."""
        check_tensorflow(type(self).__name__)
        self.started = False
        optimizer = inner_optimizer(self.model.optimizer)
        self.check_optimizer(optimizer)
        self.hook = UpdateHook.on(optimizer, self.model)
        self.hook.join(self)
        # A training step that was traced before does not call this callback.
        retrace(self.model)

    def check_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Raises an error if the callback cannot serve beside the optimizer."""

    def start(self, weights: list[Weight]) -> None:
        """Creates the callback's state; called once in a training, before its first update."""
        self.weights = weights
        with self.model.distribute_strategy.scope():
            self.create_state()
        self.started = True

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Raises an error if the model's optimizer has made no update."""
        self.hook.check_updated()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leaves the optimizer as it was."""
        self.hook.leave(self)
        retrace(self.model)

    def create_state(self) -> None:
        """Makes the variables that the graph writes to, in the scope of the model's distribution strategy."""

    def around_step(self, step: Callable[[], Result]) -> Result:
        """Runs a step of the training, in which the model runs, and the optimizer updates."""
        return step()

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


def of_no_graph(create: Callable[..., tf.Variable], **options: Any) -> tf.Variable:
    """Creates a variable that does not count as made by the graph that is being traced; for `variable_creator_scope`.

    TensorFlow traces a step again if its first trace has created variables.
    """
    return create(**options | {"experimental_enable_variable_lifting": False})


class UpdateHook:
    """Runs the callbacks in an optimizer's update; `on` makes one for each optimizer."""

    def __init__(self, optimizer: keras.optimizers.Optimizer, model: keras.Model) -> None:
        self.optimizer = optimizer
        self.model = model
        self.weights: dict[int, Weight] = {}
        self.callbacks: list[UpdateCallback] = []
        self.updated = False
        self.replaced: ReplacedUpdate | None = None
        self.refusing: list[ReplacedUpdate] = []

    @classmethod
    def on(cls, optimizer: keras.optimizers.Optimizer, model: keras.Model) -> UpdateHook:
        """The hook of an optimizer, a new one if it has none."""
        present = replaced_update(optimizer)
        return present.__self__ if present is not None else cls(optimizer, model)

    def join(self, callback: UpdateCallback) -> None:
        """Adds a callback, and removes those of an earlier, interrupted `fit`."""
        self.callbacks = [
            other for other in self.callbacks if other.params is callback.params and other is not callback
        ]
        self.callbacks.append(callback)
        if self.replaced is None:
            self.replaced = ReplacedUpdate(self.optimizer, self._update)
            for name, other in other_optimizers(self.model, self.optimizer).items():
                self.refusing.append(ReplacedUpdate(other, partial(self._refuse, name)))
            set_untracked(self.model, "train_step", partial(self._train_step, self.model.train_step))
            set_untracked(self.model, "make_train_function", self._begin_anew)
        if self.optimizer.built:
            # The weights are known before the first step is traced.
            self._start(trained_variables(self.optimizer))

    def leave(self, callback: UpdateCallback) -> None:
        """Removes a callback, and after the last one the hook itself."""
        self.callbacks = [other for other in self.callbacks if other is not callback]
        if not self.callbacks:
            self.remove()

    def remove(self) -> None:
        """Gives the optimizer its own methods back."""
        self.callbacks = []
        if self.replaced is not None:
            for replaced in (self.replaced, *self.refusing):
                replaced.restore()
            self.replaced, self.refusing = None, []
            for name in ("train_step", "make_train_function"):
                remove_untracked(self.model, name)

    def run_step(self, step: Callable[[], Result]) -> Result:
        """Runs a step of the training within the callbacks."""
        for callback in self.callbacks:
            step = partial(callback.around_step, step)
        result = step()
        # A graph has all updates that its steps may make. Without graphs, a step may leave one to the next.
        if not tf.executing_eagerly():
            self.check_updated()
        return result

    def check_updated(self) -> None:
        """Raises an error if the optimizer was not called.

        Raises:
            ValueError: it was not.
        """
        if not self.updated:
            check_trainable(self.model)
            raise ValueError(
                f"expected train_step to update by model.optimizer, found no update by it: {self._names} cannot follow "
                "other optimizers"
            )

    @property
    def _names(self) -> str:
        return ", ".join(dict.fromkeys(type(callback).__name__ for callback in self.callbacks))

    def _refuse(self, name: str, *arguments: Any) -> None:
        """Replaces the update of another optimizer of the model."""
        raise ValueError(
            f"expected train_step to update by model.optimizer alone, found an update by model.{name}: {self._names} "
            "cannot follow other optimizers"
        )

    def _train_step(self, own_step: Callable[..., Any], *data: Any) -> Any:
        """Replaces the model's `train_step`."""
        return self.run_step(partial(own_step, *data))

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
        weights = self._started_on([trained_variable(self.optimizer, variable) for variable in variables])
        step = tf.convert_to_tensor(self.optimizer.iterations)
        arguments = gradients, variables, step
        if tf.distribute.in_cross_replica_context():
            clipped = distribution.extended.call_for_each_replica(self._clip, arguments)
        else:
            clipped = self._clip(*arguments)

        def of_one_replica(values: list[Any]) -> list[Any]:
            # All replicas have the same gradients after the sum.
            return merge_all_rows([distribution.experimental_local_results(value)[0] for value in values])

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

    def _started_on(self, variables: list[keras.Variable]) -> list[Weight]:
        """The weights that these variables are; starts the callbacks, where that was not possible before."""
        self.updated = True
        self._start(variables)
        for variable in variables:
            if id(variable) not in self.weights:
                raise ValueError(f"expected the weights of the first update, found {variable.path} besides")
        return [self.weights[id(variable)] for variable in variables]

    def _start(self, variables: list[keras.Variable]) -> None:
        """Notes the weights, if there are none yet, and starts the callbacks that were not started."""
        if not self.weights:
            self.weights = {id(weight.variable): weight for weight in weights_of(self.model)}
            for variable in variables:
                layer = variable.path.split("/")[0]
                self.weights.setdefault(id(variable), Weight(variable.path, layer, variable))
        # In a graph, variables are created outside of it.
        with tf.init_scope(), tf.variable_creator_scope(of_no_graph):
            for callback in self.callbacks:
                if not callback.started:
                    callback.start(list(self.weights.values()))

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


def run_training_step(model: keras.Model, step: Callable[[], Result]) -> Result:
    """Runs a step of a training that does not call the model's `train_step`, within the callbacks."""
    present = replaced_update(inner_optimizer(model.optimizer))
    return step() if present is None else present.__self__.run_step(step)


def other_optimizers(model: keras.Model, own: keras.optimizers.Optimizer) -> dict[str, keras.optimizers.Optimizer]:
    """The optimizers that a model holds beside its own, by attribute, those of inner models included."""

    def found(owner: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in vars(owner).items():
            several = (
                value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
            )
            yield from ((prefix + name, one) for one in several if isinstance(one, keras.optimizers.Optimizer))
        for layer in sublayers(owner):
            yield from found(layer, f"{prefix}{layer.name}.")

    inner = {name: inner_optimizer(optimizer) for name, optimizer in found(model, "")}
    return {name: optimizer for name, optimizer in inner.items() if optimizer is not own}


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
