"""The base of the cells: an input projection for all steps at once, and one step of the recurrence."""

from __future__ import annotations

from typing import Any

import keras
from keras import activations, constraints, initializers, ops, regularizers

from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import Tensor
from seqtag.ops.scan import ScanOptions


class RecurrentCell(keras.layers.Layer):
    """One step of a recurrence, with its weights.

    A subclass gives the number of blocks of its kernel (`gates`) and the type of its state (`state_type`), creates its
    weights, and runs `step` or, for whole sequences, a fused recurrence. Every cell also works inside
    `keras.layers.RNN`.

    Args:
        units: width of the state and of the output.
        activation: φ of the equations; a name or a callable.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: of the weights of these names.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties; `"l1"` makes a kernel sparse.
        kernel_constraint, recurrent_constraint, bias_constraint: constraints after each update.
        layer_norm: whether to normalise `x W` and `h U` over their widths, each with its own gain (Ba, Kiros and Hinton
            2016). Such a cell has no fused gradients and is slower.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Raises:
        ValueError: if `units` is not a whole number above zero.
    """

    gates = 1
    state_type: Any = recurrence.RNNState

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        layer_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"expected units to be a whole number above zero, found {units!r}")
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.layer_norm = layer_norm

    @property
    def state_size(self) -> list[int]:
        """The width of each state tensor."""
        return [self.units] * len(self.state_type._fields)

    @property
    def output_size(self) -> int:
        """The width of the output."""
        return self.units

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
        # No autocast: under a half-precision policy these act on float32 states.
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            autocast=False,
        )

    def _add_gain(self, name: str, width: int, initializer: str = "ones") -> Any:
        return self.add_weight(name=name, shape=(width,), initializer=initializer, autocast=False)

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

    def can_fuse(self) -> bool:
        """Whether `fused` supports this cell's options."""
        return not self.layer_norm and fused_recurrence.has_slope(self.activation)

    def run(self, inputs: Tensor, state: Any, options: ScanOptions) -> tuple[Tensor, Any]:
        """The outputs `(batch, time, units)` over projected inputs `(batch, time, …)`, and the last state."""
        weights = self.weights_of_step()
        if self.can_fuse():
            return self.fused(inputs, state, weights, options)
        width = inputs.shape[-1]
        if options.dropout_mask is not None:
            shape = (ops.shape(inputs)[0], ops.shape(inputs)[1], self.units)
            inputs = ops.concatenate([inputs, ops.broadcast_to(options.dropout_mask, shape)], axis=-1)

        def step(inputs: Tensor, state: Any) -> tuple:
            dropout_mask = None if options.dropout_mask is None else inputs[:, width:]
            return self.step(inputs[:, :width], state, weights, dropout_mask)

        return recurrence.scan(
            step,
            inputs,
            state,
            mask=options.mask,
            reverse=options.reverse,
            unroll=options.unroll,
        )

    def call(self, inputs: Tensor, states: Any) -> tuple[Tensor, list[Tensor]]:
        """One step over inputs `(batch, features)`, as `keras.layers.RNN` calls it.

        Returns:
            The output `(batch, units)` and the list of new states.
        """
        dtypes = [state.dtype for state in states]
        state = self.state_type(*[ops.cast(value, self.state_dtype) for value in states])
        output, state = self.step(self.project(inputs), state, self.weights_of_step())
        new_states = [ops.cast(value, dtype) for value, dtype in zip(state, dtypes, strict=True)]
        return ops.cast(output, self.compute_dtype), new_states

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """States of zeros."""
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in self.state_size]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "layer_norm": self.layer_norm,
        }
        for weight in ("kernel", "recurrent", "bias"):
            for kind, module in _KINDS.items():
                name = f"{weight}_{kind}"
                config[name] = module.serialize(getattr(self, name))
        return {**super().get_config(), **config}


_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
