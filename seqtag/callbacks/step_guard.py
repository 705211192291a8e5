"""Keeps what is not finite out of the variables that a training step changes beside the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import keras
import tensorflow as tf

from seqtag.callbacks.update_hook import inner_optimizer, of_no_graph
from seqtag.keras_internals import accumulated_gradients
from seqtag.layers.introspection import is_built, state_variables

Result = TypeVar("Result")


class StepGuard:
    """Gives variables the values that they had before a step, where the step left one that is not finite.

    The variables are the model's `state_variables` (moving statistics, kept states) and the sums of accumulated
    gradients. The model changes the first when it runs, before its gradients are known, and whether or not an update
    follows. After an update that was refused, all state variables have their old values, so that its batch leaves no
    trace.

    Create it in the scope of the model's distribution strategy.

    Attributes:
        refused: whether the update of this step was refused; a variable to assign to.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.refused = tf.Variable(False, trainable=False)
        self.names: list[str] = []
        self.faults: tf.Variable | None = None

    def run(self, step: Callable[[], Result]) -> Result:
        """Runs a step of the training."""
        if not tf.executing_eagerly() and self._creates_variables():
            # They must be known before the step. This graph of it is not run.
            tf.function(step, autograph=False).get_concrete_function()
        states = state_variables(self.model)
        variables = [*states, *accumulated_gradients(inner_optimizer(self.model.optimizer))]
        before = [tf.identity(variable.value) for variable in variables]
        self.refused.assign(False)
        result = step()
        faulty = [_is_faulty(variable) for variable in variables]
        self._note(faulty, [variable.path for variable in variables])
        states_go_back = tf.reduce_any([self.refused, *faulty[: len(states)]])
        # A refused update has emptied the sums, which stay empty.
        back = [states_go_back] * len(states) + faulty[len(states) :]
        for variable, old, goes_back in zip(variables, before, back, strict=True):
            self._put_back(variable, old, goes_back)
        return result

    def _creates_variables(self) -> bool:
        """Whether a step builds layers, or an optimizer that accumulates."""
        optimizer = inner_optimizer(self.model.optimizer)
        return not is_built(self.model) or bool(optimizer.gradient_accumulation_steps and not optimizer.built)

    def take_faults(self) -> list[str]:
        """The paths of variables that were not finite since the last call, in steps whose update was not refused."""
        if self.faults is None:
            return []
        found = [name for name, fault in zip(self.names, self.faults.numpy(), strict=True) if fault]
        self.faults.assign(tf.zeros_like(self.faults))
        return found

    def _note(self, faulty: list[tf.Tensor], names: list[str]) -> None:
        if not faulty:
            return
        if self.names != names:
            with tf.init_scope(), tf.variable_creator_scope(of_no_graph), self.model.distribute_strategy.scope():
                self.names, self.faults = names, tf.Variable([False] * len(names), trainable=False)
        assert self.faults is not None
        self.faults.assign(self.faults | (tf.stack(faulty) & ~self.refused))

    def _put_back(self, variable: keras.Variable, old: tf.Tensor, goes_back: tf.Tensor) -> None:
        if self.model.distribute_strategy.num_replicas_in_sync == 1:
            tf.cond(goes_back, lambda: variable.assign(old), lambda: variable.value)
        else:
            # A replica cannot assign to a variable of all replicas under a condition.
            variable.assign(tf.where(goes_back, old, variable.value))


def _is_faulty(variable: Any) -> tf.Tensor:
    if not variable.value.dtype.is_floating:
        return tf.constant(False)
    return ~tf.reduce_all(tf.math.is_finite(variable.value))
