"""The anchor of a network: a linear map from the scaled window straight to the horizon, which the network adds to."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.ops.recurrence import Tensor


@keras.saving.register_keras_serializable(package="seqtag")
class LinearAnchor(keras.layers.Layer):
    """`z_future = z_history W + b`, in scaled values, of weights that a ridge regression gives.

    Linear maps of the window are hard to beat where series repeat themselves (Zeng et al. 2023, DLinear). A recurrent
    network that starts from one learns what it leaves over. The weights are not trained with the network: least squares
    has their optimum, see `seqtag.forecasting.ridge`.

    Args:
        horizon: steps of the future.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        history: `(batch, lookback)`, scaled values, 0 where missing.

    Returns:
        `(batch, horizon)`, float32.
    """

    def __init__(self, horizon: int, **kwargs: Any) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        self.horizon = horizon

    def build(self, history_shape: tuple) -> None:
        """Makes the weights, zero until `set` gives them."""
        self.kernel = self.add_weight(name="kernel", shape=(history_shape[-1], self.horizon), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.horizon,), initializer="zeros")
        self.built = True

    def call(self, history: Tensor) -> Tensor:
        """The scaled future of each window."""
        return ops.matmul(history, self.kernel) + self.bias

    def set(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        """Gives the weights `(lookback, horizon)` and `(horizon,)`."""
        self.kernel.assign(kernel)
        self.bias.assign(bias)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "horizon": self.horizon}
