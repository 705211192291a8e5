"""Truncated backpropagation against Keras's own training, and against a loop over single steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.callbacks.update_hook import UpdateCallback
from seqtag.layers import GRU, PeepholeLSTM, SimpleRNN
from seqtag.training import TruncatedBPTT

ROWS, STEPS, FEATURES = 3, 12, 2
KERAS_LSTM = partial(keras.layers.LSTM, stateful=True)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(7)


def data(rows: int = ROWS, steps: int = STEPS, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and targets that remember them."""
    x = np.random.default_rng(seed).normal(size=(rows, steps, FEATURES)).astype("float32")
    return x, np.tanh(np.cumsum(x[..., :1], axis=1))


def build(
    layer: Callable = GRU, rows: int | None = ROWS, rate: float = 0.3, eager: bool = True, **options
) -> keras.Model:
    """Two recurrent layers and an output a step; equal weights every time. Tracing is what takes long here."""
    keras.utils.set_random_seed(3)
    stack = [
        layer(4, return_sequences=True, name="first", **options),
        layer(5, return_sequences=True, name="second", **options),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential([keras.Input(batch_shape=(rows, None, FEATURES)), *stack])
    model.compile(keras.optimizers.SGD(rate), "mse", jit_compile=False, run_eagerly=eager)
    return model


def trained(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.trainable_variables]


def assert_equal_weights(model: keras.Model, other: keras.Model, tolerance: float = 1e-6) -> None:
    for mine, theirs in zip(trained(model), trained(other), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=tolerance, rtol=0)


def step_by_step(model: keras.Model, x: np.ndarray, y: np.ndarray, k1: int, k2: int, rate: float = 0.3) -> None:
    """Truncated backpropagation as its definition says, one step of the cells at a time.

    `states[t]` is the state before step t, as it was last computed.
    """
    *recurrent, output = model.layers
    steps = x.shape[1]
    states = {0: [layer.cell.get_initial_state(len(x)) for layer in recurrent]}
    for end in range(k1, steps + k1, k1):
        start = max(0, end - k1 * -(-k2 // k1))
        counted = range(max(end - k1, end - k2), min(end, steps))
        if not counted:
            continue
        with tf.GradientTape() as tape:
            errors = []
            for t in range(start, min(end, steps)):
                state = states[t]
                if t <= end - k2:
                    state = tf.nest.map_structure(tf.stop_gradient, state)
                value, states[t + 1] = x[:, t], []
                for layer, old in zip(recurrent, state, strict=True):
                    value, new = layer.cell(value, old)
                    states[t + 1].append(new)
                if t in counted:
                    errors.append(tf.reduce_mean((output(value) - y[:, t]) ** 2))
            loss = tf.reduce_mean(errors)
        for variable, gradient in zip(
            model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
        ):
            variable.assign(variable.value - rate * gradient)


@pytest.mark.parametrize("layer", [SimpleRNN, GRU, PeepholeLSTM, partial(PeepholeLSTM, stateful=True), KERAS_LSTM])
def test_over_the_whole_sequence_it_is_full_backpropagation(layer):
    x, y = data()
    truncated, full = build(layer, eager=False), build(layer)
    history = TruncatedBPTT(STEPS).fit(truncated, x, y, shuffle=False)
    expected = full.train_on_batch(x, y)
    assert_equal_weights(truncated, full)
    assert history.history["loss"] == [pytest.approx(expected, rel=1e-6)]


def test_regularisers_weights_metrics_and_adam_are_those_of_fit():
    x, y = data()
    weight = np.random.default_rng(1).uniform(0, 2, size=(ROWS, STEPS)).astype("float32")
    models = []
    for _ in range(2):
        model = build(kernel_regularizer="l2", activity_regularizer="l1")
        model.compile(
            keras.optimizers.Adam(0.1, clipnorm=0.5), "mse", metrics=["mae"], weighted_metrics=["mse"], run_eagerly=True
        )
        models.append(model)
    history = TruncatedBPTT(STEPS).fit(models[0], x, y, sample_weight=weight, epochs=3, shuffle=False)
    expected = models[1].fit(x, y, sample_weight=weight, epochs=3, batch_size=ROWS, shuffle=False, verbose=0)
    assert_equal_weights(*models, tolerance=1e-5)
    assert history.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-4)


@pytest.mark.parametrize(
    ("k1", "k2"), [(3, 3), (3, 6), (3, 7), (3, 12), (4, 2), (1, 3), (1, 1), (5, 1), (5, 5), (8, 11), (12, 5)]
)
def test_unrolls_equal_a_loop_over_single_steps(k1, k2):
    x, y = data()
    unrolled, stepwise = build(), build()
    TruncatedBPTT(k1, k2).fit(unrolled, x, y, shuffle=False)
    step_by_step(stepwise, x, y, k1, k2)
    assert_equal_weights(unrolled, stepwise, tolerance=1e-5)


@pytest.mark.parametrize(
    ("layer", "eager"), [(SimpleRNN, True), (partial(PeepholeLSTM, stateful=True), False), (KERAS_LSTM, True)]
)
def test_long_unrolls_equal_a_loop_for_other_layers(layer, eager):
    x, y = data(steps=8)
    unrolled, stepwise = build(layer, eager=eager), build(layer)
    TruncatedBPTT(2, 5).fit(unrolled, x, y, shuffle=False)
    step_by_step(stepwise, x, y, 2, 5)
    assert_equal_weights(unrolled, stepwise, tolerance=1e-5)


def test_a_longer_unroll_gives_another_gradient():
    x, y = data()
    weights = []
    for k2 in (3, 6):
        model = build()
        TruncatedBPTT(3, k2).fit(model, x, y, shuffle=False)
        weights.append(trained(model)[0])
    assert np.abs(weights[0] - weights[1]).max() > 1e-3


@pytest.mark.parametrize("layer", [PeepholeLSTM, KERAS_LSTM])
@pytest.mark.parametrize(("k1", "k2"), [(5, 5), (2, 7)])
def test_the_state_goes_on_from_update_to_update(layer, k1, k2):
    """Without learning, the loss of all chunks is that of the whole sequences."""
    x, y = data()
    model = build(layer, rate=0.0)
    whole = np.mean((model(x).numpy() - y) ** 2)
    apart = np.mean([np.mean((build(layer)(x[:, t : t + 5]).numpy() - y[:, t : t + 5]) ** 2) for t in range(0, 12, 5)])
    loss = TruncatedBPTT(k1, k2).fit(model, x, y).history["loss"][0]
    assert loss == pytest.approx(whole, rel=1e-5)
    assert abs(apart - whole) > 1e-2


@pytest.mark.parametrize("lengths", [(12, 12), (7, 12), (12, 1)])
@pytest.mark.parametrize(("k1", "k2"), [(4, 4), (3, 8), (4, 3)])
def test_a_sequence_that_follows_another_in_its_row_begins_anew(lengths, k1, k2):
    x, y = data(rows=2)
    xs, ys = [[part[number][:length] for number, length in enumerate(lengths)] for part in (x, y)]
    together, apart = build(rows=1), build(rows=1)
    TruncatedBPTT(k1, k2).fit(together, xs, ys, batch_size=1, shuffle=False)
    for number, length in enumerate(lengths):
        if length >= max(k1, k2):
            TruncatedBPTT(k1, k2).fit(apart, xs[number : number + 1], ys[number : number + 1])
        else:
            step_by_step(apart, xs[number][None], ys[number][None], k1, k2)
    assert_equal_weights(together, apart, tolerance=1e-5)


def test_rows_end_on_their_own():
    """Three sequences in two rows: each update is that of the steps that a hand-made plan says."""
    x, y = data()
    lengths = [12, 4, 6]
    model, expected = build(rows=None), build(rows=None)
    TruncatedBPTT(4).fit(model, x, y, lengths=lengths, batch_size=2, shuffle=False)
    layers = expected.layers

    def run(value, states):
        new = []
        for layer, state in zip(layers[:2], states, strict=True):
            value = layer(value, initial_state=[state])
            new.append(value[:, -1])  # the output of a GRU is its state
        return layers[2](value), new

    zeros = [tf.zeros((1, 4)), tf.zeros((1, 5))]
    states = {0: zeros, 1: zeros, 2: zeros}
    for update in ([(0, 0, 4), (1, 0, 4)], [(0, 4, 8), (2, 0, 4)], [(0, 8, 12), (2, 4, 6)]):
        with tf.GradientTape() as tape:
            total, count = 0.0, 0
            for number, start, end in update:
                outputs, states[number] = run(x[number : number + 1, start:end], states[number])
                total += tf.reduce_sum((outputs - y[number : number + 1, start:end]) ** 2)
                count += end - start
            loss = total / count
        gradients = tape.gradient(loss, expected.trainable_variables)
        states = tf.nest.map_structure(tf.stop_gradient, states)
        for variable, gradient in zip(expected.trainable_variables, gradients, strict=True):
            variable.assign(variable.value - 0.3 * gradient)
    assert_equal_weights(model, expected, tolerance=1e-5)


def test_steps_past_the_end_count_as_masked_ones_do_in_keras():
    x, y = data()
    lengths = np.array([12, 5, 9])
    x[np.arange(STEPS) >= lengths[:, None]] = 0.0
    truncated, masked = build(), build()
    masked = keras.Sequential([keras.Input(batch_shape=(ROWS, None, FEATURES)), keras.layers.Masking(), *masked.layers])
    for model in (truncated, masked):
        model.compile(keras.optimizers.SGD(0.3), "mse", metrics=["mae"], run_eagerly=True)
    history = TruncatedBPTT(STEPS).fit(truncated, x, y, lengths=lengths, shuffle=False).history
    expected = masked.train_on_batch(x, y, return_dict=True)
    assert_equal_weights(truncated, masked)
    assert history["loss"] == [pytest.approx(expected["loss"], rel=1e-5)]
    assert history["mae"] == [pytest.approx(expected["mae"], rel=1e-5)]


def test_inputs_may_be_dicts_and_targets_lists_of_any_lengths():
    inputs = [keras.Input((None, 2), name="left"), keras.Input((None, 1), name="right")]
    both = keras.layers.Concatenate()(inputs)
    outputs = keras.layers.Dense(1)(GRU(3, return_sequences=True)(both))
    model = keras.Model({"left": inputs[0], "right": inputs[1]}, outputs)
    model.compile("sgd", "mse", jit_compile=False, run_eagerly=True)
    x, y = data()
    xs = {"left": [x[0], x[1, :5]], "right": [x[0, :, :1], x[1, :5, :1]]}
    before = trained(model)
    TruncatedBPTT(4).fit(model, xs, [y[0], y[1, :5]])
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, trained(model), strict=True))
    with pytest.raises(ValueError, match=r"expected sequence 1 of x\['right'\] to have the 5 steps of .*, found 4"):
        TruncatedBPTT(4).fit(model, {**xs, "right": [x[0, :, :1], x[1, :4, :1]]}, [y[0], y[1, :5]])


def test_one_row_of_one_step():
    x, y = data(rows=1, steps=1)
    truncated, full = build(rows=1), build(rows=1)
    TruncatedBPTT(1).fit(truncated, x, y)
    full.train_on_batch(x, y)
    assert_equal_weights(truncated, full)


def test_a_scaled_loss_gives_the_same_update():
    x, y = data()
    plain, scaled = build(), build()
    scaled.optimizer = keras.optimizers.LossScaleOptimizer(scaled.optimizer, initial_scale=2.0**8)
    for model in (plain, scaled):
        TruncatedBPTT(5, 7).fit(model, x, y, shuffle=False)
    assert_equal_weights(plain, scaled)


class Norms(UpdateCallback):
    """Counts the updates that it sees in the graph, and scores the model between epochs."""

    def __init__(self, x: np.ndarray) -> None:
        super().__init__()
        self.x = x
        self.calls: list[str] = []

    def create_state(self) -> None:
        self.updates = tf.Variable(0)

    def before_update(self, update) -> None:
        self.updates.assign_add(1)

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.calls.append(f"batch {batch}")

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.calls.append(f"epoch {epoch}")
        self.scores = self.model.predict(self.x, verbose=0)


def test_callbacks_see_every_update_and_may_use_the_model_meanwhile(tmp_path):
    x, y = data()
    watched, alone = build(rows=None, eager=False), build(rows=None)
    # Two sequences of another length than the rows that are trained.
    callback = Norms(x[:2, :5])
    saver = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    history = TruncatedBPTT(5).fit(watched, x, y, epochs=2, shuffle=False, callbacks=[callback, saver])
    TruncatedBPTT(5).fit(alone, x, y, epochs=2, shuffle=False)
    assert_equal_weights(watched, alone, tolerance=1e-6)
    assert callback.updates.numpy() == 6
    batches = [f"batch {number}" for number in range(3)]
    assert callback.calls == [*batches, "epoch 0", *batches, "epoch 1"]
    assert history.epoch == [0, 1]
    loaded = keras.models.load_model(tmp_path / "2.keras")
    np.testing.assert_allclose(loaded.predict(x[:2, :5], verbose=0), callback.scores, atol=1e-6)


def test_a_callback_may_stop_it():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    x, y = data()
    model = build()
    history = TruncatedBPTT(2).fit(model, x, y, epochs=5, callbacks=[Stop()])
    assert model.optimizer.iterations.numpy() == 2
    assert len(history.epoch) == 1


@pytest.mark.parametrize("layer", [GRU, partial(GRU, stateful=True), KERAS_LSTM])
def test_nothing_stays_on_the_layers(layer):
    x, y = data()
    model = build(layer)
    model.predict(x, batch_size=ROWS, verbose=0)
    recurrent = model.layers[:2]
    kept = [layer.states for layer in recurrent]
    values = [[np.array(state) for state in states or []] for states in kept]
    config, names = model.get_config(), [variable.path for variable in model.variables]
    TruncatedBPTT(4).fit(model, x, y)
    assert all(layer.states is states for layer, states in zip(recurrent, kept, strict=True))
    for states, before in zip(kept, values, strict=True):
        for state, value in zip(states or [], before, strict=True):
            np.testing.assert_array_equal(np.array(state), value)
    assert (model.get_config(), [variable.path for variable in model.variables]) == (config, names)


def test_the_order_of_sequences_is_the_seeds():
    x, y = data()
    weights = []
    for options in ({"seed": 1}, {"seed": 1}, {"seed": 2}):
        model = build(rows=1)
        TruncatedBPTT(6).fit(model, x, y, batch_size=1, **options)
        weights.append(trained(model)[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[1] - weights[2]).max() > 0


@pytest.mark.parametrize("layer", [GRU, KERAS_LSTM])
def test_scores_are_those_of_the_whole_sequences(layer):
    x, y = data()
    model = build(layer, eager=False)
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    before = trained(model)
    scores = TruncatedBPTT(5).evaluate(model, x, y)
    expected = [model(x[number : number + 1]) for number in range(ROWS)] if layer is GRU else [model(x)]
    error = np.concatenate(expected) - y
    assert scores == {
        "loss": pytest.approx(np.mean(error**2), rel=1e-5),
        "mae": pytest.approx(np.mean(np.abs(error)), rel=1e-5),
    }
    for mine, theirs in zip(before, trained(model), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_validation_data_is_scored_after_every_epoch_and_changes_nothing():
    x, y = data()
    held_out = data(rows=4, steps=7, seed=1)
    scored, alone = build(rows=None), build(rows=None)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=10)
    history = TruncatedBPTT(4, 6).fit(scored, x, y, epochs=2, validation_data=held_out, callbacks=[stop]).history
    expected = TruncatedBPTT(4, 6).fit(alone, x, y, epochs=2).history
    assert_equal_weights(scored, alone, tolerance=0)
    assert history["loss"] == expected["loss"]
    assert history["val_loss"][-1] == pytest.approx(np.mean((scored(held_out[0]) - held_out[1]) ** 2), rel=1e-5)
