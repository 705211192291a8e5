"""What the recurrent layers share: masks, states, dropout, skip connections, and errors by their messages."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import GRU, GRUCell, PeepholeLSTM, PeepholeLSTMCell, SimpleRNN, SimpleRNNCell
from seqtag.native.library import kept_away

BATCH, TIME, FEATURES, UNITS = 3, 6, 4, 3
MASK = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1]], bool)
LAYERS = [SimpleRNN, PeepholeLSTM, GRU]
CELLS = {SimpleRNN: SimpleRNNCell, PeepholeLSTM: PeepholeLSTMCell, GRU: GRUCell}


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")


@pytest.fixture(params=LAYERS)
def kind(request):
    return request.param


def same_weights(source, *layers):
    for layer in layers:
        if not layer.built:
            layer.build((BATCH, TIME, FEATURES))
        layer.set_weights(source.get_weights())


def test_a_masked_step_is_as_if_it_were_not_there(kind, inputs):
    layer = kind(UNITS, return_sequences=True, return_state=True)
    outputs, *states = layer(inputs, mask=MASK)
    for row in range(BATCH):
        short, *ends = layer(inputs[row : row + 1, MASK[row]])
        np.testing.assert_allclose(outputs[row][MASK[row]], short[0], atol=1e-6)
        for state, end in zip(states, ends, strict=True):
            np.testing.assert_allclose(state[row], end[0], atol=1e-6)


def test_a_masked_step_repeats_the_output_before_it(kind, inputs):
    outputs = ops.convert_to_numpy(kind(UNITS, return_sequences=True)(inputs, mask=MASK))
    np.testing.assert_array_equal(outputs[0, 4:], outputs[0, [3, 3]])
    np.testing.assert_array_equal(outputs[1, 0], np.zeros(UNITS))
    np.testing.assert_array_equal(outputs[1, 2:4], outputs[1, [1, 1]])


def test_a_row_without_real_steps_keeps_its_initial_state_and_shows_zeros(kind, inputs):
    layer = kind(UNITS, return_state=True)
    start = [np.full((BATCH, UNITS), 0.25 + index, "float32") for index in range(len(layer.state_size))]
    output, *states = layer(inputs, initial_state=start, mask=np.zeros((BATCH, TIME), bool))
    np.testing.assert_array_equal(output, np.zeros((BATCH, UNITS)))
    for state, wanted in zip(states, start, strict=True):
        np.testing.assert_array_equal(state, wanted)


def test_backwards_starts_at_the_last_real_step_of_each_row(kind, inputs):
    forward = kind(UNITS, return_sequences=True)
    backward = kind(UNITS, return_sequences=True, go_backwards=True)
    forward(inputs)
    same_weights(forward, backward)
    outputs = ops.convert_to_numpy(backward(inputs, mask=MASK))
    for row in range(BATCH):
        reversed_row = inputs[row : row + 1, MASK[row]][:, ::-1]
        np.testing.assert_allclose(outputs[row][MASK[row][::-1]], forward(reversed_row)[0], atol=1e-6)


def test_masks_come_by_propagation_also_beside_an_initial_state(kind, inputs):
    padded = np.where(MASK[..., None], inputs, 0)
    values = keras.Input((None, FEATURES))
    start = [keras.Input((UNITS,)) for _ in kind(UNITS).state_size]
    layer = kind(UNITS, return_sequences=True)
    masked = keras.layers.Masking()(values)
    model = keras.Model([values, start], [layer(masked), layer(masked, initial_state=start)])
    states = [np.full((BATCH, UNITS), 0.5, "float32") for _ in start]
    plain, started = model([padded, states])
    np.testing.assert_allclose(plain, layer(padded, mask=MASK), atol=1e-6)
    np.testing.assert_allclose(started, layer(padded, initial_state=states, mask=MASK), atol=1e-6)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_the_output_mask_follows_the_outputs(kind, inputs, go_backwards):
    layer = kind(UNITS, return_sequences=True, go_backwards=go_backwards)
    wanted = MASK[:, ::-1] if go_backwards else MASK
    np.testing.assert_array_equal(layer.compute_mask(inputs, ops.convert_to_tensor(MASK)), wanted)
    assert kind(UNITS).compute_mask(inputs, ops.convert_to_tensor(MASK)) is None
    states = [None] * len(layer.state_size)
    assert kind(UNITS, return_state=True).compute_mask(inputs, MASK) == [None, *states]


def test_zero_output_for_mask(kind, inputs):
    layer = kind(UNITS, return_sequences=True)
    outputs = ops.convert_to_numpy(layer(inputs, mask=MASK))
    zeroing = kind(UNITS, return_sequences=True, zero_output_for_mask=True)
    same_weights(layer, zeroing)
    np.testing.assert_allclose(zeroing(inputs, mask=MASK), outputs * MASK[..., None], atol=1e-6)


def test_returned_states_continue_the_sequence(kind, inputs):
    layer = kind(UNITS, return_sequences=True, return_state=True)
    whole, *last = layer(inputs)
    first, *middle = layer(inputs[:, :2])
    second, *end = layer(inputs[:, 2:], initial_state=middle)
    np.testing.assert_allclose(whole, np.concatenate([first, second], axis=1), atol=1e-6)
    np.testing.assert_allclose(last[-1], end[-1], atol=1e-6)


def test_a_stateful_layer_continues_by_itself_until_reset(kind, inputs):
    layer = kind(UNITS, return_sequences=True)
    whole = ops.convert_to_numpy(layer(inputs))
    stateful = kind(UNITS, return_sequences=True, stateful=True)
    stateful.build((BATCH, TIME, FEATURES))
    for ours, theirs in zip(stateful.trainable_variables, layer.trainable_variables, strict=True):
        ours.assign(theirs)
    for _ in range(2):
        halves = [stateful(inputs[:, :2]), stateful(inputs[:, 2:])]
        np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, atol=1e-6)
        stateful.reset_state()


def test_unrolled_equals_looped(kind, inputs):
    layer, unrolled = kind(UNITS), kind(UNITS, unroll=True)
    wanted = layer(inputs, mask=MASK)
    same_weights(layer, unrolled)
    np.testing.assert_allclose(unrolled(inputs, mask=MASK), wanted, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}, {"use_bias": False}])
def test_a_cell_in_keras_rnn_is_the_layer(kind, inputs, options):
    layer = kind(UNITS, return_sequences=True, return_state=True, **options)
    wanted = layer(inputs, mask=MASK)
    rnn = keras.layers.RNN(CELLS[kind](UNITS, **options), return_sequences=True, return_state=True)
    rnn(inputs)
    rnn.set_weights(layer.get_weights())
    found = rnn(inputs, mask=MASK)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_layer_norm_forgets_the_scale_of_the_inputs(kind, inputs):
    layer = kind(UNITS, layer_norm=True, return_sequences=True)
    # Large from the start, so that the norm's epsilon counts for nothing beside any variance.
    np.testing.assert_allclose(layer(100 * inputs), layer(5000 * inputs), atol=1e-3)
    plain = kind(UNITS, return_sequences=True)
    assert np.abs(plain(inputs) - plain(50 * inputs)).max() > 0.1


def test_residual_adds_the_inputs(kind, inputs):
    plain, residual = kind(FEATURES, return_sequences=True), kind(FEATURES, return_sequences=True, residual=True)
    wanted = plain(inputs)
    same_weights(plain, residual)
    np.testing.assert_allclose(residual(inputs), wanted + inputs, atol=1e-6)


def test_residual_projects_the_inputs_where_widths_differ(kind, inputs):
    backwards = {"return_sequences": True, "go_backwards": True}
    plain, residual = kind(UNITS, **backwards), kind(UNITS, residual=True, **backwards)
    wanted = plain(inputs)
    residual.build(inputs.shape)
    projection = np.random.default_rng(1).normal(size=(FEATURES, UNITS)).astype("float32")
    residual.cell.set_weights(plain.cell.get_weights())
    residual.residual_kernel.assign(projection)
    np.testing.assert_allclose(residual(inputs), wanted + (inputs @ projection)[:, ::-1], atol=1e-5)


def identity_rnn(units, **options):
    """`h_t = h_{t-1} U + x_t W` with both products the identity's."""
    layer = SimpleRNN(units, activation="linear", use_bias=False, return_sequences=True, **options)
    layer.build((None, None, units))
    layer.set_weights([np.eye(units, dtype="float32")] * 2)
    return layer


@pytest.mark.parametrize("variational", [True, False])
def test_dropout_of_inputs(variational):
    layer = identity_rnn(50, dropout=0.4, variational=variational, seed=1)
    layer.cell.recurrent_kernel.assign(np.zeros((50, 50)))
    ones = np.ones((2, 8, 50), "float32")
    outputs = ops.convert_to_numpy(layer(ones, training=True))
    assert set(np.unique(outputs.round(4))) == {0.0, np.float32(1 / 0.6).round(4)}
    assert 0.2 < (outputs == 0).mean() < 0.6
    assert (outputs == outputs[:, :1]).all() == variational
    assert not (outputs[0] == outputs[1]).all()
    np.testing.assert_array_equal(layer(ones), ones)


@pytest.mark.parametrize("variational", [True, False])
def test_dropout_of_the_hidden_state(variational):
    layer = identity_rnn(50, recurrent_dropout=0.4, variational=variational, seed=1)
    start = [np.ones((2, 50), "float32")]
    outputs = ops.convert_to_numpy(layer(np.zeros((2, 4, 50), "float32"), initial_state=start, training=True))
    # Each step multiplies what is left by its mask, so the ratio of outputs is the mask.
    first = outputs[:, 0]
    second = np.where(first > 0, outputs[:, 1] / np.where(first > 0, first, 1), 0)
    assert set(np.unique(first.round(4))) == {0.0, np.float32(1 / 0.6).round(4)}
    assert (second == first).all() == variational


@pytest.mark.parametrize("fused", [True, False])
def test_dropout_is_the_same_in_graph_and_eager_given_the_seed(kind, inputs, fused):
    options = {"dropout": 0.3, "recurrent_dropout": 0.3, "variational": False, "layer_norm": not fused}
    first, second = kind(UNITS, seed=5, **options), kind(UNITS, seed=5, **options)
    first.build(inputs.shape)
    second.build(inputs.shape)
    second.cell.set_weights(first.cell.get_weights())
    wanted = first(inputs, mask=MASK, training=True)
    np.testing.assert_allclose(second(inputs, mask=MASK, training=True), wanted, atol=1e-6)
    assert np.abs(ops.convert_to_numpy(first(inputs, mask=MASK)) - wanted).max() > 1e-3


def test_weight_dropout_takes_numbers_out_of_the_recurrent_kernel(kind, inputs):
    layer = kind(UNITS, return_sequences=True, weight_dropout=0.5, seed=1)
    plain = kind(UNITS, return_sequences=True)
    plain.build(inputs.shape)
    same_weights(plain, layer)
    np.testing.assert_array_equal(layer(inputs), plain(inputs))
    trained = layer(inputs, training=True)
    # The generator starts again with the same seed, and draws the same mask.
    mask = keras.random.dropout(ops.ones(plain.cell.recurrent_kernel.shape), 0.5, seed=keras.random.SeedGenerator(1))
    assert 0 < np.count_nonzero(mask) < np.size(mask)
    plain.cell.recurrent_kernel.assign(plain.cell.recurrent_kernel * mask)
    np.testing.assert_allclose(trained, plain(inputs), atol=1e-6)
    assert type(layer).from_config(layer.get_config()).weight_dropout == 0.5


@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "recurrent_dropout": 0.3, "variational": False}])
@kept_away()  # kernels share out the rows themselves
def test_two_halves_of_the_rows_side_by_side_give_what_all_rows_give(kind, monkeypatch, options):
    tf = pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("rows are halved on TensorFlow alone")
    inputs = tf.constant(np.random.default_rng(0).normal(size=(4, TIME, FEATURES)), "float32")
    mask = tf.constant(np.concatenate([MASK, MASK[:1]]))
    found = []
    for wide in (2**30, 1):
        monkeypatch.setattr("seqtag.layers.recurrent_cell.WIDE_STEP", wide)
        keras.utils.set_random_seed(3)
        layer = kind(UNITS, return_sequences=True, return_state=True, seed=5, **options)

        @tf.function
        def run(inputs, layer=layer):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = layer(inputs, mask=mask, training=True)
                loss = sum(tf.reduce_sum(tf.square(output)) for output in outputs)
            return [*outputs, *tape.gradient(loss, [inputs, *layer.trainable_variables])]

        layer.build(inputs.shape)
        loops = sum("While" in op.type for op in run.get_concrete_function(inputs).graph.get_operations())
        found.append((loops, run(inputs)))
    (loops, whole), (loops_of_halves, halves) = found
    assert loops_of_halves == 2 * loops > 0
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_training_lowers_the_loss_of_a_model(kind, inputs):
    targets = np.cumsum(inputs[..., :1], axis=1)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((None, FEATURES)), kind(16, return_sequences=True), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    losses = model.fit(inputs, targets, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]


def test_errors_say_what_was_expected(kind, inputs):
    with pytest.raises(ValueError, match="expected units to be a whole number above zero, found 0"):
        kind(0)
    with pytest.raises(ValueError, match=r"expected dropout to be at least 0 and below 1, found 1\.5"):
        kind(3, dropout=1.5)
    with pytest.raises(ValueError, match="expected recurrent_dropout to be at least 0 and below 1, found -1"):
        kind(3, recurrent_dropout=-1)
    with pytest.raises(ValueError, match="expected return_sequences=True with residual=True, found False"):
        kind(3, residual=True)
    with pytest.raises(ValueError, match="expected a static batch size for stateful=True, found None"):
        kind(3, stateful=True)(keras.Input((None, 2)))
    with pytest.raises(ValueError, match=r"expected the initial state to be \[hidden.*\], found 3 tensors"):
        kind(3)(inputs, initial_state=[np.zeros((BATCH, 3), "float32")] * 3)
    with pytest.raises(ValueError, match="hidden_size"):
        kind(3, hidden_size=4)
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        kind(3)(inputs[0])
