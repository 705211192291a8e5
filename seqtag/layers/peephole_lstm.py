"""The LSTM with peepholes."""

from __future__ import annotations

from typing import Any

import keras
from keras import constraints, initializers, regularizers

from seqtag.layers.arguments import named
from seqtag.layers.lstm import LSTM, ForgetBias, LSTMCell

_OPTIONS = ("peephole", "peephole_initializer", "peephole_regularizer", "peephole_constraint")


@keras.saving.register_keras_serializable(package="seqtag")
class PeepholeLSTMCell(LSTMCell):
    """One step of the LSTM whose gates read the cell state (Gers et al. 2002; Graves 2013).

    `i_t = σ(x_t W_i + h_{t-1} U_i + p_i ⊙ c_{t-1} + b_i)`,
    `f_t = σ(x_t W_f + h_{t-1} U_f + p_f ⊙ c_{t-1} + b_f)`,
    `c_t = f_t ⊙ c_{t-1} + i_t ⊙ φ(x_t W_g + h_{t-1} U_g + b_g)`,
    `o_t = σ(x_t W_o + h_{t-1} U_o + p_o ⊙ c_t + b_o)`,
    `h_t = o_t ⊙ φ(c_t)`.

    Weights: those of `LSTMCell`, and `peephole_kernel (3, units)` in the order i, f, o.

    Called on inputs `(batch, features)` and the states `[h, c]`; returns the output and the list of the new states.

    Args:
        units: width of the output and of each state.
        peephole: False leaves the peepholes out. Runs of `cell: lstm` are stored so; in code, `LSTMCell` is that cell.
        peephole_initializer, peephole_regularizer, peephole_constraint: of the peephole kernel.
        **kwargs: see `LSTMCell` and `RecurrentCell`, whose arguments it has, in their positions.

    Example:
        >>> cell = PeepholeLSTMCell(4)
        >>> output, (hidden, carry) = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

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
        peephole: bool = True,
        peephole_initializer: Any = "glorot_uniform",
        peephole_regularizer: Any = None,
        peephole_constraint: Any = None,
        layer_norm: bool = False,
        forget_bias: ForgetBias = None,
        chrono_steps: int = 100,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        # In this order they have always taken their numbers of the global seed: see `RecurrentCell`.
        kernel_initializer = initializers.get(kernel_initializer)
        recurrent_initializer = initializers.get(recurrent_initializer)
        bias_initializer = initializers.get(bias_initializer)
        peephole_initializer = initializers.get(peephole_initializer)
        super().__init__(**named(locals(), but=_OPTIONS))
        self.peephole = peephole
        self.peephole_initializer = peephole_initializer
        self.peephole_regularizer = regularizers.get(peephole_regularizer)
        self.peephole_constraint = constraints.get(peephole_constraint)

    @property
    def extends_keras(self) -> bool:
        """Whether it computes what Keras's cell does not."""
        return self.peephole or super().extends_keras

    def _add_peephole(self) -> Any:
        if not self.peephole:
            return None
        return self.add_weight(
            name="peephole_kernel",
            shape=(3, self.units),
            dtype=self.state_dtype,
            initializer=self.peephole_initializer,
            regularizer=self.peephole_regularizer,
            constraint=self.peephole_constraint,
            autocast=False,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "peephole": self.peephole,
            "peephole_initializer": initializers.serialize(self.peephole_initializer),
            "peephole_regularizer": regularizers.serialize(self.peephole_regularizer),
            "peephole_constraint": constraints.serialize(self.peephole_constraint),
        }


@keras.saving.register_keras_serializable(package="seqtag")
class PeepholeLSTM(LSTM):
    """The LSTM with peepholes over sequences; see `PeepholeLSTMCell` for equations and weights.

    Inputs are `(batch, time, features)`, outputs `(batch, time, units)` with `return_sequences` and `(batch,
    units)` without; `return_state` adds h and c, both `(batch, units)`. A masked step does not change the state. The
    arguments are those of `LSTM`, in their positions, and by name those of `PeepholeLSTMCell`.

    Example:
        >>> layer = PeepholeLSTM(4, return_sequences=True, return_state=True)
        >>> outputs, hidden, cell = layer(keras.ops.ones((2, 5, 3)))
        >>> outputs.shape == (2, 5, 4) and cell.shape == (2, 4)
        True
    """

    cell_type = PeepholeLSTMCell
