"""The base of the cells: an input projection for all steps at once, and one step of the recurrence."""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, ops

from seqtag.keras_internals import is_symbolic, runs_on_cores
from seqtag.layers.arguments import rate
from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.arguments import whole_number
from seqtag.ops.recurrence import Tensor
from seqtag.ops.scan import ScanOptions

# Numbers of a step's gates from which two halves of the rows, run side by side on a processor, take less time than all
# rows together: the operations of a step wait for one another, and each is too small for more than one core.
WIDE_STEP = 2**16


class RecurrentCell(keras.layers.Layer):
    """One step of a recurrence, with its weights.

    A subclass has Keras's cell of the same kind as its second base: the arguments and attributes are those of Keras,
    with its positions and defaults. It gives the number of blocks of its kernel (`gates`) and the type of its state
    (`state_type`), creates its weights, and runs `step` or, for whole sequences, a fused recurrence. Every cell also
    works inside `keras.layers.RNN`.

    Args:
        units: width of the state and of the output.
        activation: φ of the equations; a name or a callable.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: of the weights of these names.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties; `"l1"` makes a kernel sparse.
        kernel_constraint, recurrent_constraint, bias_constraint: constraints after each update.
        dropout: share of the inputs to drop in training.
        recurrent_dropout: share of the hidden state to drop before the recurrent product in training.
        seed: seed of the dropout masks.
        layer_norm: whether to normalise `x W` and `h U` over their widths, each with its own gain (Ba, Kiros and Hinton
            2016). Such a cell has no fused gradients and is slower.
        implementation: how Keras multiplies, where its cell has this argument; it changes nothing here.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Raises:
        ValueError: `units` is not a whole number above zero, or a share of dropout is outside [0, 1).
    """

    gates = 1
    state_type: Any = recurrence.RNNState

    def __init__(
        self,
        units: int,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        **of_keras: Any,
    ) -> None:
        # Before Keras's constructor, some of which make the generator of dropout first: where no seeds are given, the
        # order decides which number of the global seed each of them gets.
        for name in ("kernel_initializer", "recurrent_initializer", "bias_initializer"):
            of_keras[name] = initializers.get(of_keras[name])
        super().__init__(
            units=whole_number("units", units),
            dropout=rate("dropout", dropout),
            recurrent_dropout=rate("recurrent_dropout", recurrent_dropout),
            **of_keras,
        )
        # Keras sets a count where each gate has masks of its own; here all gates have the same.
        self.dropout_mask_count = None
        self.layer_norm = layer_norm

    @property
    def extends_keras(self) -> bool:
        """Whether it computes what Keras's cell does not."""
        return self.layer_norm

    @property
    def state_dtype(self) -> str:
        """The dtype of the states: float32 if the compute dtype is float16 or bfloat16."""
        return "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype

    def build(self, input_shape: tuple) -> None:
        """Creates the weights for inputs `(…, features)`."""
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = self._add_bias() if self.use_bias else None
        self.kernel_gain = self._add_gain("kernel_gain", width) if self.layer_norm else None
        self.recurrent_gain = self._add_gain("recurrent_gain", width) if self.layer_norm else None
        self.built = True

    def _add_bias(self) -> Any:
        return self._add_vector("bias", (self.gates * self.units,), self.bias_initializer)

    def _add_vector(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        # Under a half-precision policy these act on float32 states.
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=self.state_dtype,
            initializer=initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            autocast=False,
        )

    def _add_gain(self, name: str, width: int, initializer: str = "ones") -> Any:
        return self.add_weight(
            name=name, shape=(width,), dtype=self.state_dtype, initializer=initializer, autocast=False
        )

    def input_bias(self) -> Tensor | None:
        """The bias that the input projection adds."""
        return self.bias

    def project(self, inputs: Tensor) -> Tensor:
        """`x W + b` for inputs `(…, features)`, in the dtype of the state."""
        projected = ops.cast(ops.matmul(inputs, self.kernel), self.state_dtype)
        if self.kernel_gain is not None:
            projected = recurrence.layer_norm(projected, ops.convert_to_tensor(self.kernel_gain))
        bias = self.input_bias()
        return projected if bias is None else projected + bias

    def weights_of_step(self) -> Any:
        """The weights that a step of `seqtag.ops.recurrence` takes."""
        raise NotImplementedError

    def step(self, inputs: Tensor, state: Any, weights: Any, dropout_mask: Tensor | None = None) -> tuple:
        """One step over projected inputs."""
        raise NotImplementedError

    def fused(self, inputs: Tensor, state: Any, weights: Any, options: ScanOptions) -> tuple:
        """The whole sequence of projected inputs, with hand-derived gradients."""
        raise NotImplementedError

    @property
    def activations(self) -> tuple[Any, ...]:
        """All that a step applies."""
        return (self.activation,)

    def can_fuse(self) -> bool:
        """Whether `fused` supports this cell's options."""
        return not self.layer_norm and fused_recurrence.has_slope(*self.activations)

    def run(self, inputs: Tensor, state: Any, options: ScanOptions) -> tuple[Tensor, Any]:
        """The outputs `(batch, time, units)` over inputs `(batch, time, features)`, and the last state."""
        if not self.can_fuse():
            return self._scan(inputs, state, options)
        weights = self._weights(options)
        native = fused_recurrence.is_native(state[0], weights, *self.activations)
        rows = inputs.shape[0]
        wide = rows is not None and rows % 2 == 0 and rows * self.gates * self.units >= WIDE_STEP
        # Kernels share out the rows themselves.
        if native or not (wide and is_symbolic(inputs) and runs_on_cores()):
            return self._run_fused(inputs, state, weights, options, packs=native and options.mask is not None)
        halves = [
            self._run_fused(
                inputs[part], self.state_type(*[value[part] for value in state]), weights, options.of_rows(part)
            )
            for part in (slice(rows // 2), slice(rows // 2, None))
        ]
        return keras.tree.map_structure(lambda *values: ops.concatenate(values, axis=0), *halves)

    def _run_fused(
        self, inputs: Tensor, state: Any, weights: Any, options: ScanOptions, packs: bool = False
    ) -> tuple[Tensor, Any]:
        if packs:
            # What is padding is not projected, and has no gradient.
            projected = self.project(fused_recurrence.real_steps(recurrence.swap_time(inputs), options))
        else:
            projected = self._projected_by_time(inputs)
        outputs, last = self.fused(projected, state, weights, options)
        return recurrence.swap_time(outputs), last

    def _weights(self, options: ScanOptions) -> Any:
        """The weights of a step, the recurrent kernel without the numbers that weight dropout takes out."""
        weights = self.weights_of_step()
        if options.kernel_mask is None:
            return weights
        return weights._replace(recurrent_kernel=weights.recurrent_kernel * options.kernel_mask)

    def _scan(self, inputs: Tensor, state: Any, options: ScanOptions) -> tuple[Tensor, Any]:
        weights = self._weights(options)
        projected = self.project(inputs)
        width = projected.shape[-1]
        if options.dropout_mask is not None:
            shape = (ops.shape(inputs)[0], ops.shape(inputs)[1], self.units)
            dropped = ops.broadcast_to(recurrence.swap_time(options.dropout_mask), shape)
            projected = ops.concatenate([projected, dropped], axis=-1)

        def step(inputs: Tensor, state: Any) -> tuple:
            dropout_mask = None if options.dropout_mask is None else inputs[:, width:]
            return self.step(inputs[:, :width], state, weights, dropout_mask)

        return recurrence.scan(
            step,
            projected,
            state,
            mask=None if options.mask is None else recurrence.swap_time(options.mask)[..., 0],
            reverse=options.reverse,
            unroll=options.unroll,
        )

    def _projected_by_time(self, inputs: Tensor) -> Tensor:
        """Projected inputs, time first: of the few features, and not of the gates, the axes are swapped."""
        batch, time = ops.shape(inputs)[:2]
        rows = ops.reshape(recurrence.swap_time(inputs), (-1, inputs.shape[-1]))
        # As one matrix, since a product and a bias of matrices are one operation.
        return ops.reshape(self.project(rows), (time, batch, self.gates * self.units))

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """One step over inputs `(batch, features)`, as `keras.layers.RNN` calls it.

        Returns:
            The output `(batch, units)` and the new states: a list, or one tensor if `states` is one.
        """
        old = keras.tree.flatten(states)
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        mask = self.get_recurrent_dropout_mask(old[0]) if training and self.recurrent_dropout else None
        mask = None if mask is None else ops.cast(mask, self.state_dtype)
        state = self.state_type(*[ops.cast(value, self.state_dtype) for value in old])
        output, state = self.step(self.project(inputs), state, self.weights_of_step(), mask)
        new = [ops.cast(value, before.dtype) for value, before in zip(state, old, strict=True)]
        return ops.cast(output, self.compute_dtype), keras.tree.pack_sequence_as(states, new)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "layer_norm": self.layer_norm}
