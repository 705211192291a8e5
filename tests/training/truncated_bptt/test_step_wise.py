"""Layers that look across time steps are refused by name; the others give the numbers of whole sequences."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from seqtag.layers import GRU
from seqtag.training import TruncatedBPTT

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 20, 4)).astype("float32")
Y = np.tanh(np.cumsum(X[..., :1], axis=1))


class Cumulated(layers.Layer):
    def call(self, x):
        return x + keras.ops.cumsum(x, axis=1)


class Positions(layers.Layer):
    def call(self, x):
        return x + keras.ops.arange(keras.ops.shape(x)[1], dtype="float32")[None, :, None]


class SwitchedOff(layers.Layer):
    """Adds the mean over time, times a weight that is zero at first."""

    def build(self, shape):
        self.gate = self.add_weight(shape=(), initializer="zeros", name="gate")

    def call(self, x):
        return x + self.gate * keras.ops.mean(x, axis=1, keepdims=True)


class Subclassed(keras.Model):
    def __init__(self, *inside):
        super().__init__()
        self.inside = [*inside, GRU(4, return_sequences=True), layers.Dense(1)]

    def call(self, x):
        for layer in self.inside:
            x = layer(x)
        return x


def model_of(layer: Callable, before: bool) -> keras.Model:
    """The layer, called on `(batch, time, 4)`, before or after a recurrent one."""
    inputs = keras.Input((None, 4))
    recurrent = GRU(4, return_sequences=True)
    hidden = recurrent(layer(inputs)) if before else layer(recurrent(inputs))
    return keras.Model(inputs, layers.Dense(1, name="out")(hidden))


def evaluated(model: keras.Model, k1: int = 8) -> float:
    model.compile("sgd", "mse", run_eagerly=True)
    return TruncatedBPTT(k1).evaluate(model, X, Y)["loss"]


MIXING = {
    "convolution": (layers.Conv1D(4, 3, padding="same", name="it"), "'it' .Conv1D., whose output at a step depends"),
    "causal": (layers.Conv1D(4, 2, padding="causal", kernel_initializer="zeros", name="it"), "'it' .Conv1D."),
    "attention": (lambda x: layers.MultiHeadAttention(1, 2, name="it")(x, x), "'it/"),
    "dot attention": (lambda x: layers.Attention(name="it")([x, x]), "'it' .Attention."),
    "pooling": (
        lambda x: x + layers.GlobalAveragePooling1D(keepdims=True, name="it")(x),
        "'it' .GlobalAveragePooling1D.",
    ),
    "softmax": (layers.Softmax(axis=1, name="it"), "'it' .Softmax."),
    "groups": (layers.GroupNormalization(2, name="it"), "'it' .GroupNormalization."),
    "operation": (lambda x: keras.ops.flip(x, axis=1), "what the model computes before"),
    "own": (Cumulated(name="it"), "'it' .Cumulated."),
    "positions": (Positions(name="it"), "'it' .Positions."),
    "switched off": (SwitchedOff(name="it"), "'it' .SwitchedOff."),
}
STEP_WISE = {
    "nothing": lambda x: x,
    "width 1": layers.Conv1D(4, 1),
    "each step": layers.TimeDistributed(layers.Dense(4, activation="relu")),
    "features": layers.LayerNormalization(),
    "batch": layers.BatchNormalization(),
    "masking": layers.Masking(),
    "dropout": layers.SpatialDropout1D(0.5),
    "nested": keras.Sequential([layers.Dense(4), layers.Activation("tanh")]),
    "reshaped": lambda x: layers.Reshape((-1, 4))(layers.Reshape((-1, 2, 2))(x)),
}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("kind", MIXING)
def test_what_mixes_steps_is_named(kind, before):
    layer, message = MIXING[kind]
    if isinstance(layer, layers.Layer):
        layer = type(layer).from_config(layer.get_config())
    with pytest.raises(ValueError, match=f"compute each step alone beside the recurrent ones, found .*{message}"):
        evaluated(model_of(layer, before))


@pytest.mark.parametrize("kind", STEP_WISE)
def test_what_does_not_gives_the_numbers_of_whole_sequences(kind):
    layer = STEP_WISE[kind]
    for before in (True, False):
        model = model_of(layer, before)
        weights = [variable.numpy() for variable in model.variables]
        found = evaluated(model)
        assert found == pytest.approx(float(np.mean((model(X) - Y) ** 2)), rel=1e-5)
        for variable, value in zip(model.variables, weights, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)


def test_models_that_are_not_built_get_their_weights_from_the_data():
    with pytest.raises(ValueError, match=r"found 'conv' \(Conv1D\)"):
        evaluated(Subclassed(layers.Conv1D(4, 3, padding="same", name="conv")))
    model = Subclassed()
    found = evaluated(model)
    assert found == pytest.approx(float(np.mean((model(X) - Y) ** 2)), rel=1e-5)


def test_what_a_recurrent_layer_says_of_the_whole_sequence_mixes_steps():
    inputs = keras.Input((None, 4))
    hidden, state = GRU(4, return_sequences=True, return_state=True)(inputs)
    model = keras.Model(inputs, layers.Dense(1, name="out")(hidden * keras.ops.expand_dims(state, 1)))
    with pytest.raises(ValueError, match="what the model computes before 'out'"):
        evaluated(model)


def test_nothing_is_cut_where_a_chunk_is_the_sequence():
    model = model_of(layers.Conv1D(4, 3, padding="same"), before=True)
    assert evaluated(model, k1=20) == pytest.approx(float(np.mean((model(X) - Y) ** 2)), rel=1e-5)
    with pytest.raises(ValueError, match="Conv1D"):
        TruncatedBPTT(20).evaluate(model, X, Y, lengths=[20, 12, 5])


def test_validation_data_are_checked_too():
    model = model_of(layers.Conv1D(4, 3, padding="same"), before=True)
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="Conv1D"):
        TruncatedBPTT(12).fit(model, X[:, :12], Y[:, :12], validation_data=(X, Y), verbose=False)
