"""The reference against central differences, and the layers' gradients against the reference."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from seqtag.diagnostics import bptt
from seqtag.layers import GRU, Bidirectional, PeepholeLSTM, SimpleRNN

BATCH, TIME, FEATURES, UNITS = 3, 6, 2, 4
F, U = FEATURES, UNITS
# TensorFlow holds the slope of its leaky_relu in float32, JAX everything unless told otherwise.
TOLERANCE = 1e-6 if keras.config.backend() == "tensorflow" else 1e-3


class Cell:
    """A cell of the reference with random weights: its shapes by the name of the forward's argument."""

    def __init__(self, forward, backward, shapes, states=("h_0",), **options):
        random = np.random.default_rng(17)
        self.forward, self.backward, self.options = forward, backward, options
        shapes = {"x": (BATCH, TIME, F), **shapes, **dict.fromkeys(states, (BATCH, U))}
        self.arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
        self.weights = [name for name in self.arrays if name not in ("x", *states)]
        # One weight in the loss for each entry of each state, so that no two steps, rows or units are alike.
        self.local = [random.normal(size=(BATCH, TIME, U)) for _ in states]

    def run(self, **changed):
        return self.forward(**{**self.arrays, **changed}, **self.options)

    def loss(self, **changed):
        trace = self.run(**changed)
        found = [trace.h, trace.c] if len(self.local) == 2 else [trace.h]
        return sum(np.sum(local * states[:, 1:]) for local, states in zip(self.local, found, strict=True))

    def gradients(self):
        """By the names of the forward's arguments."""
        found = self.backward(self.run(), *self.local)
        initial = {f"{name}_0": getattr(found, name)[:, 0] for name in ("h", "c") if hasattr(found, name)}
        return {**found._asdict(), **initial}


KERNELS = {"kernel": (F, U), "recurrent_kernel": (U, U), "bias": (U,)}
LSTM = {"kernel": (F, 4 * U), "recurrent_kernel": (U, 4 * U), "bias": (4 * U,)}
GATED = {"kernel": (F, 3 * U), "recurrent_kernel": (U, 3 * U)}


def rnn(activation):
    return lambda: Cell(bptt.simple_rnn_forward, bptt.simple_rnn_backward, KERNELS, activation=activation)


def lstm(**peephole):
    shapes = {**LSTM, **peephole}
    return lambda: Cell(bptt.peephole_lstm_forward, bptt.peephole_lstm_backward, shapes, ("h_0", "c_0"))


def gru(reset_after):
    shapes = {**GATED, "bias": (2, 3 * U) if reset_after else (3 * U,)}
    return lambda: Cell(bptt.gru_forward, bptt.gru_backward, shapes, reset_after=reset_after)


# Each cell of the reference, and the layer that computes the same.
CASES = {
    **{f"rnn_{name}": (rnn(name), SimpleRNN, {"activation": name}) for name in ("tanh", "relu", "leaky_relu")},
    "lstm": (lstm(), PeepholeLSTM, {"peephole": False}),
    "peephole_lstm": (lstm(peephole_kernel=(3, U)), PeepholeLSTM, {}),
    "gru": (gru(True), GRU, {"reset_after": True}),
    "gru_reset_before": (gru(False), GRU, {"reset_after": False}),
}


@pytest.fixture(params=CASES)
def case(request):
    make, layer, options = CASES[request.param]
    return make(), layer, options


def difference(function, array, shift=1e-6):
    """The central differences of a function of one array, entry by entry."""
    found = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        ends = []
        for sign in (1, -1):
            moved = array.copy()
            moved[index] += sign * shift
            ends.append(function(moved))
        found[index] = (ends[0] - ends[1]) / (2 * shift)
    return found


def test_every_gradient_is_a_central_difference(case):
    cell = case[0]
    gradients = cell.gradients()
    for name, array in cell.arrays.items():
        expected = difference(lambda moved, name=name: cell.loss(**{name: moved}), array)
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-6, atol=1e-7, err_msg=name)


def test_gradients_of_states_count_what_follows(case):
    """dL/dh_t is the gradient of a run that starts at t: of the part of the loss from t on."""
    cell = case[0]
    trace, gradients = cell.run(), cell.backward(cell.run(), *cell.local)
    t = TIME // 2
    later = {"x": cell.arrays["x"][:, t:], "h_0": trace.h[:, t]}
    if hasattr(trace, "c"):
        later["c_0"] = trace.c[:, t]
    rest = cell.backward(cell.run(**later), *[local[:, t:] for local in cell.local])
    # A start has no loss of its own; h_t and, through it, c_t have.
    np.testing.assert_allclose(gradients.h[:, t], rest.h[:, 0] + cell.local[0][:, t - 1], rtol=1e-12)
    np.testing.assert_array_equal(gradients.h[:, t + 1 :], rest.h[:, 1:])


def test_by_hand():
    """Two steps of one unit: h_1 = tanh(1 · 0.5), h_2 = tanh(2 · 0.5 + 3 h_1), L = h_2."""
    trace = bptt.simple_rnn_forward([[[1.0], [2.0]]], [[0.5]], [[3.0]])
    first = np.tanh(0.5)
    second = np.tanh(1 + 3 * first)
    slope = 1 - second**2
    gradients = bptt.simple_rnn_backward(trace, [[[0.0], [1.0]]])
    np.testing.assert_allclose(trace.h[0, :, 0], [0, first, second])
    np.testing.assert_allclose(gradients.recurrent_kernel, [[slope * first]])
    np.testing.assert_allclose(gradients.kernel, [[slope * (2 + 3 * (1 - first**2))]])
    np.testing.assert_allclose(gradients.h[0, :, 0], [3 * 3 * slope * (1 - first**2), 3 * slope, 1])


def test_an_open_forget_gate_lets_a_gradient_pass_whole():
    """Gates shut but for the forget gate: dL/dc_k = dL/dc_T for every k, at any length."""
    time, bias = 500, np.repeat([-40.0, 40.0, 0.0, -40.0], U)
    zeros = np.zeros((1, time, F)), np.zeros((F, 4 * U)), np.zeros((U, 4 * U))
    trace = bptt.peephole_lstm_forward(*zeros, bias, c_0=np.ones((1, U)))
    at_end = np.zeros((1, time, U))
    at_end[:, -1] = [1.0, 2.0, 3.0, 4.0]
    gradients = bptt.peephole_lstm_backward(trace, np.zeros_like(at_end), at_end)
    np.testing.assert_allclose(gradients.c, np.broadcast_to(at_end[:, -1:], (1, time + 1, U)), rtol=1e-9)


# The layers, built in float64 so that a wrong gradient cannot pass for a rounding error.


def built(layer, cell):
    layer.build((BATCH, TIME, F))
    layer.set_weights([cell.arrays[name] for name in cell.weights])
    return layer


def tensors(*arrays):
    return [keras.ops.convert_to_tensor(array, "float64") for array in arrays]


def initial_states(cell):
    return [cell.arrays[name] for name in ("h_0", "c_0") if name in cell.arrays]


def weighed(outputs, local):
    return keras.ops.sum(outputs * keras.ops.convert_to_tensor(local))


def assert_all_close(found, wanted):
    for ours, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_layers_have_the_gradients_of_the_reference(case, gradients, weight_gradients, go_backwards):
    cell, layer_type, options = case
    cell.local[1:] = [np.zeros_like(cell.local[0]) for _ in cell.local[1:]]  # c is no output of a layer
    layer = layer_type(U, return_sequences=True, go_backwards=go_backwards, dtype="float64", **options)
    built(layer, cell)
    wanted = cell.gradients()
    # A backward layer gives its outputs in the order of running: it is the forward one on flipped inputs.
    x = np.flip(cell.arrays["x"], axis=1) if go_backwards else cell.arrays["x"]
    d_x = np.flip(wanted["x"], axis=1) if go_backwards else wanted["x"]
    given = initial_states(cell)

    def loss(x, *states):
        return weighed(layer(x, initial_state=list(states)), cell.local[0])

    assert_all_close(gradients(loss, x, *given), [d_x, *[wanted[f"{name}_0"] for name in "hc"[: len(given)]]])
    of_weights = weight_gradients(
        layer, lambda out: weighed(out, cell.local[0]), *tensors(x), initial_state=tensors(*given)
    )
    assert_all_close(of_weights, [wanted[name] for name in cell.weights])


def test_masked_layers_have_the_gradients_of_each_rows_real_steps(case, gradients, weight_gradients):
    cell, layer_type, options = case
    layer = built(layer_type(U, return_sequences=True, dtype="float64", **options), cell)
    lengths = [TIME, 1, TIME - 2]
    mask = np.arange(TIME) < np.array(lengths)[:, None]
    local, x = cell.local[0] * mask[..., None], cell.arrays["x"]
    d_x, sums = np.zeros_like(x), dict.fromkeys(cell.weights, 0.0)
    for row, length in enumerate(lengths):
        only = {"x": x[row : row + 1, :length]} | {name: None for name in ("h_0", "c_0") if name in cell.arrays}
        found = cell.backward(cell.run(**only), local[row : row + 1, :length])
        d_x[row, :length] = found.x[0]
        sums = {name: total + getattr(found, name) for name, total in sums.items()}
    assert_all_close(gradients(lambda x: weighed(layer(x, mask=mask), local), x), [d_x])
    of_weights = weight_gradients(layer, lambda out: weighed(out, local), *tensors(x), mask=mask)
    assert_all_close(of_weights, sums.values())


@pytest.mark.parametrize("merge_mode", ["concat", "sum"])
def test_both_directions_have_the_gradients_of_the_reference(case, gradients, weight_gradients, merge_mode):
    cell, layer_type, options = case
    layer = Bidirectional(layer_type(U, return_sequences=True, dtype="float64", **options), merge_mode, dtype="float64")
    layer.build((BATCH, TIME, F))
    random = np.random.default_rng(23)
    weights = [{name: random.normal(size=cell.arrays[name].shape) for name in cell.weights} for _ in range(2)]
    layer.set_weights([array for direction in weights for array in direction.values()])
    x = cell.arrays["x"]
    local = random.normal(size=(BATCH, TIME, 2 * U if merge_mode == "concat" else U))
    parts = np.split(local, 2, axis=-1) if merge_mode == "concat" else [local, local]

    none = {name: None for name in ("h_0", "c_0") if name in cell.arrays}
    forward = cell.backward(cell.run(x=x, **weights[0], **none), parts[0])
    flipped = {"x": np.flip(x, axis=1), **weights[1], **none}
    backward = cell.backward(cell.run(**flipped), np.flip(parts[1], axis=1))

    d_x = forward.x + np.flip(backward.x, axis=1)
    assert_all_close(gradients(lambda x: weighed(layer(x), local), x), [d_x])
    wanted = [getattr(found, name) for found in (forward, backward) for name in cell.weights]
    assert_all_close(weight_gradients(layer, lambda out: weighed(out, local), *tensors(x)), wanted)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": np.zeros((2, 3))}, r"expected x of shape \(batch, time, features\), found \(2, 3\)"),
        ({"kernel": np.zeros((3, 4))}, r"expected kernel of shape \(2, 4\), found \(3, 4\)"),
        (
            {"recurrent_kernel": np.zeros((4, 5))},
            r"expected recurrent_kernel of shape \(units, units\), found \(4, 5\)",
        ),
        ({"bias": np.zeros(3)}, r"expected bias of shape \(4,\), found \(3,\)"),
        ({"h_0": np.zeros(4)}, r"expected h_0 of shape \(3, 4\), found \(4,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        rnn("tanh")().run(**changed)


def test_other_misuse_is_named():
    with pytest.raises(
        ValueError, match="expected activation to be one of tanh, relu, leaky_relu, linear, found 'gelu'"
    ):
        rnn("gelu")().run()
    with pytest.raises(ValueError, match=r"expected recurrent_kernel of shape \(units, 4 \* units\), found \(4, 12\)"):
        bptt.peephole_lstm_forward(np.zeros((1, 1, 1)), np.zeros((1, 16)), np.zeros((4, 12)))
    trace = gru(True)().run()
    with pytest.raises(ValueError, match=r"expected dL_dh of shape \(3, 6, 4\), found \(3, 4\)"):
        bptt.gru_backward(trace, np.zeros((3, 4)))


def test_the_reference_needs_numpy_alone():
    check = "import sys; from seqtag.diagnostics import bptt; bptt.gru_forward"
    check += "; print([n for n in ('tensorflow', 'keras', 'matplotlib') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
