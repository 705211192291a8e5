"""What truncated backpropagation refuses, and how it says so."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.callbacks import ExplodingGradients, GradientWarning
from seqtag.errors import RunError
from seqtag.layers import GRU, Bidirectional
from seqtag.training import TruncatedBPTT

ROWS, FEATURES = 3, 2


def data() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(ROWS, 12, FEATURES)).astype("float32")
    return x, np.tanh(np.cumsum(x[..., :1], axis=1))


def one_layer(layer: keras.layers.Layer, rows: int | None = None) -> keras.Model:
    model = keras.Sequential([keras.Input(batch_shape=(rows, None, FEATURES)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def fitting() -> keras.Model:
    return one_layer(GRU(2, return_sequences=True))


def test_a_loss_that_is_not_finite_ends_it():
    x, y = data()
    x[1, 7] = np.nan
    with pytest.raises(RunError, match=r"expected a finite loss, found nan in update 3 of the epoch"):
        TruncatedBPTT(4).fit(fitting(), x, y)


def test_a_bad_update_that_an_alarm_keeps_out_does_not_end_it():
    x, y = data()
    x[1, 7] = np.nan
    model, alarm = fitting(), ExplodingGradients(action="skip")
    with pytest.warns(GradientWarning, match="not finite"):
        TruncatedBPTT(4).fit(model, x, y, callbacks=[alarm])
    # The state that the NaN left was not carried on: the update after it is a good one.
    assert len(alarm.alarms) == 1
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0,), ValueError, "expected k1 to be at least 1, found 0"),
        ((4, 0), ValueError, "expected k2 to be at least 1, found 0"),
        ((2.5,), TypeError, "expected k1 to be a whole number, found 2.5"),
        ((4, "8"), TypeError, "expected k2 to be a whole number, found '8'"),
    ],
)
def test_k1_and_k2_are_whole_numbers_from_1(arguments, error, message):
    with pytest.raises(error, match=message):
        TruncatedBPTT(*arguments)


def test_k1_and_k2_are_within_the_sequence():
    x, y = data()
    with pytest.raises(ValueError, match="expected k2 to be at most the 12 steps of the longest sequence, found 13"):
        TruncatedBPTT(4, 13).fit(fitting(), x, y)
    with pytest.raises(ValueError, match="expected k1 to be at most the 9 steps of the longest sequence, found 10"):
        TruncatedBPTT(10, 2).fit(fitting(), x, y, lengths=[9, 2, 1])


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda: "model", TypeError, "expected model to be a Keras model, found str"),
        (lambda: keras.Sequential([GRU(2)]), ValueError, "expected a compiled model, found one without optimizer"),
        (lambda: one_layer(keras.layers.Dense(2)), ValueError, "expected a model with recurrent layers, found Dense"),
        (
            lambda: one_layer(keras.layers.LSTM(2, return_sequences=True, name="memory")),
            ValueError,
            "expected Keras's recurrent layers to be stateful, found 'memory' with stateful=False",
        ),
        (
            lambda: one_layer(keras.layers.LSTM(2, return_sequences=True, stateful=True, name="memory"), rows=2),
            ValueError,
            "expected 3 rows to be the batch of the stateful layer 'memory', found 2",
        ),
        (
            lambda: one_layer(Bidirectional(GRU(2, return_sequences=True), name="both")),
            ValueError,
            "expected layers that run forwards in time, found the bidirectional 'both'",
        ),
        (
            lambda: one_layer(GRU(2, return_sequences=True, go_backwards=True, name="back")),
            ValueError,
            "expected layers that run forwards in time, found 'back' with go_backwards=True",
        ),
        (
            lambda: one_layer(GRU(2)),
            ValueError,
            r"expected an output for every step, \(batch, 4, ...\), found \(3, 1\)",
        ),
    ],
)
def test_models_that_it_cannot_fit(model, error, message):
    x, y = data()
    with pytest.raises(error, match=message):
        TruncatedBPTT(4).fit(model(), x, y)


def test_models_that_are_not_ready():
    x, y = data()
    frozen = fitting()
    frozen.trainable = False
    with pytest.raises(ValueError, match="expected a model with trainable weights, found none"):
        TruncatedBPTT(4).fit(frozen, x, y)
    uncompiled = keras.Sequential([keras.Input((None, FEATURES)), GRU(2, return_sequences=True)])
    with pytest.raises(ValueError, match="expected a compiled model, found one without optimizer and loss"):
        TruncatedBPTT(4).fit(uncompiled, x, y)
    other = fitting()
    other.optimizer = object()
    with pytest.raises(TypeError, match="expected optimizer to be a Keras optimizer, found object"):
        TruncatedBPTT(4).fit(other, x, y)


def test_a_layer_that_does_not_go_on_from_its_own_state_is_named():
    inputs = keras.Input((None, FEATURES))
    shared = GRU(FEATURES, return_sequences=True, name="shared")
    twice = keras.Model(inputs, shared(shared(inputs)))
    summed = keras.layers.Lambda(lambda steps: steps[:, 0])(inputs)
    given = keras.Model(inputs, GRU(FEATURES, return_sequences=True, name="given")(inputs, initial_state=[summed]))
    x, _ = data()
    for model, message in (
        (twice, "expected layer 'shared' to run once in a call of the model, found 2 times"),
        (given, "expected layer 'given' to go on from its own state, found an initial_state given"),
    ):
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match=message):
            TruncatedBPTT(4).fit(model, x, x)
