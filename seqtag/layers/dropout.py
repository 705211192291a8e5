"""Dropout that drops the same features at every step of a sequence."""

from __future__ import annotations

from typing import Any

import keras


def check_rate(name: str, rate: float) -> float:
    """The rate itself; a rate outside [0, 1) raises `ValueError`."""
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"expected {name} to be at least 0 and below 1, found {rate}")
    return float(rate)


def drop_steps(values: Any, rate: float, *, variational: bool, seed: Any) -> Any:
    """Drops features of `values (batch, time, features)` and scales up what stays.

    `variational` draws one mask `(batch, 1, features)` for all steps (Gal and Ghahramani 2016); otherwise
    every step draws its own.
    """
    shape = (None, 1, None) if variational else None
    return keras.random.dropout(values, rate, noise_shape=shape, seed=seed)


@keras.saving.register_keras_serializable(package="seqtag")
class VariationalDropout(keras.layers.Layer):
    """Drops the same features at every step of a sequence (Gal and Ghahramani 2016).

    Inputs and outputs are `(batch, time, features)`. A feature that is dropped is zero at all steps of its
    row, and what stays is divided by `1 - rate`. Outside of training the inputs pass unchanged. A mask passes
    on.

    Args:
        rate: share of features to drop, at least 0 and below 1.
        seed: seed of the random masks.

    Raises:
        ValueError: if the rate is outside [0, 1).

    Example:
        >>> outputs = VariationalDropout(0.5, seed=1)(keras.ops.ones((2, 3, 4)), training=True)
        >>> bool(keras.ops.all(outputs[:, 0] == outputs[:, 2]))
        True
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = check_rate("rate", rate)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """The inputs with features dropped in training; a mask given here goes on to the outputs."""
        if not training or self.rate == 0.0:
            return inputs
        return drop_steps(inputs, self.rate, variational=True, seed=self.seed_generator)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the inputs."""
        return mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the inputs."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
