"""Gradient flow against backpropagation through time in NumPy, against layers restarted in mid-sequence, against
central differences, and by its properties."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from seqtag.diagnostics import bptt, gradient_flow
from seqtag.layers import GRU, Bidirectional, GRUCell, PeepholeLSTM, PeepholeLSTMCell, SimpleRNN

BATCH, TIME, FEATURES, UNITS = 4, 7, 3, 5
# Ends at different steps, begins late, and has a gap.
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1, 0]], bool)

KINDS = {
    "SimpleRNN": lambda **options: SimpleRNN(UNITS, **options),
    "PeepholeLSTM": lambda **options: PeepholeLSTM(UNITS, **options),
    "GRU": lambda **options: GRU(UNITS, **options),
    "GRU reset before": lambda **options: GRU(UNITS, reset_after=False, **options),
    "PeepholeLSTM layer norm": lambda **options: PeepholeLSTM(UNITS, layer_norm=True, **options),
    "keras SimpleRNN": lambda **options: layers.SimpleRNN(UNITS, **options),
    "keras LSTM": lambda **options: layers.LSTM(UNITS, **options),
    "keras GRU": lambda **options: layers.GRU(UNITS, **options),
    "keras RNN of ours": lambda **options: layers.RNN(PeepholeLSTMCell(UNITS), **options),
    "keras RNN of keras's": lambda **options: layers.RNN(layers.LSTMCell(UNITS), **options),
}


class Scored(keras.Model):
    """One layer under a mask, and the loss `Σ sin(outputs) · y` over the real steps or over the last output."""

    def __init__(self, layer, mask=None):
        super().__init__()
        self.layer = layer
        self.mask = mask

    def call(self, x):
        outputs = self.layer(x, mask=None if self.mask is None else tf.constant(self.mask))
        return tf.concat(outputs, axis=-1) if isinstance(outputs, (tuple, list)) else outputs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        terms = tf.sin(y_pred) * tf.cast(y, y_pred.dtype)
        if self.mask is not None and len(terms.shape) == 3:
            terms *= tf.cast(self.mask, terms.dtype)[..., None]
        return tf.reduce_sum(terms)


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(5)


@pytest.fixture
def x(random):
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


@pytest.fixture
def y(random):
    return random.normal(size=(BATCH, TIME, UNITS)).astype("float32")


def built(layer, x, mask=None):
    model = Scored(layer, mask)
    model(x)
    # Biases and peepholes that are not zero.
    source = np.random.default_rng(0)
    model.set_weights([weight + 0.3 * source.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def twin(layer, **options):
    """A layer of other options with the same weights."""
    copy = type(layer).from_config(layer.get_config() | options)
    copy.build((BATCH, TIME, FEATURES))
    copy.set_weights(layer.get_weights())
    return copy


def flow_of(model, x, y):
    flow = gradient_flow(model, x, y)
    ((name, norms),) = flow.norms.items()
    assert name == model.layer.name
    return flow, norms


def mean_over_real_rows(gradients, mask):
    """`(batch, time, units)` to `(time,)`, in the obvious way."""
    means = []
    for t in range(gradients.shape[1]):
        rows = [np.linalg.norm(gradients[n, t]) for n in range(len(gradients)) if mask[n, t]]
        means.append(np.mean(rows) if rows else np.nan)
    return np.array(means)


def restarted(layer, x, y, mask):
    """dL/dh_t `(batch, time, units)`: the layer is stopped after each step, and started anew from what it left."""
    copy = twin(layer, return_sequences=True, return_state=True, go_backwards=False)
    gradients = np.zeros((BATCH, TIME, UNITS))
    for t in range(TIME):
        head, *states = copy(x[:, : t + 1], mask=tf.constant(mask[:, : t + 1]))
        with tf.GradientTape() as tape:
            tape.watch(states)
            outputs = [head[:, :t], states[0][:, None]]
            if t + 1 < TIME:
                outputs.append(copy(x[:, t + 1 :], initial_state=states, mask=tf.constant(mask[:, t + 1 :]))[0])
            terms = tf.sin(tf.concat(outputs, axis=1)) * y * tf.cast(mask, tf.float32)[..., None]
            loss = tf.reduce_sum(terms)
        gradients[:, t] = tape.gradient(loss, states[0]).numpy()
    return gradients


class TestAgainstTheReference:
    """Our layers and Keras's without a mask, for a loss over all steps: B's NumPy has every dL/dh_t."""

    @pytest.mark.parametrize("kind", ["SimpleRNN", "keras SimpleRNN"])
    @pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
    def test_simple_rnn(self, kind, activation, x, y):
        model = built(KINDS[kind](return_sequences=True, activation=activation), x)
        trace = bptt.simple_rnn_forward(x, *model.get_weights(), activation=activation)
        gradients = bptt.simple_rnn_backward(trace, np.cos(trace.h[:, 1:]) * y)
        _, norms = flow_of(model, x, y)
        np.testing.assert_allclose(norms, mean_over_real_rows(gradients.h[:, 1:], np.ones_like(MASK)), rtol=1e-4)

    @pytest.mark.parametrize("kind", ["PeepholeLSTM", "keras RNN of ours", "keras LSTM"])
    def test_lstm(self, kind, x, y):
        model = built(KINDS[kind](return_sequences=True), x)
        kernel, recurrent_kernel, bias, *peephole = model.get_weights()
        trace = bptt.peephole_lstm_forward(x, kernel, recurrent_kernel, bias, *peephole)
        gradients = bptt.peephole_lstm_backward(trace, np.cos(trace.h[:, 1:]) * y)
        flow, norms = flow_of(model, x, y)
        everywhere = np.ones_like(MASK)
        np.testing.assert_allclose(norms, mean_over_real_rows(gradients.h[:, 1:], everywhere), rtol=1e-4)
        cell_norms = flow.cell_norms[model.layer.name]
        np.testing.assert_allclose(cell_norms, mean_over_real_rows(gradients.c[:, 1:], everywhere), rtol=1e-4)

    @pytest.mark.parametrize("kind", ["GRU", "keras GRU"])
    def test_gru(self, kind, x, y):
        model = built(KINDS[kind](return_sequences=True), x)
        trace = bptt.gru_forward(x, *model.get_weights())
        gradients = bptt.gru_backward(trace, np.cos(trace.h[:, 1:]) * y)
        flow, norms = flow_of(model, x, y)
        np.testing.assert_allclose(norms, mean_over_real_rows(gradients.h[:, 1:], np.ones_like(MASK)), rtol=1e-4)
        assert flow.cell_norms == {}


class TestAgainstRestarts:
    @pytest.mark.parametrize("kind", KINDS)
    def test_masks(self, kind, x, y):
        model = built(KINDS[kind](return_sequences=True), x, MASK)
        _, norms = flow_of(model, x, y)
        np.testing.assert_allclose(norms, mean_over_real_rows(restarted(model.layer, x, y, MASK), MASK), rtol=1e-4)

    @pytest.mark.parametrize("kind", ["SimpleRNN", "PeepholeLSTM", "keras LSTM", "keras RNN of ours"])
    def test_backward_layers_stand_at_the_steps_of_their_input(self, kind, x, y):
        model = built(KINDS[kind](return_sequences=True, go_backwards=True), x)
        # The outputs come in the order of running, as do the y that they are multiplied with.
        gradients = restarted(model.layer, x[:, ::-1], y, np.ones_like(MASK))
        _, norms = flow_of(model, x, y)
        np.testing.assert_allclose(norms, mean_over_real_rows(gradients[:, ::-1], np.ones_like(MASK)), rtol=1e-4)

    @pytest.mark.parametrize("both", [Bidirectional, layers.Bidirectional], ids=["ours", "keras"])
    @pytest.mark.parametrize("kind", ["PeepholeLSTM", "keras GRU"])
    def test_both_directions(self, both, kind, x, random):
        model = built(both(KINDS[kind](return_sequences=True)), x, MASK)
        y = random.normal(size=(BATCH, TIME, 2 * UNITS)).astype("float32")
        _, norms = flow_of(model, x, y)
        forward = restarted(model.layer.forward_layer, x, y[..., :UNITS], MASK)
        backward = restarted(model.layer.backward_layer, x[:, ::-1], y[:, ::-1, UNITS:], MASK[:, ::-1])[:, ::-1]
        wanted = [mean_over_real_rows(gradients, MASK) for gradients in (forward, backward)]
        np.testing.assert_allclose(norms, wanted, rtol=1e-4)

    @pytest.mark.parametrize("kind", ["PeepholeLSTM", "keras LSTM"])
    @pytest.mark.parametrize("backwards", [False, True])
    def test_the_last_output_alone(self, kind, backwards, x, y):
        y = y[:, 0]
        model = built(KINDS[kind](go_backwards=backwards), x)
        every = np.zeros((BATCH, TIME, UNITS), np.float32)
        every[:, -1] = y
        turn = slice(None, None, -1) if backwards else slice(None)
        gradients = restarted(model.layer, x[:, turn], every, np.ones_like(MASK))[:, turn]
        _, norms = flow_of(model, x, y)
        np.testing.assert_allclose(norms, mean_over_real_rows(gradients, np.ones_like(MASK)), rtol=1e-4)


OPTIONS = {
    "zeros where masked": {"zero_output_for_mask": True, "return_sequences": True},
    "last output": {},
    "backwards": {"go_backwards": True, "return_sequences": True},
    "last output backwards": {"go_backwards": True},
    "states": {"return_state": True},
    "unrolled": {"unroll": True, "return_sequences": True},
    "dropout": {"dropout": 0.5, "recurrent_dropout": 0.5},
    "stateful": {"stateful": True, "return_sequences": True},
}


class TestTheLossIsThatOfThePlainModel:
    """So the loop that stands in for a layer's own makes the same outputs."""

    @pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
    @pytest.mark.parametrize("kind", ["PeepholeLSTM", "keras LSTM"])
    def test_options_under_a_mask(self, kind, options, x, y):
        model = built(KINDS[kind](**options), x, MASK)
        y = y if options.get("return_sequences") else y[:, :1].mean()
        flow = gradient_flow(model, x, y)
        assert flow.loss == pytest.approx(float(model.compute_loss(x, y, model(x))), rel=1e-5)
        assert np.all(flow.norms[model.layer.name][:6] > 0)

    def test_residual(self, x, y):
        model = built(GRU(UNITS, return_sequences=True, residual=True), x, MASK)
        assert flow_of(model, x, y)[0].loss == pytest.approx(float(model.compute_loss(x, y, model(x))), rel=1e-5)

    @pytest.mark.parametrize("kind", ["SimpleRNN", "keras GRU"])
    def test_an_initial_state(self, kind, x, y):
        inputs = keras.Input((TIME, FEATURES)), keras.Input((UNITS,))
        layer = KINDS[kind](return_sequences=True)
        model = keras.Model(inputs, layer(inputs[0], initial_state=[inputs[1]]))
        model.compile(loss="mse")
        data = [x, np.ones((BATCH, UNITS), "float32")]
        assert gradient_flow(model, data, y).loss == pytest.approx(np.mean((model(data) - y) ** 2), rel=1e-5)


def test_central_differences(x, y):
    """h_t of a layer written out here is shifted by hand, in float64."""
    layer = SimpleRNN(UNITS, return_sequences=True, dtype="float64")
    model = built(layer, x)
    kernel, recurrent_kernel, bias = model.get_weights()

    def loss(shift, row, t, unit):
        h = np.zeros((BATCH, UNITS))
        total = 0.0
        for step in range(TIME):
            h = np.tanh(x[:, step] @ kernel + h @ recurrent_kernel + bias)
            if step == t:
                h[row, unit] += shift
            total += (np.sin(h) * y[:, step]).sum()
        return total

    gradients = np.zeros((BATCH, TIME, UNITS))
    for index in np.ndindex(*gradients.shape):
        gradients[index] = (loss(1e-5, *index) - loss(-1e-5, *index)) / 2e-5
    _, norms = flow_of(model, x, y)
    np.testing.assert_allclose(norms, mean_over_real_rows(gradients, np.ones_like(MASK)), rtol=1e-6)


class TestJacobians:
    @pytest.mark.parametrize("kind", ["SimpleRNN", "PeepholeLSTM", "GRU", "keras LSTM", "keras RNN of ours"])
    @pytest.mark.parametrize("row", [0, 2])
    def test_against_those_of_a_layer_started_in_mid_sequence(self, kind, row, x, y):
        model = built(KINDS[kind](return_sequences=True), x, MASK)
        flow, _ = flow_of(model, x, y)
        norms = flow.jacobian_norms(model.layer.name, row=row)
        copy = twin(model.layer, return_state=True)
        one, mask = x[row : row + 1], tf.constant(MASK[row : row + 1])
        np.testing.assert_allclose(np.diag(norms), 1)
        np.testing.assert_array_equal(norms[np.triu_indices(TIME, 1)], 0)
        for k, t in [(0, 6), (1, 2), (3, 5)]:
            states = copy(one[:, : k + 1], mask=mask[:, : k + 1])[1:]
            span = slice(k + 1, t + 1)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(states)
                hidden = copy(one[:, span], initial_state=list(states), mask=mask[:, span])[1][0]
                units = [hidden[n] for n in range(UNITS)]
            jacobian = [tape.gradient(unit, states[0]).numpy()[0] for unit in units]
            assert norms[t, k] == pytest.approx(np.linalg.norm(jacobian, 2), rel=1e-3)

    def test_backward_is_forward_over_the_turned_sequence(self, x, y):
        forward = built(GRU(UNITS, return_sequences=True), x)
        backward = Scored(twin(forward.layer, go_backwards=True))
        backward(x)
        turned, _ = flow_of(forward, x[:, ::-1].copy(), y)
        flow, _ = flow_of(backward, x, y)
        wanted = turned.jacobian_norms(forward.layer.name, row=1)[::-1, ::-1]
        np.testing.assert_allclose(flow.jacobian_norms(backward.layer.name, row=1), wanted, rtol=1e-4)

    def test_long_sequences_are_taken_in_parts(self, x, y, monkeypatch):
        model = built(PeepholeLSTM(UNITS, return_sequences=True), x, MASK)
        whole, _ = flow_of(model, x, y)
        parts, _ = flow_of(model, x, y)
        wanted = whole.jacobian_norms(model.layer.name, row=2)
        monkeypatch.setattr("seqtag.diagnostics.jacobians.ROWS", 3 * 2 * UNITS)  # three of seven steps
        np.testing.assert_allclose(parts.jacobian_norms(model.layer.name, row=2), wanted, rtol=1e-5)

    def test_they_are_of_the_weights_that_the_flow_was_computed_with(self, x, y):
        model = built(layers.LSTM(UNITS, return_sequences=True), x)
        flow, _ = flow_of(model, x, y)
        before = flow.jacobian_norms(model.layer.name)
        changed = [2 * weight for weight in model.get_weights()]
        model.set_weights(changed)
        np.testing.assert_array_equal(flow.jacobian_norms(model.layer.name), before)
        np.testing.assert_array_equal(model.get_weights()[0], changed[0])

    @pytest.mark.parametrize("scale", [0.5, 2.0])
    def test_an_elman_networks_stay_under_the_bound(self, scale, x, y):
        model = built(SimpleRNN(UNITS, return_sequences=True), x, MASK)
        kernel, recurrent_kernel, bias = model.get_weights()
        model.set_weights([kernel, scale * recurrent_kernel, bias])
        flow, norms = flow_of(model, x, y)
        name = model.layer.name
        for row in range(BATCH):
            assert np.all(flow.jacobian_norms(name, row=row) <= flow.jacobian_bound(name, row=row) * (1 + 1e-5))
        assert np.all(norms <= flow.bound[name] * (1 + 1e-5))
        assert flow.step_bounds[name][0].alpha == pytest.approx(np.linalg.norm(scale * recurrent_kernel, 2))

    def test_the_bound_counts_real_steps(self, x, y):
        model = built(SimpleRNN(UNITS, return_sequences=True, activation="sigmoid"), x, MASK)
        flow, _ = flow_of(model, x, y)
        rate = np.linalg.norm(model.get_weights()[1], 2) / 4
        wanted = rate ** np.array([2.0, 1.0, 1.0, 0.0])
        bound = flow.jacobian_bound(model.layer.name, row=2)
        np.testing.assert_allclose(bound[4, 1:5], [rate**2, rate, rate, 1], rtol=1e-5)
        np.testing.assert_allclose(bound[4, 1:5], wanted, rtol=1e-5)
        np.testing.assert_array_equal(bound[np.triu_indices(TIME, 1)], 0)

    def test_what_is_not_there(self, x, y):
        model = built(SimpleRNN(UNITS, return_sequences=True), x)
        flow, _ = flow_of(model, x, y)
        name = model.layer.name
        with pytest.raises(ValueError, match=f"expected layer to be one of {name}, found 'rnn'"):
            flow.jacobian_norms("rnn")
        with pytest.raises(ValueError, match="expected backward to be False for a layer of one direction"):
            flow.jacobian_norms(name, backward=True)
        for row in (BATCH, -1):
            with pytest.raises(ValueError, match=f"expected row to be at least 0 and below {BATCH}, found {row}"):
                flow.jacobian_norms(name, row=row)


class TestTheBound:
    def test_of_a_loss_of_the_last_step_it_is_a_power(self, x, y):
        model = built(SimpleRNN(UNITS), x)
        flow, norms = flow_of(model, x, y[:, 0])
        rate = np.linalg.norm(model.get_weights()[1], 2)
        np.testing.assert_allclose(flow.bound[model.layer.name], norms[-1] * rate ** np.arange(TIME - 1, -1, -1), 1e-4)

    def test_of_a_linear_network_with_one_unit_it_is_the_gradient_itself(self, x):
        """Where all that comes from above points the same way, nothing is lost to the triangle inequality."""
        layer = SimpleRNN(1, activation="linear", recurrent_initializer=keras.initializers.Constant(0.7))
        model = keras.Sequential([keras.Input((TIME, FEATURES)), layer])
        flow = gradient_flow(model, x, np.zeros((BATCH, 1)), loss=lambda y, y_pred: y_pred)
        np.testing.assert_allclose(flow.norms[layer.name], flow.bound[layer.name], rtol=1e-5)
        np.testing.assert_allclose(flow.norms[layer.name], 0.7 ** np.arange(TIME - 1, -1, -1) / BATCH, rtol=1e-5)

    def test_where_there_is_no_matrix_there_is_none(self):
        model = keras.Sequential(
            [keras.Input((3, 4, 4, 1)), layers.ConvLSTM2D(2, 2), layers.Flatten(), layers.Dense(1)]
        )
        x = np.random.default_rng(0).normal(size=(2, 3, 4, 4, 1))
        flow = gradient_flow(model, x, np.ones((2, 1)), loss="mse")
        assert np.all(flow.norms["conv_lstm2d"] > 0)
        assert np.all(np.isnan(flow.bound["conv_lstm2d"][:-1]))


class TestRows:
    def test_steps_without_a_real_row_are_nan_and_count_no_row(self, x, y):
        mask = MASK.copy()
        mask[:, 5:] = False
        flow, norms = flow_of(built(GRU(UNITS, return_sequences=True), x, mask), x, y)
        assert np.all(np.isnan(norms[5:])) and np.all(norms[:5] > 0)
        (rows,) = flow.rows.values()
        np.testing.assert_array_equal(rows, mask.sum(axis=0))

    def test_rows_count_alike_whatever_their_number(self, x, y):
        """For a loss that is a sum over rows; one that is their mean gives each row its share."""
        model = built(PeepholeLSTM(UNITS, return_sequences=True), x)
        _, norms = flow_of(model, x, y)
        _, twice = flow_of(model, np.concatenate([x, x]), np.concatenate([y, y]))
        np.testing.assert_allclose(twice, norms, rtol=1e-5)


def test_half_precision(x, y):
    model = built(layers.RNN(GRUCell(UNITS), return_sequences=True, dtype="mixed_bfloat16"), x)
    wide = Scored(layers.RNN(GRUCell(UNITS), return_sequences=True))
    wide(x)
    wide.set_weights(model.get_weights())
    np.testing.assert_allclose(flow_of(model, x, y)[1], flow_of(wide, x, y)[1], rtol=0.1)


@pytest.mark.parametrize("kind", ["PeepholeLSTM", "keras LSTM"])
def test_the_loops_are_back_even_after_an_error(kind, x):
    model = built(KINDS[kind](return_sequences=True), x)
    before = model(x)
    owners = [model.layer, model.layer.cell]
    names = [set(vars(owner)) for owner in owners]
    with pytest.raises(tf.errors.InvalidArgumentError):
        gradient_flow(model, x, np.ones((9, 9, 9)))
    assert [set(vars(owner)) for owner in owners] == names
    assert not tf.config.functions_run_eagerly()
    np.testing.assert_array_equal(model(x), before)
    model.compile(optimizer="sgd")
    model.fit(x, np.ones((BATCH, TIME, UNITS)), verbose=0)


class TestTables:
    def test_frames(self, x, y):
        model = built(Bidirectional(PeepholeLSTM(UNITS)), x, MASK)
        flow, norms = flow_of(model, x, np.ones((BATCH, 2 * UNITS)))
        name = model.layer.name
        frame = flow.to_frame()
        assert list(frame.columns) == ["layer", "direction", "step", "rows", "norm", "cell_norm", "bound"]
        assert list(frame["direction"]) == ["forward"] * TIME + ["backward"] * TIME
        np.testing.assert_array_equal(frame["norm"], norms.reshape(-1))
        np.testing.assert_array_equal(frame["cell_norm"], flow.cell_norms[name].reshape(-1))
        forward, backward = flow.summary().to_dict("records")
        assert forward["ratio"] == norms[0, 0] / norms[0, -1]
        assert backward["ratio"] == norms[1, -1] / norms[1, 0]
        assert (forward["first"], forward["middle"], forward["last"]) == (norms[0, 0], norms[0, 3], norms[0, 6])
        assert backward["bound_ratio"] == pytest.approx(backward["alpha"] ** 6)
        assert np.isnan(forward["radius"])
