"""The base of the recurrent layers: a cell run over time, with masks, states, dropout and a skip connection."""

from __future__ import annotations

from inspect import signature
from typing import Any

import keras
from keras import ops

from seqtag.keras_internals import set_untracked
from seqtag.layers.arguments import rate
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops import fused_recurrence
from seqtag.ops.recurrence import Tensor, swap_time
from seqtag.ops.scan import ScanOptions


class Recurrent(keras.layers.RNN):
    """Runs a cell of `cell_type` over the time axis of `(batch, time, features)`.

    A masked step does not change the state, whatever its inputs are: its output repeats that of the last real step, and
    is zero if there was none. So a mask may have gaps, and a row without a real step ends in its initial state. Running
    backwards skips the padding in the same way, so that each row is reversed within its own real steps.

    A subclass has Keras's layer of the same kind as its second base: arguments, positions, defaults, attributes, weight
    files and numbers are Keras's. What it computes is this class's.

    States are kept in float32 under `mixed_bfloat16` and `mixed_float16`; the products are computed in the half dtype,
    and outputs and returned states are cast to it. The states that a stateful layer keeps between batches are no
    weights: they are not saved, and a loaded layer starts from zeros.

    Args:
        units: width of the output.
        return_sequences: whether to return the outputs of all steps; else only that of the last step.
        return_state: whether to return the last states after the output.
        go_backwards: whether to run from the last step to the first; the outputs are in that order too.
        stateful: whether the last states of a batch are the initial states of the next; needs a static batch size.
        unroll: whether to write the steps out instead of a loop; needs a static time dimension.
        zero_output_for_mask: whether outputs of masked steps are zeros; that of the last step is then zero in a padded
            row, so that this goes with `return_sequences`.
        dropout: share of the inputs to drop in training.
        recurrent_dropout: share of the hidden state to drop before the recurrent product in training.
        variational: whether all steps have the same dropout mask, as in Keras and in Gal and Ghahramani (2016); else
            each step has its own.
        weight_dropout: share of the recurrent kernel's numbers to drop in training, the same for all rows and steps of
            a call (Merity, Keskar and Socher 2018, section 2).
        residual: whether to add the inputs to the outputs, through a trained projection if their widths differ; needs
            `return_sequences`.
        seed: seed of the dropout masks.
        use_cudnn: `"auto"`, True or False, where Keras's layer has it; the recurrence is the same for each. True is
            refused where the layer computes what cuDNN does not.
        activity_regularizer, name, dtype, trainable: as in every layer.
        **arguments: further arguments of the cell.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: list of tensors `(batch, units)`, or one tensor if there is one state; zeros by default, or the
            kept states if stateful.
        mask: bool `(batch, time)`, True where a step is real; by default the one that Keras propagates.
        training: whether dropout acts.

    Raises:
        ValueError: for a dropout rate outside [0, 1), `residual` without `return_sequences`, `stateful` without a
            static batch size or called with another one, `unroll` without a static time dimension, and an argument that
            neither the layer nor its cell has.
    """

    cell_type: type[RecurrentCell]

    def __init__(
        self,
        units: int,
        *,
        variational: bool = True,
        residual: bool = False,
        weight_dropout: float = 0.0,
        **arguments: Any,
    ) -> None:
        of_cell = {name: arguments.pop(name) for name in signature(self.cell_type).parameters if name in arguments}
        of_both = {name: arguments[name] for name in ("dtype", "trainable") if name in arguments}
        cell = self.cell_type(units, name="cell", **of_cell, **of_both)
        # Not the constructor of Keras's own layer, which would make Keras's own cell.
        keras.layers.RNN.__init__(self, cell, **arguments)
        if residual and not self.return_sequences:
            raise ValueError("expected return_sequences=True with residual=True, found False")
        self.variational = variational
        self.residual = residual
        self.weight_dropout = rate("weight_dropout", weight_dropout)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        # XLA cannot differentiate Keras's scan on TensorFlow; the fused recurrences have gradients of their own.
        fused = cell.can_fuse() and fused_recurrence.can_compile()
        self.supports_jit = fused or keras.config.backend() != "tensorflow"
        self.residual_kernel: Any = None
        set_untracked(self, "kept_states", [])

    @property
    def units(self) -> int:
        """The width of the output."""
        return self.cell.units

    @property
    def variables(self) -> list[Any]:
        """Weights, the state of the dropout's generator, and the kept states: all that a call may change."""
        return [*super().variables, *self.kept_states]

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
        states = [
            keras.Variable(
                "zeros",
                shape=(batch, self.units),
                dtype=self.cell.state_dtype,
                trainable=False,
                autocast=False,
                name=f"{field}_state",
            )
            for field in self.cell.state_type._fields
        ]
        # Untracked, as Keras's are: no weights, and in no file.
        set_untracked(self, "states", states)
        set_untracked(self, "kept_states", states)

    def call(
        self,
        sequences: Tensor,
        initial_state: list[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool = False,
        sequences_mask: Tensor | None = None,
    ) -> Any:
        """Runs over the sequences; with an `initial_state`, Keras passes its mask as `sequences_mask`."""
        self._check_rows(sequences)
        mask = sequences_mask if mask is None else mask
        mask = None if mask is None else ops.cast(mask, "bool")
        by_time = None if mask is None else ops.transpose(mask)[..., None]
        dropped = self._recurrent_dropout_mask(sequences, training)
        kernel_mask = self._kernel_mask(training)
        options = ScanOptions(by_time, dropped, self.go_backwards, self.unroll, kernel_mask)
        inputs = self._drop_inputs(sequences, training)
        outputs, state = self.cell.run(inputs, self._initial_state(sequences, initial_state), options)
        if self.states is not None:
            for variable, value in zip(self.states, state, strict=True):
                variable.assign(value)
        shown = None if mask is None else self._shown(mask, from_zeros=initial_state is None and self.states is None)
        if self.return_sequences:
            output = self._finish(outputs, sequences, shown)
        else:
            output = state[0] if shown is None else _zero_unless(shown[:, 0 if self.go_backwards else -1], state[0])
        output = ops.cast(output, self.compute_dtype)
        if self.return_state:
            return output, *[ops.cast(value, self.compute_dtype) for value in state]
        return output

    def _check_rows(self, sequences: Tensor) -> None:
        if not self.kept_states:
            return
        wanted, found = self.kept_states[0].shape[0], sequences.shape[0]
        if found not in (None, wanted):
            raise ValueError(
                f"expected the batch size of {self.name!r} to stay {wanted} with stateful=True, found {found}"
            )

    def _shown(self, mask: Tensor, from_zeros: bool) -> Tensor | None:
        """Where outputs are shown, `(batch, time)`; they are zeros elsewhere. None for everywhere.

        That is where a row has had a real step: before it, the cell has only its initial state. Nothing is to be done
        for an initial state of zeros.
        """
        if self.zero_output_for_mask:
            return mask
        if from_zeros:
            return None
        if self.go_backwards:
            mask = ops.flip(mask, axis=1)
        begun = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
        return ops.flip(begun, axis=1) if self.go_backwards else begun

    def _finish(self, outputs: Tensor, sequences: Tensor, shown: Tensor | None) -> Tensor:
        """Sets steps that are not shown to zero, adds the skip connection, and puts all in the order of running."""
        outputs = ops.cast(outputs, self.compute_dtype)
        if shown is not None:
            outputs = _zero_unless(shown, outputs)
        if self.residual:
            skip = sequences if self.residual_kernel is None else ops.matmul(sequences, self.residual_kernel)
            outputs = outputs + (_zero_unless(shown, skip) if shown is not None and self.zero_output_for_mask else skip)
        return ops.flip(outputs, axis=1) if self.go_backwards else outputs

    def _initial_state(self, sequences: Tensor, initial_state: Any) -> Any:
        given = self.states if initial_state is None else initial_state
        if given is None:
            given = self.get_initial_state(ops.shape(sequences)[0])
        given = keras.tree.flatten(given)
        if len(given) != len(self.state_size):
            expected = ", ".join(self.cell.state_type._fields)
            raise ValueError(f"expected the initial state to be [{expected}], found {len(given)} tensors")
        return self.cell.state_type(*[ops.cast(value, self.cell.state_dtype) for value in given])

    def _drop_inputs(self, sequences: Tensor, training: bool) -> Tensor:
        share = self.cell.dropout
        if not training or share == 0.0:
            return sequences
        shape = (None, 1, None) if self.variational else None
        return keras.random.dropout(sequences, share, noise_shape=shape, seed=self.cell.seed_generator)

    def _recurrent_dropout_mask(self, sequences: Tensor, training: bool) -> Tensor | None:
        share = self.cell.recurrent_dropout
        if not training or share == 0.0:
            return None
        batch, time = ops.shape(sequences)[:2]
        ones = ops.ones((batch, 1 if self.variational else time, self.units), dtype=self.cell.state_dtype)
        return swap_time(keras.random.dropout(ones, share, seed=self.cell.seed_generator))

    def _kernel_mask(self, training: bool) -> Tensor | None:
        if not training or self.weight_dropout == 0.0:
            return None
        kernel = self.cell.recurrent_kernel
        ones = ops.ones(kernel.shape, dtype=self.compute_dtype)
        return keras.random.dropout(ones, self.weight_dropout, seed=self.cell.seed_generator)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the sequences, in the order of the outputs; None if only the last step is returned."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is None or not self.return_sequences:
            mask = None
        elif self.go_backwards:
            mask = ops.flip(mask, axis=1)
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask

    def compute_output_shape(self, sequences_shape: tuple, initial_state_shape: Any = None) -> Any:
        """`(batch, time, units)` or `(batch, units)`, and the shapes of the states if they are returned."""
        batch, time = sequences_shape[0], sequences_shape[1]
        output = (batch, time, self.units) if self.return_sequences else (batch, self.units)
        return (output, *[(batch, size) for size in self.state_size]) if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with those of the cell."""
        own = {name: getattr(self, name) for name in _OPTIONS}
        regularizer = keras.regularizers.serialize(self.activity_regularizer)
        of_layer = keras.layers.Layer.get_config(self)
        return {**self.cell.get_config(), **of_layer, **own, "activity_regularizer": regularizer}


def _zero_unless(shown: Tensor, outputs: Tensor) -> Tensor:
    return ops.where(shown[..., None], outputs, ops.zeros_like(outputs))


def checked_use_cudnn(layer: Recurrent, use_cudnn: bool | str) -> bool | str:
    """The argument `use_cudnn` of a layer; False if cuDNN could not do what it computes.

    Raises:
        ValueError: it is of another kind, or True for such a layer.
    """
    if use_cudnn not in ("auto", True, False):
        raise ValueError(f"expected use_cudnn to be 'auto', True or False, found {use_cudnn!r}")
    if not (layer.residual or layer.cell.extends_keras):
        return use_cudnn
    if use_cudnn is True:
        raise ValueError(
            f"expected use_cudnn to be 'auto' or False for {layer.name!r}, found True: "
            "cuDNN has no peepholes, layer norm and skip connections"
        )
    # Keras's `Bidirectional` reads this attribute before it runs its own kernels on a layer's weights.
    return False


_OPTIONS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
    "variational",
    "residual",
    "weight_dropout",
)
