"""The simple recurrent network."""

from __future__ import annotations

from typing import Any

import keras

from seqtag.layers.arguments import named
from seqtag.layers.recurrent import Recurrent
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import RNNState, RNNWeights, Tensor
from seqtag.ops.scan import ScanOptions


@keras.saving.register_keras_serializable(package="seqtag")
class SimpleRNNCell(RecurrentCell, keras.layers.SimpleRNNCell):
    """One step of the Elman network: `h_t = φ(x_t W + h_{t-1} U + b)` (Elman 1990).

    Weights: `kernel (features, units)`, `recurrent_kernel (units, units)`, `bias (units,)`, as in
    `keras.layers.SimpleRNNCell`. Layer norm adds `kernel_gain` and `recurrent_gain`, both `(units,)`.

    Called on inputs `(batch, features)` and a list of one state `(batch, units)`; returns the output and the list of
    the new state. φ is tanh by default; `"relu"` and `"leaky_relu"` are as fast. See `RecurrentCell` for the other
    arguments.

    Example:
        >>> layer = keras.layers.RNN(SimpleRNNCell(4), return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3))).shape == (2, 5, 4)
        True
    """

    def __init__(
        self,
        units: int,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        layer_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals()))

    def weights_of_step(self) -> RNNWeights:
        """The weights that `recurrence.simple_rnn_step` takes."""
        return recurrence.as_tensors(RNNWeights(self.recurrent_kernel, self.recurrent_gain))

    def step(self, inputs: Tensor, state: RNNState, weights: RNNWeights, dropout_mask: Tensor | None = None) -> tuple:
        """One step over projected inputs `(batch, units)`."""
        return recurrence.simple_rnn_step(inputs, state, weights, activation=self.activation, dropout_mask=dropout_mask)

    def fused(self, inputs: Tensor, state: RNNState, weights: RNNWeights, options: ScanOptions) -> tuple:
        """The whole sequence of projected inputs `(time, batch, units)`."""
        return fused_recurrence.simple_rnn(inputs, state, weights, options, activation=self.activation)


@keras.saving.register_keras_serializable(package="seqtag")
class SimpleRNN(Recurrent, keras.layers.SimpleRNN):
    """The Elman network over sequences: `h_t = φ(x_t W + h_{t-1} U + b)` (Elman 1990).

    Inputs are `(batch, time, features)`, outputs `(batch, time, units)` with `return_sequences` and `(batch,
    units)` without. A masked step does not change the state. The arguments are those of `Recurrent` and of
    `SimpleRNNCell`, with Keras's names and defaults.

    Example:
        >>> layer = SimpleRNN(4, activation="relu", return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3))).shape == (2, 5, 4)
        True
    """

    cell_type = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        zero_output_for_mask: bool = False,
        variational: bool = True,
        residual: bool = False,
        weight_dropout: float = 0.0,
        layer_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals()))
