"""The LSTM, with peepholes or without."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import constraints, initializers, ops, regularizers

from seqtag.layers.recurrent import Recurrent
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import LSTMState, LSTMWeights, Tensor
from seqtag.ops.scan import ScanOptions


@keras.saving.register_keras_serializable(package="seqtag")
class PeepholeLSTMCell(RecurrentCell):
    """One step of the LSTM whose gates read the cell state (Gers et al. 2002; Graves 2013).

    `i_t = σ(x_t W_i + h_{t-1} U_i + p_i ⊙ c_{t-1} + b_i)`,
    `f_t = σ(x_t W_f + h_{t-1} U_f + p_f ⊙ c_{t-1} + b_f)`,
    `c_t = f_t ⊙ c_{t-1} + i_t ⊙ φ(x_t W_g + h_{t-1} U_g + b_g)`,
    `o_t = σ(x_t W_o + h_{t-1} U_o + p_o ⊙ c_t + b_o)`,
    `h_t = o_t ⊙ φ(c_t)`.

    Weights: `kernel (features, 4·units)` and `recurrent_kernel (units, 4·units)` in the order i, f, g, o,
    `bias (4·units,)`, `peephole_kernel (3, units)` in the order i, f, o. With `peephole=False` the weights and the
    numbers are those of `keras.layers.LSTMCell`. Layer norm adds `kernel_gain` and `recurrent_gain` `(4·units,)`, and
    normalises the c_t inside the last φ with `cell_gain` and `cell_offset` `(units,)`.

    Called on inputs `(batch, features)` and the states `[h, c]`; returns the output and the list of the new states.

    Args:
        units: width of the output and of each state.
        recurrent_activation: σ.
        peephole: whether the gates read the cell state.
        forget_bias: initial bias of the forget gate: a number, `"chrono"`, or None for `bias_initializer`. With
            `"chrono"` the units remember for 1 to `chrono_steps` steps: `b_f = log u` with u uniform over
            `[1, chrono_steps - 1]`, and `b_i = -b_f` (Tallec and Ollivier 2018).
        chrono_steps: the longest dependency that `"chrono"` expects, in steps.
        peephole_initializer, peephole_regularizer, peephole_constraint: of the peephole kernel.
        **options: see `RecurrentCell`.

    Raises:
        ValueError: for a `forget_bias` of another kind, or `chrono_steps` below 3.

    Example:
        >>> cell = PeepholeLSTMCell(4)
        >>> output, (hidden, carry) = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

    gates = 4
    state_type = LSTMState

    def __init__(
        self,
        units: int,
        *,
        recurrent_activation: Any = "sigmoid",
        peephole: bool = True,
        forget_bias: float | Literal["chrono"] | None = 1.0,
        chrono_steps: int = 100,
        peephole_initializer: Any = "glorot_uniform",
        peephole_regularizer: Any = None,
        peephole_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(units, **options)
        if isinstance(forget_bias, str) and forget_bias != "chrono":
            raise ValueError(f"expected forget_bias to be a number, 'chrono' or None, found {forget_bias!r}")
        if chrono_steps < 3:
            raise ValueError(f"expected chrono_steps to be at least 3, found {chrono_steps}")
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.peephole = peephole
        self.forget_bias = forget_bias
        self.chrono_steps = chrono_steps
        self.peephole_initializer = initializers.get(peephole_initializer)
        self.peephole_regularizer = regularizers.get(peephole_regularizer)
        self.peephole_constraint = constraints.get(peephole_constraint)

    def build(self, input_shape: tuple) -> None:
        """Creates the weights for inputs `(…, features)`."""
        super().build(input_shape)
        self.peephole_kernel = self._add_peephole() if self.peephole else None
        self.cell_gain = self._add_gain("cell_gain", self.units) if self.layer_norm else None
        self.cell_offset = self._add_gain("cell_offset", self.units, "zeros") if self.layer_norm else None

    def _add_peephole(self) -> Any:
        return self.add_weight(
            name="peephole_kernel",
            shape=(3, self.units),
            initializer=self.peephole_initializer,
            regularizer=self.peephole_regularizer,
            constraint=self.peephole_constraint,
            autocast=False,
        )

    def _add_bias(self) -> Any:
        return self._add_vector("bias", (4 * self.units,), self._start_bias)

    def _start_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """The initial bias, made of its four blocks."""
        i, f, g, o = ops.split(ops.cast(self.bias_initializer(shape, dtype=dtype), dtype), 4)
        if self.forget_bias == "chrono":
            spread = initializers.RandomUniform(1.0, self.chrono_steps - 1.0)
            f = ops.log(spread((self.units,), dtype=dtype))
            i = -f
        elif self.forget_bias is not None:
            f = ops.full((self.units,), self.forget_bias, dtype=dtype)
        return ops.concatenate([i, f, g, o])

    def can_fuse(self) -> bool:
        """Whether `fused` supports this cell's options."""
        return super().can_fuse() and fused_recurrence.has_slope(self.recurrent_activation)

    def weights_of_step(self) -> LSTMWeights:
        """The weights that `recurrence.lstm_step` takes."""
        return recurrence.as_tensors(
            LSTMWeights(
                self.recurrent_kernel,
                self.peephole_kernel,
                self.recurrent_gain,
                self.cell_gain,
                self.cell_offset,
            )
        )

    def step(self, inputs: Tensor, state: LSTMState, weights: LSTMWeights, dropout_mask: Tensor | None = None) -> tuple:
        """One step over projected inputs `(batch, 4·units)`."""
        return recurrence.lstm_step(
            inputs,
            state,
            weights,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            dropout_mask=dropout_mask,
        )

    def fused(self, inputs: Tensor, state: LSTMState, weights: LSTMWeights, options: ScanOptions) -> tuple:
        """The whole sequence of projected inputs `(batch, time, 4·units)`."""
        return fused_recurrence.lstm(
            inputs,
            state,
            weights,
            options,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "peephole": self.peephole,
            "forget_bias": self.forget_bias,
            "chrono_steps": self.chrono_steps,
            "peephole_initializer": initializers.serialize(self.peephole_initializer),
            "peephole_regularizer": regularizers.serialize(self.peephole_regularizer),
            "peephole_constraint": constraints.serialize(self.peephole_constraint),
        }


@keras.saving.register_keras_serializable(package="seqtag")
class PeepholeLSTM(Recurrent):
    """The LSTM over sequences, with peepholes or without; see `PeepholeLSTMCell` for equations and weights.

    Inputs are `(batch, time, features)`, outputs `(batch, time, units)` with `return_sequences` and `(batch,
    units)` without; `return_state` adds h and c, both `(batch, units)`. A masked step does not change the state. With
    `peephole=False` it has the weights and numbers of `keras.layers.LSTM`. The arguments are those of `Recurrent` and
    of `PeepholeLSTMCell`, with Keras's names and defaults.

    Example:
        >>> layer = PeepholeLSTM(4, return_sequences=True, return_state=True)
        >>> outputs, hidden, cell = layer(keras.ops.ones((2, 5, 3)))
        >>> outputs.shape == (2, 5, 4) and cell.shape == (2, 4)
        True
    """

    cell_type = PeepholeLSTMCell
