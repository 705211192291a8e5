"""The simple recurrent network."""

from __future__ import annotations

import keras

from seqtag.layers.recurrent import Recurrent
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import RNNState, RNNWeights, Tensor
from seqtag.ops.scan import ScanOptions


@keras.saving.register_keras_serializable(package="seqtag")
class SimpleRNNCell(RecurrentCell):
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

    def weights_of_step(self) -> RNNWeights:
        """The weights that `recurrence.simple_rnn_step` takes."""
        return recurrence.as_tensors(RNNWeights(self.recurrent_kernel, self.recurrent_gain))

    def step(self, inputs: Tensor, state: RNNState, weights: RNNWeights, dropout_mask: Tensor | None = None) -> tuple:
        """One step over projected inputs `(batch, units)`."""
        return recurrence.simple_rnn_step(inputs, state, weights, activation=self.activation, dropout_mask=dropout_mask)

    def fused(self, inputs: Tensor, state: RNNState, weights: RNNWeights, options: ScanOptions) -> tuple:
        """The whole sequence of projected inputs `(batch, time, units)`."""
        return fused_recurrence.simple_rnn(inputs, state, weights, options, activation=self.activation)


@keras.saving.register_keras_serializable(package="seqtag")
class SimpleRNN(Recurrent):
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
