"""Runs the recurrent layers of a model step by step and records each step, so that gradients can be taken there.

Fused recurrences and the loops of Keras do not give access to single steps. During a recording, the loop of every
recurrent layer instance is replaced by one over the steps of its cell, which keeps inputs, states and outputs. The rest
of the layer is unchanged: projections, initial states, skip connections, return values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqtag.keras_internals import remove_untracked, set_untracked
from seqtag.layers.recurrent import Recurrent

# One step over flat lists: (inputs, states) -> (output, new states).
Step = Callable[[tf.Tensor, list[tf.Tensor]], tuple[tf.Tensor, list[tf.Tensor]]]


@dataclass(frozen=True)
class Trajectory:
    """The record of one call of a recurrent layer; lists over time are in the order of the inputs.

    Attributes:
        step: the cell's step, dropout off.
        inputs: the inputs of each step, `(batch, ...)`.
        before: the states before each step.
        after: the states after each step, as the cell returned them; masked rows then keep their old ones.
        outputs: the output of each step, as the layers above read it.
        mask: bool `(batch, time)`, True where a step is real.
        reverse: whether time ran backwards.
        hidden: the index of h among the states.
        carry: the index of c; None if there is no c.
        weights: the cell's variables with their values during the call.
    """

    step: Step
    inputs: list[tf.Tensor]
    before: list[list[tf.Tensor]]
    after: list[list[tf.Tensor]]
    outputs: list[tf.Tensor]
    mask: np.ndarray
    reverse: bool
    hidden: int
    carry: int | None
    weights: list[tuple[Any, tf.Tensor]]

    @property
    def order(self) -> list[int]:
        """The steps in the order in which they ran."""
        steps = list(range(len(self.inputs)))
        return steps[::-1] if self.reverse else steps


@contextmanager
def recorded(layers: Iterable[keras.layers.Layer], tape: tf.GradientTape) -> Iterator[dict[int, list[Trajectory]]]:
    """Records all calls of `layers` in the block: trajectories by `id(layer)`, which the tape can differentiate."""
    trajectories: dict[int, list[Trajectory]] = {}
    loops = []
    for layer in layers:
        kept = trajectories[id(layer)] = []
        loops.append(_own_loop(layer, tape, kept) if isinstance(layer, Recurrent) else _keras_loop(layer, tape, kept))
    try:
        for owner, name, loop in loops:
            set_untracked(owner, name, loop)
        yield trajectories
    finally:
        for owner, name, _ in loops:
            remove_untracked(owner, name)


def _own_loop(layer: Any, tape: tf.GradientTape, kept: list[Trajectory]) -> tuple[Any, str, Callable]:
    """The replacement of `RecurrentCell.run` for one of our layers: owner, name, function."""
    cell = layer.cell

    def run(inputs: tf.Tensor, state: Any, options: Any) -> tuple[tf.Tensor, Any]:
        weights = cell.weights_of_step()

        def step(inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
            output, new = cell.step(inputs, cell.state_type(*states), weights)
            return output, list(new)

        mask = None if options.mask is None else tf.transpose(options.mask[..., 0])
        loop = _Loop(step, mask, options.reverse, tape)
        shown, last = loop.run(cell.project(inputs), list(state), before=state[0])
        # No variables are kept: the step has read the recurrent weights as tensors already.
        kept.append(loop.trajectory(0, 1 if len(state) > 1 else None, []))
        return tf.stack([shown[t] for t in loop.order], axis=1), cell.state_type(*last)

    return cell, "run", run


def _keras_loop(layer: Any, tape: tf.GradientTape, kept: list[Trajectory]) -> tuple[Any, str, Callable]:
    """The replacement of `inner_loop` of a `keras.layers.RNN`, which returns last output, outputs, states."""
    cell = layer.cell
    options = {"training": False} if isinstance(cell, keras.layers.Layer) else {}
    variables = getattr(cell, "variables", [])

    def inner_loop(
        sequences: tf.Tensor, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, Any]:
        structure = initial_state if keras.tree.is_nested(initial_state) else [initial_state]

        def step(inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
            output, new = cell(inputs, keras.tree.pack_sequence_as(structure, states), **options)
            return output, keras.tree.flatten(new)

        states = keras.tree.flatten(structure)
        mask = keras.tree.flatten(mask)[0] if mask is not None else None
        loop = _Loop(step, mask, layer.go_backwards, tape)
        hidden, carry = _roles(cell, len(states))
        shown, last = loop.run(sequences, states, hidden=hidden, zeros=layer.zero_output_for_mask)
        values = [(variable, tf.convert_to_tensor(variable.value)) for variable in variables]
        kept.append(loop.trajectory(hidden, carry, values))
        outputs = tf.stack(shown, axis=1)
        return outputs[:, -1], outputs, keras.tree.pack_sequence_as(structure, last)

    return layer, "inner_loop", inner_loop


def _roles(cell: Any, count: int) -> tuple[int, int | None]:
    """The indices of h and c among a cell's flat states; in a stack, those of the last cell, which gives the output."""
    hidden = 0
    if isinstance(cell, keras.layers.StackedRNNCells):
        hidden = len(keras.tree.flatten([below.state_size for below in cell.cells[:-1]]))
    return hidden, hidden + 1 if hidden + 1 < count else None


class _Loop:
    """Runs a step over time, and keeps inputs, states and outputs."""

    def __init__(self, step: Step, mask: Any, reverse: bool, tape: tf.GradientTape) -> None:
        self.step = step
        self.mask = None if mask is None else tf.cast(mask, tf.bool)
        self.reverse = reverse
        self.tape = tape

    def run(
        self,
        sequences: tf.Tensor,
        states: list[tf.Tensor],
        *,
        hidden: int = 0,
        before: tf.Tensor | None = None,
        zeros: bool = False,
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The outputs in the order in which the steps ran, and the last states.

        A masked step keeps its states. Its output is zero with `zeros`, else the output of the step that ran before it;
        for the first step that is `before`, or zero.
        """
        self.inputs = tf.unstack(sequences, axis=1)
        if not self.inputs:
            raise ValueError("expected sequences of at least one step, found none")
        states = [tf.convert_to_tensor(state) for state in states]
        # So that the tape records everything, even if no weight below is trainable.
        self.tape.watch(states)
        self.before: list[list[tf.Tensor]] = []
        self.after: list[list[tf.Tensor]] = []
        self.outputs: list[tf.Tensor] = []
        shown: list[tf.Tensor] = []
        for t in self.order:
            output, new = self._step(self.inputs[t], states, hidden)
            self.before.append(states)
            self.after.append(new)
            self.outputs.append(output)
            if self.mask is not None:
                before = tf.zeros_like(output) if zeros or before is None else before
                output = before = _where(self.mask[:, t], output, before)
                new = [_where(self.mask[:, t], *pair) for pair in zip(new, states, strict=True)]
            shown.append(output)
            states = new
        return shown, states

    @property
    def order(self) -> list[int]:
        """The steps in the order in which they run."""
        steps = list(range(len(self.inputs)))
        return steps[::-1] if self.reverse else steps

    def _step(self, inputs: tf.Tensor, states: list[tf.Tensor], hidden: int) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs one step; the output is a separate tensor, whose gradient comes from the layers above alone."""
        output, new = self.step(inputs, states)
        same = tf.cast(new[hidden], output.dtype)
        if output.shape == same.shape and bool(tf.reduce_all(output == same)):
            # Output and state are both h, but may be two tensors (two casts of h). The gradient of h is that of both.
            output = same
        return tf.identity(output), new

    def trajectory(self, hidden: int, carry: int | None, weights: list[tuple[Any, tf.Tensor]]) -> Trajectory:
        """The record, in the order of the inputs."""
        size = (self.inputs[0].shape[0], len(self.inputs))
        mask = np.ones(size, bool) if self.mask is None else np.reshape(self.mask, size)
        before, after, outputs = ([kept[t] for t in self.order] for kept in (self.before, self.after, self.outputs))
        return Trajectory(self.step, self.inputs, before, after, outputs, mask, self.reverse, hidden, carry, weights)


def _where(mask: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    """The new rows where the mask `(batch,)` or `(batch, 1)` is True, the old ones elsewhere."""
    return tf.where(tf.reshape(mask, (-1, *[1] * (len(new.shape) - 1))), new, old)
