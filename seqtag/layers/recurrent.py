"""The base of the recurrent layers: a cell run over time, with masks, states, dropout and a skip connection."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops.recurrence import Tensor
from seqtag.ops.scan import ScanOptions


class Recurrent(keras.layers.Layer):
    """Runs the cell `cell_type(units, **cell_options)` over the time axis of `(batch, time, features)`.

    A masked step does not change the state, whatever its inputs are: its output repeats that of the last real step
    (zeros, or the initial state, if there was none). So a mask may have gaps, and a row without a real step ends in its
    initial state. Running backwards skips the padding in the same way, so that each row is reversed within its own real
    steps.

    States are kept in float32 under `mixed_bfloat16` and `mixed_float16`; the products are computed in the half dtype,
    and outputs and returned states are cast to it.

    Args:
        units: width of the output.
        return_sequences: whether to return the outputs of all steps; else only that of the last step.
        return_state: whether to return the last states after the output.
        go_backwards: whether to run from the last step to the first; the outputs are in that order too.
        stateful: whether the last states of a batch are the initial states of the next; needs a static batch size.
        unroll: whether to write the steps out instead of a loop; needs a static time dimension.
        zero_output_for_mask: whether outputs of masked steps are zeros (with `return_sequences`).
        dropout: share of the inputs to drop in training.
        recurrent_dropout: share of the hidden state to drop before the recurrent product in training.
        variational: whether all steps have the same dropout mask, as in Keras and in Gal and Ghahramani (2016); else
            each step has its own.
        residual: whether to add the inputs to the outputs, through a trained projection if their widths differ; needs
            `return_sequences`.
        seed: seed of the dropout masks.
        activity_regularizer, name, dtype, trainable: as in every layer.
        **cell_options: further arguments of the cell.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: list of tensors `(batch, units)`; zeros by default, or the kept states if stateful.
        mask: bool `(batch, time)`, True where a step is real; by default the one that Keras propagates.
        training: whether dropout acts.

    Raises:
        ValueError: for a dropout rate outside [0, 1), `residual` without `return_sequences`, `stateful` without a
            static batch size, `unroll` without a static time dimension.
        TypeError: for an argument that neither the layer nor its cell has.
    """

    cell_type: type[RecurrentCell]

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        variational: bool = True,
        residual: bool = False,
        seed: int | None = None,
        activity_regularizer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        **cell_options: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, name=name, dtype=dtype, trainable=trainable)
        if residual and not return_sequences:
            raise ValueError("expected return_sequences=True with residual=True, found False")
        self.cell = self.cell_type(units, name="cell", dtype=self.dtype_policy, trainable=trainable, **cell_options)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.dropout = _check_rate("dropout", dropout)
        self.recurrent_dropout = _check_rate("recurrent_dropout", recurrent_dropout)
        self.variational = variational
        self.residual = residual
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True
        # XLA cannot differentiate Keras's scan on TensorFlow; the fused recurrences have gradients of their own.
        self.supports_jit = self.cell.can_fuse() or keras.config.backend() != "tensorflow"
        self.states: list[Any] | None = None
        self.residual_kernel: Any = None

    @property
    def units(self) -> int:
        """The width of the output."""
        return self.cell.units

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Creates the weights of the cell, the residual projection if widths differ, and the states if stateful."""
        batch, _, features = sequences_shape
        if not self.cell.built:
            self.cell.build((batch, features))
        if self.residual and features != self.units:
            self.residual_kernel = self.add_weight(
                name="residual_kernel", shape=(features, self.units), initializer="glorot_uniform"
            )
        if self.stateful:
            self._add_states(batch)
        self.built = True

    def _add_states(self, batch: int | None) -> None:
        if batch is None:
            raise ValueError("expected a static batch size for stateful=True, found None")
        self.states = [
            self.add_weight(
                name=f"{field}_state",
                shape=(batch, self.units),
                initializer="zeros",
                trainable=False,
                dtype=self.cell.state_dtype,
                autocast=False,
            )
            for field in self.cell.state_type._fields
        ]

    def reset_state(self) -> None:
        """Sets the kept states to zero; for a stateful layer."""
        for state in self.states or []:
            state.assign(ops.zeros(state.shape, dtype=state.dtype))

    def call(
        self,
        sequences: Tensor,
        initial_state: list[Tensor] | None = None,
        mask: Tensor | None = None,
        sequences_mask: Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Runs over the sequences; with an `initial_state`, Keras passes its mask as `sequences_mask`."""
        mask = sequences_mask if mask is None else mask
        mask = None if mask is None else ops.cast(mask, "bool")
        options = ScanOptions(mask, self._recurrent_dropout_mask(sequences, training), self.go_backwards, self.unroll)
        projected = self.cell.project(self._drop_inputs(sequences, training))
        outputs, state = self.cell.run(projected, self._initial_state(sequences, initial_state), options)
        if self.states is not None:
            for variable, value in zip(self.states, state, strict=True):
                variable.assign(value)
        output = self._finish(outputs, sequences, mask) if self.return_sequences else state[0]
        output = ops.cast(output, self.compute_dtype)
        if self.return_state:
            return output, *[ops.cast(value, self.compute_dtype) for value in state]
        return output

    def _finish(self, outputs: Tensor, sequences: Tensor, mask: Tensor | None) -> Tensor:
        """Adds the skip connection, sets masked steps to zero, and puts the outputs in the order of running."""
        outputs = ops.cast(outputs, self.compute_dtype)
        if self.residual:
            skip = sequences if self.residual_kernel is None else ops.matmul(sequences, self.residual_kernel)
            outputs = outputs + skip
        if self.zero_output_for_mask and mask is not None:
            outputs = ops.where(mask[..., None], outputs, ops.zeros_like(outputs))
        return ops.flip(outputs, axis=1) if self.go_backwards else outputs

    def _initial_state(self, sequences: Tensor, initial_state: list[Tensor] | None) -> Any:
        given = initial_state if initial_state is not None else self.states
        if given is None:
            zeros = ops.zeros((ops.shape(sequences)[0], self.units), dtype=self.cell.state_dtype)
            return self.cell.state_type(*[zeros] * len(self.cell.state_size))
        given = keras.tree.flatten(given)
        if len(given) != len(self.cell.state_size):
            expected = ", ".join(self.cell.state_type._fields)
            raise ValueError(f"expected the initial state to be [{expected}], found {len(given)} tensors")
        return self.cell.state_type(*[ops.cast(value, self.cell.state_dtype) for value in given])

    def _drop_inputs(self, sequences: Tensor, training: bool) -> Tensor:
        if not training or self.dropout == 0.0:
            return sequences
        shape = (None, 1, None) if self.variational else None
        return keras.random.dropout(sequences, self.dropout, noise_shape=shape, seed=self.seed_generator)

    def _recurrent_dropout_mask(self, sequences: Tensor, training: bool) -> Tensor | None:
        if not training or self.recurrent_dropout == 0.0:
            return None
        batch, time = ops.shape(sequences)[:2]
        ones = ops.ones((batch, 1 if self.variational else time, self.units), dtype=self.cell.state_dtype)
        return keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the sequences, in the order of the outputs; None if only the last step is returned."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is None or not self.return_sequences:
            mask = None
        elif self.go_backwards:
            mask = ops.flip(mask, axis=1)
        return [mask, *[None] * len(self.cell.state_size)] if self.return_state else mask

    def compute_output_shape(self, sequences_shape: tuple, initial_state_shape: Any = None) -> Any:
        """`(batch, time, units)` or `(batch, units)`, and the shapes of the states if they are returned."""
        batch, time = sequences_shape[0], sequences_shape[1]
        output = (batch, time, self.units) if self.return_sequences else (batch, self.units)
        return (output, *[(batch, size) for size in self.cell.state_size]) if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with those of the cell."""
        own = {name: getattr(self, name) for name in _OPTIONS}
        regularizer = keras.regularizers.serialize(self.activity_regularizer)
        return {
            **self.cell.get_config(),
            **super().get_config(),
            **own,
            "activity_regularizer": regularizer,
        }


def _check_rate(name: str, rate: float) -> float:
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"expected {name} to be at least 0 and below 1, found {rate}")
    return float(rate)


_OPTIONS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
    "dropout",
    "recurrent_dropout",
    "variational",
    "residual",
    "seed",
)
