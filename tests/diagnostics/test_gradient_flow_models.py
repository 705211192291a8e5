"""Gradient flow of any model: stacks, shared layers, Keras's layers, losses, and what it must leave unchanged."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from seqtag.diagnostics import gradient_flow
from seqtag.layers import GRU, PeepholeLSTM, PeepholeLSTMCell

BATCH, TIME, FEATURES, UNITS = 4, 7, 3, 5


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(5)


@pytest.fixture
def x(random):
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


class TestAnyModel:
    def test_a_stack_and_what_is_above_and_below(self, x):
        """A gradient passes through the layer above into all of its steps, not the last alone."""
        model = keras.Sequential(
            [
                keras.Input((TIME, FEATURES)),
                layers.Dense(4),
                PeepholeLSTM(UNITS, return_sequences=True, residual=True, name="below"),
                layers.LSTM(UNITS, name="above"),
                layers.Dense(1),
            ]
        )
        model.compile(loss="mse")
        y = np.ones((BATCH, 1), "float32")
        below, above, dense = model.layers[1:]
        with tf.GradientTape() as tape:
            inner = below(model.layers[0](x))
            tape.watch(inner)
            loss = tf.reduce_mean((dense(above(inner)) - y) ** 2)
        direct = np.linalg.norm(tape.gradient(loss, inner)[:, -1], axis=-1).mean()
        flow = gradient_flow(model, x, y)
        assert list(flow.norms) == list(flow.cell_norms) == list(flow.bound) == ["below", "above"]
        # Nothing of the lower layer comes after its last step: all of that gradient is from above.
        assert flow.norms["below"][-1] == pytest.approx(direct, rel=1e-4)
        assert flow.loss == pytest.approx(float(loss), rel=1e-5)

    def test_time_distributed_calls_are_rows(self, random):
        x = random.normal(size=(3, 4, 5, 2)).astype("float32")
        inner = GRU(UNITS, name="chars")
        model = keras.Sequential(
            [keras.Input((4, 5, 2)), layers.TimeDistributed(inner), layers.LSTM(2), layers.Dense(1)]
        )
        flow = gradient_flow(model, x, np.ones((3, 1)), loss="mse")
        name = model.layers[0].name
        assert flow.norms[name].shape == (5,)
        np.testing.assert_array_equal(flow.rows[name], 12)
        flow.jacobian_norms(name, row=11)

    def test_calls_of_a_shared_layer_are_rows_and_short_ones_end_early(self, random):
        shared = GRU(UNITS, name="shared")
        long, short = keras.Input((6, 2)), keras.Input((4, 2))
        model = keras.Model([long, short], layers.Dense(1)(shared(long) + shared(short)))
        data = [random.normal(size=(3, 6, 2)), random.normal(size=(3, 4, 2))]
        flow = gradient_flow(model, data, np.ones((3, 1)), loss="mse")
        np.testing.assert_array_equal(flow.rows["shared"], [6, 6, 6, 6, 3, 3])
        assert np.all(flow.norms["shared"] > 0)

    def test_a_stack_of_cells_shows_its_last(self, x):
        model = keras.Sequential(
            [keras.Input((TIME, FEATURES)), layers.RNN([layers.LSTMCell(2), layers.GRUCell(3), PeepholeLSTMCell(4)])]
        )
        flow = gradient_flow(model, x, np.ones((BATCH, 4)), loss=lambda y, y_pred: tf.reduce_sum(y_pred, axis=-1))
        (name,) = flow.norms
        # ∂L/∂h of the last step is one for each of its four units, a quarter of it for each of the four rows.
        assert flow.norms[name][-1] == pytest.approx(np.sqrt(4) / BATCH)
        assert flow.jacobian_norms(name)[-1, -1] == pytest.approx(1)
        assert flow.cell_norms[name].shape == (TIME,)

    def test_a_layer_frozen_with_all_below_it_still_shows_its_gradients(self, x):
        model = keras.Sequential(
            [keras.Input((TIME, FEATURES)), GRU(UNITS, trainable=False, name="frozen"), layers.Dense(1)]
        )
        assert np.all(gradient_flow(model, x, np.ones((BATCH, 1)), loss="mse").norms["frozen"] > 0)

    def test_four_hundred_steps(self):
        long = np.random.default_rng(0).normal(size=(2, 400, 1))
        model = keras.Sequential([keras.Input((None, 1)), layers.SimpleRNN(4, name="rnn"), layers.Dense(1)])
        norms = gradient_flow(model, long, np.ones((2, 1)), loss="mse").norms["rnn"]
        assert np.all(np.isfinite(norms)) and norms[0] < norms[-1]

    def test_a_call_inside_a_graph_function(self, x):
        class Graph(keras.Model):
            def __init__(self):
                super().__init__()
                self.rnn = GRU(UNITS, name="rnn")

            @tf.function
            def call(self, x):
                return self.rnn(x)

        model = Graph()
        model(x)
        assert np.all(gradient_flow(model, x, np.ones((BATCH, UNITS)), loss="mse").norms["rnn"] > 0)
        assert not tf.config.functions_run_eagerly()


class TestLosses:
    def model(self):
        return keras.Sequential([keras.Input((TIME, FEATURES)), GRU(UNITS, name="rnn"), layers.Dense(2)])

    def test_names_objects_functions_and_the_compiled_one_agree(self, x, random):
        y = random.normal(size=(BATCH, 2)).astype("float32")
        model = self.model()
        losses = ["mse", keras.losses.MeanSquaredError(), lambda y, y_pred: tf.reduce_mean((y - y_pred) ** 2, axis=-1)]
        found = [gradient_flow(model, x, y, loss=loss) for loss in losses]
        model.compile(loss="mse")
        found.append(gradient_flow(model, x, y))
        for flow in found:
            np.testing.assert_allclose(flow.norms["rnn"], found[0].norms["rnn"], rtol=1e-5)
            assert flow.loss == pytest.approx(float(np.mean((model(x) - y) ** 2)), rel=1e-5)

    def test_weights_of_rows(self, x):
        model = self.model()
        y, weight = np.ones((BATCH, 2)), np.array([1.0, 0.0, 0.0, 0.0])
        weighted = gradient_flow(model, x, y, loss="mse", sample_weight=weight).norms["rnn"]
        first = gradient_flow(model, x[:1], y[:1], loss="mse").norms["rnn"]
        # One row of four has a gradient, of a fourth of the size, and the mean is over four.
        np.testing.assert_allclose(weighted, first / 16, rtol=1e-4)

    def test_without_a_loss(self, x):
        for compiled in (False, True):
            model = self.model()
            if compiled:
                model.compile(optimizer="sgd")
            with pytest.raises(ValueError, match="expected a compiled model with a loss, or loss=, found neither"):
                gradient_flow(model, x, np.ones((BATCH, 2)))


class TestTheModelIsLeftAsItWas:
    def test_weights_states_seeds_and_metrics(self, x):
        model = keras.Sequential(
            [
                keras.Input(batch_shape=(BATCH, TIME, FEATURES)),
                layers.BatchNormalization(),
                GRU(UNITS, stateful=True, return_sequences=True, recurrent_dropout=0.5),
                layers.LSTM(UNITS, stateful=True, dropout=0.5, recurrent_dropout=0.5),
                layers.Dropout(0.5),
                layers.Dense(1),
            ]
        )
        y = np.ones((BATCH, 1))
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        model.fit(x, y, batch_size=BATCH, verbose=0)
        variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables, *model.layers[2].states]
        before = [variable.numpy() for variable in variables]
        gradient_flow(model, x, y)
        for variable, value in zip(variables, before, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)
        for layer in model.layers[1:3]:
            assert all(np.any(state.numpy() != 0) for state in layer.states)


def test_a_model_gets_its_weights_from_the_batch(x):
    model = keras.Sequential([keras.layers.GRU(3, stateful=True, name="gru"), layers.Dense(1)])
    assert gradient_flow(model, x, np.ones((BATCH, 1)), loss="mse").norms["gru"].shape == (TIME,)
    assert not any(state.numpy().any() for state in model.layers[0].states)


class TestBadInput:
    def test_models(self, x):
        y = np.ones((BATCH, 1))
        with pytest.raises(TypeError, match="expected model to be a Keras model, found GRU"):
            gradient_flow(GRU(3), x, y)
        with pytest.raises(ValueError, match="expected a compiled model with a loss, or loss=, found neither"):
            gradient_flow(keras.Sequential([GRU(3)]), x, y)
        with pytest.raises(ValueError, match="expected a model with recurrent layers, found Dense"):
            gradient_flow(keras.Sequential([keras.Input((3,)), layers.Dense(1)]), x, y)
        frozen = keras.Sequential([keras.Input((TIME, FEATURES)), GRU(3, trainable=False)])
        with pytest.raises(ValueError, match="expected a model with trainable weights, found none"):
            gradient_flow(frozen, x, y)

    def test_sequences_without_steps(self):
        model = keras.Sequential([keras.Input((None, FEATURES)), GRU(3), layers.Dense(1)])
        with pytest.raises(ValueError, match="expected sequences of at least one step, found none"):
            gradient_flow(model, np.ones((2, 0, FEATURES)), np.ones((2, 1)), loss="mse")
