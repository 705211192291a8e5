"""Settings of all tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# A shared machine may stall in any example, and TensorFlow traces in the first: slowness is no failure.
settings.register_profile("seqtag", deadline=None)
settings.load_profile("seqtag")


@pytest.fixture
def gradients() -> Callable[..., list[np.ndarray]]:
    """`gradients(f, *arrays)`: of the scalar f in each array, on whichever backend Keras runs."""

    def compute(function: Callable, *arrays: np.ndarray) -> list[np.ndarray]:
        import keras

        tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
        if keras.config.backend() == "jax":
            import jax

            found = jax.grad(function, argnums=tuple(range(len(tensors))))(*tensors)
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(tensors)
                value = function(*tensors)
            found = tape.gradient(value, tensors, unconnected_gradients="zero")
        return [keras.ops.convert_to_numpy(gradient) for gradient in found]

    return compute


@pytest.fixture
def weight_gradients() -> Callable[..., list[np.ndarray]]:
    """`weight_gradients(layer, loss, *inputs, **call)`: of `loss(layer(*inputs, **call))` in each weight."""

    def compute(layer: Any, loss: Callable, *inputs: Any, **call: Any) -> list[np.ndarray]:
        import keras

        if keras.config.backend() == "jax":
            import jax

            rest = [variable.value for variable in layer.non_trainable_variables]

            def value(weights: list) -> Any:
                return loss(layer.stateless_call(weights, rest, *inputs, **call)[0])

            found = jax.grad(value)([variable.value for variable in layer.trainable_variables])
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                value = loss(layer(*inputs, **call))
            found = tape.gradient(value, [variable.value for variable in layer.trainable_variables])
        return [keras.ops.convert_to_numpy(gradient) for gradient in found]

    return compute
