"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import keras

from seqtag.layers.arguments import named
from seqtag.layers.recurrent import Recurrent, checked_use_cudnn
from seqtag.layers.recurrent_cell import RecurrentCell
from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import GRUWeights, RNNState, Tensor
from seqtag.ops.scan import ScanOptions


@keras.saving.register_keras_serializable(package="seqtag")
class GRUCell(RecurrentCell, keras.layers.GRUCell):
    """One step of the GRU (Cho et al. 2014).

    `z_t = σ(x_t W_z + h_{t-1} U_z + b_z)`, `r_t = σ(x_t W_r + h_{t-1} U_r + b_r)`,
    `h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t`, with
    `h̃_t = φ(x_t W_h + b_h + r_t ⊙ (h_{t-1} U_h + b'_h))` if `reset_after` (as in cuDNN), else
    `h̃_t = φ(x_t W_h + b_h + (r_t ⊙ h_{t-1}) U_h)`.

    Weights, equal to those of `keras.layers.GRUCell`: `kernel (features, 3·units)` and `recurrent_kernel
    (units, 3·units)` in the order z, r, h; `bias (2, 3·units)`, input and recurrent, if `reset_after`, else
    `(3·units,)`. Layer norm adds `kernel_gain` and `recurrent_gain`, both `(3·units,)`.

    Called on inputs `(batch, features)` and a list of one state `(batch, units)`; returns the output and the list of
    the new state.

    Args:
        units: width of the output and of the state.
        recurrent_activation: σ.
        reset_after: whether the reset gate acts after the recurrent product. If it acts before it, the cell has no
            fused gradients and is slower.
        **options: see `RecurrentCell`.

    Example:
        >>> cell = GRUCell(4)
        >>> output, (hidden,) = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape == (2, 4)
        True
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: int | None = None,
        *,
        layer_norm: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals()))

    def _add_bias(self) -> Any:
        width = 3 * self.units
        return self._add_vector("bias", (2, width) if self.reset_after else (width,), self.bias_initializer)

    def input_bias(self) -> Tensor | None:
        """The bias that the input projection adds."""
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    @property
    def activations(self) -> tuple[Any, ...]:
        """All that a step applies."""
        return self.activation, self.recurrent_activation

    def can_fuse(self) -> bool:
        """Whether `fused` supports this cell's options."""
        return self.reset_after and super().can_fuse()

    def weights_of_step(self) -> GRUWeights:
        """The weights that `recurrence.gru_step` takes."""
        recurrent_bias = self.bias[1] if self.bias is not None and self.reset_after else None
        return recurrence.as_tensors(GRUWeights(self.recurrent_kernel, recurrent_bias, self.recurrent_gain))

    def step(self, inputs: Tensor, state: RNNState, weights: GRUWeights, dropout_mask: Tensor | None = None) -> tuple:
        """One step over projected inputs `(batch, 3·units)`."""
        return recurrence.gru_step(
            inputs,
            state,
            weights,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            reset_after=self.reset_after,
            dropout_mask=dropout_mask,
        )

    def fused(self, inputs: Tensor, state: RNNState, weights: GRUWeights, options: ScanOptions) -> tuple:
        """The whole sequence of projected inputs `(time, batch, 3·units)`."""
        return fused_recurrence.gru(
            inputs,
            state,
            weights,
            options,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
        )


@keras.saving.register_keras_serializable(package="seqtag")
class GRU(Recurrent, keras.layers.GRU):
    """The GRU over sequences, with the weights and numbers of `keras.layers.GRU`; see `GRUCell` for its equations.

    Inputs are `(batch, time, features)`, outputs `(batch, time, units)` with `return_sequences` and `(batch,
    units)` without. A masked step does not change the state. The arguments are those of `Recurrent` and of
    `GRUCell`, with Keras's names and defaults.

    Example:
        >>> layer = GRU(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3))).shape == (2, 5, 4)
        True
    """

    cell_type = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        *,
        zero_output_for_mask: bool = False,
        variational: bool = True,
        residual: bool = False,
        weight_dropout: float = 0.0,
        layer_norm: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), but=("use_cudnn",)))
        self.use_cudnn = checked_use_cudnn(self, use_cudnn)
