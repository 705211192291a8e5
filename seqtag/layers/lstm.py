"""The LSTM."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import initializers, ops

from seqtag.layers.arguments import named
from seqtag.layers.recurrent import Recurrent, checked_use_cudnn
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import LSTMState, LSTMWeights, Tensor
from seqtag.ops.scan import ScanOptions

ForgetBias = float | Literal["chrono"] | None


@keras.saving.register_keras_serializable(package="seqtag")
class LSTMCell(RecurrentCell, keras.layers.LSTMCell):
    """One step of the LSTM (Hochreiter and Schmidhuber 1997; with the forget gate of Gers et al. 2000).

    `i_t = σ(x_t W_i + h_{t-1} U_i + b_i)`, `f_t = σ(x_t W_f + h_{t-1} U_f + b_f)`,
    `c_t = f_t ⊙ c_{t-1} + i_t ⊙ φ(x_t W_g + h_{t-1} U_g + b_g)`,
    `o_t = σ(x_t W_o + h_{t-1} U_o + b_o)`, `h_t = o_t ⊙ φ(c_t)`.

    Weights, equal to those of `keras.layers.LSTMCell`: `kernel (features, 4·units)` and `recurrent_kernel
    (units, 4·units)` in the order i, f, g, o, and `bias (4·units,)`. Layer norm adds `kernel_gain` and `recurrent_gain`
    `(4·units,)`, and normalises the c_t inside the last φ with `cell_gain` and `cell_offset` `(units,)`.

    Called on inputs `(batch, features)` and the states `[h, c]`; returns the output and the list of the new states. See
    `RecurrentCell` for the other arguments.

    Args:
        units: width of the output and of each state.
        recurrent_activation: σ.
        unit_forget_bias: whether the forget gate's bias starts at 1; else as `bias_initializer` says.
        forget_bias: where the forget gate's bias starts instead: a number, or `"chrono"`. With `"chrono"` the units
            remember for 1 to `chrono_steps` steps: `b_f = log u` with u uniform over `[1, chrono_steps - 1]`, and
            `b_i = -b_f` (Tallec and Ollivier 2018).
        chrono_steps: the longest dependency that `"chrono"` expects, in steps.

    Raises:
        ValueError: for a `forget_bias` of another kind, or `chrono_steps` below 3.

    Example:
        >>> cell = LSTMCell(4)
        >>> output, (hidden, carry) = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

    gates = 4
    state_type = LSTMState

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        layer_norm: bool = False,
        forget_bias: ForgetBias = None,
        chrono_steps: int = 100,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), but=("forget_bias", "chrono_steps")))
        if isinstance(forget_bias, str) and forget_bias != "chrono":
            raise ValueError(f"expected forget_bias to be a number, 'chrono' or None, found {forget_bias!r}")
        if chrono_steps < 3:
            raise ValueError(f"expected chrono_steps to be at least 3, found {chrono_steps}")
        self.forget_bias = forget_bias
        self.chrono_steps = chrono_steps

    def build(self, input_shape: tuple) -> None:
        """Creates the weights for inputs `(…, features)`."""
        super().build(input_shape)
        self.peephole_kernel = self._add_peephole()
        self.cell_gain = self._add_gain("cell_gain", self.units) if self.layer_norm else None
        self.cell_offset = self._add_gain("cell_offset", self.units, "zeros") if self.layer_norm else None

    def _add_peephole(self) -> Any:
        """None: a cell with peepholes makes their weights here."""
        return None

    def _add_bias(self) -> Any:
        return self._add_vector("bias", (4 * self.units,), self._start_bias)

    def _start_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """The initial bias, made of its four blocks."""
        i, f, g, o = ops.split(ops.cast(self.bias_initializer(shape, dtype=dtype), dtype), 4)
        if self.forget_bias == "chrono":
            spread = initializers.RandomUniform(1.0, self.chrono_steps - 1.0)
            f = ops.log(spread((self.units,), dtype=dtype))
            i = -f
        elif self.forget_bias is not None or self.unit_forget_bias:
            f = ops.full((self.units,), 1.0 if self.forget_bias is None else self.forget_bias, dtype=dtype)
        return ops.concatenate([i, f, g, o])

    @property
    def activations(self) -> tuple[Any, ...]:
        """All that a step applies."""
        return self.activation, self.recurrent_activation

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
        """The whole sequence of projected inputs `(time, batch, 4·units)`."""
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
        return {**super().get_config(), "forget_bias": self.forget_bias, "chrono_steps": self.chrono_steps}


@keras.saving.register_keras_serializable(package="seqtag")
class LSTM(Recurrent, keras.layers.LSTM):
    """The LSTM over sequences, with the weights and numbers of `keras.layers.LSTM`; see `LSTMCell` for its equations.

    Inputs are `(batch, time, features)`, outputs `(batch, time, units)` with `return_sequences` and `(batch,
    units)` without; `return_state` adds h and c, both `(batch, units)`. A masked step does not change the state. The
    arguments are those of `Recurrent` and of `LSTMCell`, with Keras's names, positions and defaults.

    Example:
        >>> layer = LSTM(4, return_sequences=True, return_state=True)
        >>> outputs, hidden, cell = layer(keras.ops.ones((2, 5, 3)))
        >>> outputs.shape == (2, 5, 4) and cell.shape == (2, 4)
        True
    """

    cell_type = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        *,
        zero_output_for_mask: bool = False,
        variational: bool = True,
        residual: bool = False,
        weight_dropout: float = 0.0,
        layer_norm: bool = False,
        forget_bias: ForgetBias = None,
        chrono_steps: int = 100,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), but=("use_cudnn",)))
        self.use_cudnn = checked_use_cudnn(self, use_cudnn)
