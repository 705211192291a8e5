"""The recurrences against loops in NumPy, central differences, each other and TensorFlow's own LSTM block."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.ops import fused_recurrence, recurrence
from seqtag.ops.recurrence import GRUWeights, LSTMState, LSTMWeights, RNNState, RNNWeights, swap_time
from seqtag.ops.scan import ScanOptions

BATCH, TIME, UNITS = 4, 5, 3
TANH, SIGMOID = keras.activations.tanh, keras.activations.sigmoid

# Padding on the right, a gap, no real step at all, all steps real.
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_rnn(a, state, weights):
    (h,) = state
    h = np.tanh(a + h @ weights[0])
    return (h,)


def numpy_lstm(a, state, weights):
    h, c = state
    units = h.shape[-1]
    peephole = weights[1] if len(weights) > 1 else np.zeros((3, units))
    i, f, g, o = np.split(a + h @ weights[0], 4, axis=-1)
    new = sigmoid(f + peephole[1] * c) * c + sigmoid(i + peephole[0] * c) * np.tanh(g)
    return sigmoid(o + peephole[2] * new) * np.tanh(new), new


def numpy_gru(a, state, weights):
    (h,) = state
    units = h.shape[-1]
    m = h @ weights[0] + weights[1]
    z = sigmoid(a[:, :units] + m[:, :units])
    r = sigmoid(a[:, units : 2 * units] + m[:, units : 2 * units])
    candidate = np.tanh(a[:, 2 * units :] + r * m[:, 2 * units :])
    return (z * h + (1 - z) * candidate,)


def numpy_gru_before(a, state, weights):
    (h,) = state
    units = h.shape[-1]
    kernel = weights[0]
    z = sigmoid(a[:, :units] + h @ kernel[:, :units])
    r = sigmoid(a[:, units : 2 * units] + h @ kernel[:, units : 2 * units])
    candidate = np.tanh(a[:, 2 * units :] + (r * h) @ kernel[:, 2 * units :])
    return (z * h + (1 - z) * candidate,)


def numpy_loop(step, inputs, state, weights, mask=None, reverse=False):
    """Outputs and last state, row by row and step by step, skipping what is masked."""
    batch, time = inputs.shape[:2]
    outputs = np.zeros((batch, time, state[0].shape[-1]))
    last = [np.array(value, np.float64) for value in state]
    for row in range(batch):
        current = tuple(value[row : row + 1] for value in last)
        for t in reversed(range(time)) if reverse else range(time):
            if mask is None or mask[row, t]:
                current = step(inputs[row : row + 1, t], current, weights)
            outputs[row, t] = current[0][0]
        for value, new in zip(last, current, strict=True):
            value[row] = new[0]
    return outputs, last


def options_of(mask=None, dropped=None, **order):
    """Options from a mask `(batch, time)` and a dropout mask `(batch, time, units)`."""
    mask = None if mask is None else ops.transpose(ops.convert_to_tensor(mask))[..., None]
    return ScanOptions(mask, None if dropped is None else swap_time(ops.convert_to_tensor(dropped)), **order)


class Case:
    """A recurrence with random weights, its step, its fused form and its loop in NumPy."""

    def __init__(self, gates, state_type, weights_type, shapes, step, fused, loop):
        random = np.random.default_rng(7)
        self.inputs = random.normal(size=(BATCH, TIME, gates * UNITS)).astype("float32")
        self.state = [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in state_type._fields]
        self.weights = [random.normal(size=shape).astype("float32") for shape in shapes]
        self.state_type, self.weights_type = state_type, weights_type
        self.step, self.fused, self.loop = step, fused, loop

    def run(self, inputs, state, weights, options, fused):
        state, weights = self.state_type(*state), self.weights_type(*weights)
        if fused:
            outputs, last = self.fused(swap_time(inputs), state, weights, options)
            return swap_time(outputs), last
        return recurrence.scan(
            lambda x, s: self.step(x, s, weights),
            inputs,
            state,
            mask=None if options.mask is None else swap_time(options.mask)[..., 0],
            reverse=options.reverse,
            unroll=options.unroll,
        )


def fused_lstm(inputs, state, weights, options):
    return fused_recurrence.lstm(inputs, state, weights, options, activation=TANH, recurrent_activation=SIGMOID)


def fused_gru(inputs, state, weights, options):
    return fused_recurrence.gru(inputs, state, weights, options, activation=TANH, recurrent_activation=SIGMOID)


def fused_rnn(inputs, state, weights, options):
    return fused_recurrence.simple_rnn(inputs, state, weights, options, activation=TANH)


def gru_before(inputs, state, weights):
    return recurrence.gru_step(inputs, state, weights, reset_after=False)


U = UNITS
CASES = {
    "rnn": lambda: Case(1, RNNState, RNNWeights, [(U, U)], recurrence.simple_rnn_step, fused_rnn, numpy_rnn),
    "lstm": lambda: Case(4, LSTMState, LSTMWeights, [(U, 4 * U)], recurrence.lstm_step, fused_lstm, numpy_lstm),
    "peephole": lambda: Case(
        4, LSTMState, LSTMWeights, [(U, 4 * U), (3, U)], recurrence.lstm_step, fused_lstm, numpy_lstm
    ),
    "gru": lambda: Case(3, RNNState, GRUWeights, [(U, 3 * U), (3 * U,)], recurrence.gru_step, fused_gru, numpy_gru),
    "gru_before": lambda: Case(3, RNNState, GRUWeights, [(U, 3 * U)], gru_before, None, numpy_gru_before),
}
FUSED = [name for name in CASES if name != "gru_before"]


@pytest.fixture(params=FUSED)
def fused_case(request):
    return CASES[request.param]()


@pytest.mark.parametrize(("name", "fused"), [*[(name, False) for name in CASES], *[(name, True) for name in FUSED]])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_outputs_and_states_are_those_of_a_numpy_loop(name, fused, masked, reverse):
    case = CASES[name]()
    mask = MASK if masked else None
    options = options_of(mask, reverse=reverse)
    tensors = [ops.convert_to_tensor(value) for value in case.state]
    outputs, last = case.run(ops.convert_to_tensor(case.inputs), tensors, case.weights, options, fused)
    expected, expected_last = numpy_loop(case.loop, case.inputs, case.state, case.weights, mask, reverse)
    np.testing.assert_allclose(outputs, expected, atol=2e-6)
    for value, wanted in zip(last, expected_last, strict=True):
        np.testing.assert_allclose(value, wanted, atol=2e-6)


def weigh(outputs, last):
    """A loss in which every output and every last state has its own weight."""
    random = np.random.default_rng(3)
    return sum(ops.sum(value * random.normal(size=value.shape).astype("float32")) for value in (outputs, *last))


@pytest.mark.parametrize("reverse", [False, True])
def test_fused_gradients_are_central_differences_of_the_numpy_loop(fused_case, gradients, reverse):
    case = fused_case
    arrays = [case.inputs, *case.state, *case.weights]
    count = len(case.state)
    options = options_of(MASK, reverse=reverse)

    def loss(inputs, *rest):
        return weigh(*case.run(inputs, rest[:count], rest[count:], options, fused=True))

    def numpy_loss(inputs, *rest):
        random = np.random.default_rng(3)
        outputs, last = numpy_loop(case.loop, inputs, rest[:count], rest[count:], MASK, reverse)
        return sum(np.sum(v * random.normal(size=v.shape).astype("float32")) for v in (outputs, *last))

    found = gradients(loss, *arrays)
    exact = [array.astype("float64") for array in arrays]
    random = np.random.default_rng(11)
    for which, array in enumerate(exact):
        for flat in random.choice(array.size, size=min(6, array.size), replace=False):
            ends = []
            for shift in (1e-5, -1e-5):
                moved = [value.copy() for value in exact]
                moved[which].flat[flat] += shift
                ends.append(numpy_loss(*moved))
            np.testing.assert_allclose(found[which].flat[flat], (ends[0] - ends[1]) / 2e-5, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dropout", [None, 1, TIME])
def test_fused_gradients_are_those_of_automatic_differentiation(fused_case, gradients, masked, reverse, dropout):
    case = fused_case
    random = np.random.default_rng(5)
    drops = None if dropout is None else (random.random((BATCH, dropout, UNITS)) > 0.4).astype("float32") * 2
    count = len(case.state)

    def loss(fused, inputs, *rest):
        mask = ops.convert_to_tensor(MASK) if masked else None
        options = options_of(mask, drops, reverse=reverse)
        if fused:
            return weigh(*case.run(inputs, rest[:count], rest[count:], options, fused=True))
        weights = case.weights_type(*rest[count:])
        steps = inputs
        if drops is not None:
            steps = ops.concatenate([inputs, np.broadcast_to(drops, (BATCH, TIME, UNITS))], axis=-1)

        def step(x, state):
            width = inputs.shape[-1]
            return case.step(x[:, :width], state, weights, dropout_mask=None if drops is None else x[:, width:])

        return weigh(*recurrence.scan(step, steps, case.state_type(*rest[:count]), mask=mask, reverse=reverse))

    arrays = [case.inputs, *case.state, *case.weights]
    found = gradients(lambda *a: loss(True, *a), *arrays)
    wanted = gradients(lambda *a: loss(False, *a), *arrays)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", ["linear", "tanh", "sigmoid", "relu", "leaky_relu"])
def test_slopes_of_activations_are_their_derivatives(name, gradients):
    activation = keras.activations.get(name)
    assert fused_recurrence.has_slope(activation)
    values = np.array([[-2.0, -0.3, 0.2, 1.7]], "float32")

    def outputs(inputs, fused):
        state, weights = RNNState(ops.zeros((1, 4))), RNNWeights(ops.zeros((4, 4)))
        if fused:
            return fused_recurrence.simple_rnn(inputs[None], state, weights, ScanOptions(), activation=activation)[0]
        return activation(inputs)

    found = gradients(lambda x: ops.sum(outputs(x, True) * ops.array([1.0, 2.0, 3.0, 4.0])), values)
    wanted = gradients(lambda x: ops.sum(outputs(x, False) * ops.array([1.0, 2.0, 3.0, 4.0])), values)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5)


def test_unrolled_steps_are_those_of_the_loop(fused_case):
    case = fused_case
    tensors = [ops.convert_to_tensor(value) for value in case.state]
    for fused in (False, True):
        runs = [
            case.run(
                ops.convert_to_tensor(case.inputs),
                tensors,
                case.weights,
                options_of(MASK, reverse=True, unroll=unroll),
                fused,
            )[0]
            for unroll in (False, True)
        ]
        np.testing.assert_allclose(runs[0], runs[1], atol=1e-6)


def test_unrolling_needs_steps():
    with pytest.raises(ValueError, match="expected a static time dimension above zero to unroll, found 0"):
        recurrence.scan(lambda x, s: (x, s), ops.zeros((1, 0, 2)), RNNState(ops.zeros((1, 2))), unroll=True)


def test_peephole_lstm_is_tensorflows_lstm_block(gradients):
    tf = pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("the block belongs to TensorFlow")
    case = CASES["peephole"]()
    kernel, peephole = case.weights

    def ours(inputs, hidden, cell, kernel, peephole):
        return case.run(inputs, (hidden, cell), (kernel, peephole), ScanOptions(), fused=True)[0]

    def block(inputs, hidden, cell, kernel, peephole):
        # V1 orders its gates i, g, f, o; an identity takes the place of the input kernel.
        def reorder(values):
            i, f, g, o = tf.split(values, 4, axis=-1)
            return tf.concat([i, g, f, o], axis=-1)

        width = 4 * UNITS
        weights = tf.concat([tf.eye(width), reorder(kernel)], axis=0)
        return tf.transpose(
            tf.raw_ops.BlockLSTM(
                seq_len_max=tf.constant(TIME, tf.int64),
                x=tf.transpose(reorder(inputs), (1, 0, 2)),
                cs_prev=cell,
                h_prev=hidden,
                w=weights,
                wci=peephole[0],
                wcf=peephole[1],
                wco=peephole[2],
                b=tf.zeros(width),
                forget_bias=0.0,
                cell_clip=-1.0,
                use_peephole=True,
            ).h,
            (1, 0, 2),
        )

    arrays = [case.inputs, *case.state, kernel, peephole]
    np.testing.assert_allclose(ours(*arrays), block(*arrays), atol=1e-6)
    scale = np.random.default_rng(0).normal(size=(BATCH, TIME, UNITS)).astype("float32")
    # The block's gradients of its initial states are not defined.
    fixed = case.state
    found, wanted = (
        gradients(
            lambda x, k, p, run=run: ops.sum(run(x, fixed[0], fixed[1], k, p) * scale),
            case.inputs,
            kernel,
            peephole,
        )
        for run in (ours, block)
    )
    for ours_, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours_, theirs, rtol=1e-4, atol=1e-5)


def test_states_in_float32_keep_what_half_precision_loses():
    # Each step adds 1/512 to a cell state near 1, which bfloat16 cannot hold.
    steps = 256
    big = 30.0
    inputs = np.zeros((1, steps, 4), "float32")
    inputs[..., 0], inputs[..., 1], inputs[..., 3] = big, big, big
    inputs[..., 2] = np.arctanh(1 / 512)
    state = LSTMState(ops.zeros((1, 1)), ops.ones((1, 1)))
    weights = LSTMWeights(ops.zeros((1, 4), dtype="bfloat16"))
    last = fused_lstm(swap_time(ops.convert_to_tensor(inputs)), state, weights, ScanOptions())[1]
    np.testing.assert_allclose(last.cell, [[1.5]], rtol=1e-4)
