"""The states of a model's recurrent layers as tensors of a graph, so that gradients flow from one call to the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from seqtag.keras_internals import set_untracked
from seqtag.layers.introspection import check_recurrent, recurrent_layers, weighted_layers
from seqtag.layers.recurrent import Recurrent


class StateTensor:
    """Replaces a state variable of a recurrent layer while a graph is traced.

    The layer reads and assigns it like the variable. But it reads the same tensor that the call before has assigned,
    and not a copy, which gradients do not pass.
    """

    def __init__(self, value: tf.Tensor) -> None:
        self.value = value
        self.reads = self.writes = 0

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> tf.Tensor:
        self.reads += 1
        return self.value if dtype is None else tf.cast(self.value, dtype)

    def assign(self, value: tf.Tensor) -> None:
        """Takes a new value, in the dtype of the old one."""
        self.writes += 1
        self.value = tf.cast(value, self.value.dtype)

    def reset(self, fresh: tf.Tensor) -> None:
        """Sets the rows to zero where `fresh (rows,)` is True; no gradient passes these."""
        rows = tf.reshape(fresh, [-1] + [1] * (len(self.value.shape) - 1))
        self.value = tf.where(rows, tf.zeros_like(self.value), self.value)


class CarriedState:
    """The states of all recurrent layers of a model for `rows` rows, kept outside the model, which is not changed.

    Our recurrent layers carry their state whether they are `stateful` or not; Keras's must be `stateful`, with this
    number of rows as their batch. A layer inside a `TimeDistributed` runs within one step, and carries no state.

    Args:
        model: a built model.
        rows: the number of sequences side by side.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: the model is not built, has no trainable weights or no recurrent layers, or has one that cannot
            carry its state: it runs backwards, or is a Keras layer that is not stateful or has another batch size.
    """

    def __init__(self, model: keras.Model, rows: int) -> None:
        check_recurrent(model)
        within_steps = {
            name for name, layer in weighted_layers(model).items() if isinstance(layer, keras.layers.TimeDistributed)
        }
        self.layers = {
            name: _checked(name, layers, rows)
            for name, layers in recurrent_layers(model).items()
            if name not in within_steps
        }
        if not self.layers:
            raise ValueError("expected a model with recurrent layers over time, found them within TimeDistributed only")
        self.variables = {
            name: [tf.Variable(tf.zeros(shape, dtype), trainable=False) for shape, dtype in _state_specs(layer, rows)]
            for name, layer in self.layers.items()
        }

    def assign(self, values: list[tf.Tensor]) -> None:
        """Takes new values, in the order of `CarriedTensors.values`; a value that is not finite becomes zero.

        Otherwise it would stay in its row until the sequence ends, long after an alarm has restored the weights.
        """
        flat = [variable for variables in self.variables.values() for variable in variables]
        for variable, value in zip(flat, values, strict=True):
            variable.assign(tf.where(tf.math.is_finite(value), value, tf.zeros_like(value)))

    @contextmanager
    def in_layers(self) -> Iterator[CarriedTensors]:
        """Within the block the layers keep their states in tensors, which start from the values kept here."""
        tensors = {
            name: [StateTensor(tf.convert_to_tensor(variable)) for variable in variables]
            for name, variables in self.variables.items()
        }
        own = {name: layer.states for name, layer in self.layers.items()}
        try:
            for name, layer in self.layers.items():
                states = tensors[name] if own[name] is None else keras.tree.pack_sequence_as(own[name], tensors[name])
                set_untracked(layer, "states", states)
            yield CarriedTensors(tensors)
        finally:
            for name, layer in self.layers.items():
                set_untracked(layer, "states", own[name])


class CarriedTensors:
    """The states of all layers within `CarriedState.in_layers`."""

    def __init__(self, tensors: dict[str, list[StateTensor]]) -> None:
        self.tensors = tensors

    @property
    def values(self) -> list[tf.Tensor]:
        """The current states."""
        return [tensor.value for tensors in self.tensors.values() for tensor in tensors]

    def reset(self, fresh: tf.Tensor) -> None:
        """Sets the rows to zero where `fresh (rows,)` is True; no gradient passes these."""
        for tensors in self.tensors.values():
            for tensor in tensors:
                tensor.reset(fresh)

    def check_calls(self, calls: int) -> None:
        """Checks that every layer ran once in each call of the model, from its own state.

        Raises:
            ValueError: a layer did not run or ran twice, or the model gives it an `initial_state`.
        """
        for name, tensors in self.tensors.items():
            if tensors[0].writes != calls:
                found = tensors[0].writes / calls
                raise ValueError(f"expected layer {name!r} to run once in a call of the model, found {found:g} times")
            if not tensors[0].reads:
                raise ValueError(f"expected layer {name!r} to go on from its own state, found an initial_state given")


def _checked(name: str, layers: tuple[keras.layers.Layer, ...], rows: int) -> keras.layers.Layer:
    if len(layers) > 1:
        raise ValueError(f"expected layers that run forwards in time, found the bidirectional {name!r}")
    layer = layers[0]
    if layer.go_backwards:
        raise ValueError(f"expected layers that run forwards in time, found {name!r} with go_backwards=True")
    if not layer.stateful and not isinstance(layer, Recurrent):
        raise ValueError(
            f"expected Keras's recurrent layers to be stateful, found {name!r} with stateful=False; "
            "seqtag's layers may be either"
        )
    if layer.stateful:
        batch = keras.tree.flatten(layer.states)[0].shape[0]
        if batch != rows:
            raise ValueError(f"expected {rows} rows to be the batch of the stateful layer {name!r}, found {batch}")
    return layer


def _state_specs(layer: keras.layers.Layer, rows: int) -> list[tuple[tuple[int, ...], str]]:
    if layer.states is not None:
        return [(tuple(state.shape), state.dtype) for state in keras.tree.flatten(layer.states)]
    return [((rows, size), layer.cell.state_dtype) for size in layer.state_size]
