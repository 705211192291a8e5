"""The kernels of recurrences against the portable path, central differences, themselves and other company."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from seqtag.native import recurrence as native
from seqtag.native.library import kept_away
from seqtag.ops import fused_recurrence
from seqtag.ops.recurrence import GRUWeights, LSTMState, LSTMWeights, RNNState, RNNWeights
from seqtag.ops.scan import ScanOptions

pytestmark = pytest.mark.usefixtures("kernels")

ACTIVATIONS = {name: getattr(tf.keras.activations, name) for name in native.ACTIVATIONS}
CELLS = list(native.CELLS)
GATED = {
    "gru": (fused_recurrence.gru, RNNState, GRUWeights),
    "lstm": (fused_recurrence.lstm, LSTMState, LSTMWeights),
}


class Case(NamedTuple):
    """A recurrence and what it runs over; the states are `hidden`, and the cell of an LSTM."""

    cell: str
    inputs: np.ndarray
    states: list[np.ndarray]
    kernel: np.ndarray
    extra: np.ndarray | None
    mask: np.ndarray | None
    dropout: np.ndarray | None
    reverse: bool
    activation: str = "tanh"
    gate_activation: str = "sigmoid"


def make_case(cell, time, batch, units, *, seed=0, mask=True, dropout=None, reverse=False, extra=True, **activations):
    """Random weights and inputs; a mask has gaps and may leave a row without a real step."""
    rng, gates = np.random.default_rng(seed), native.GATES[cell]
    shape = {"simple_rnn": None, "gru": (3 * units,), "lstm": (3, units)}[cell]
    kept = {None: None, "steps": (time, batch, units), "sequence": (1, batch, units)}[dropout]
    return Case(
        cell,
        rng.normal(size=(time, batch, gates * units)),
        [rng.normal(size=(batch, units)) for _ in range(1 + (cell == "lstm"))],
        rng.normal(size=(units, gates * units)) / max(1, units) ** 0.5,
        rng.normal(size=shape) if extra and shape else None,
        rng.random((time, batch)) < 0.7 if mask else None,
        None if kept is None else (rng.random(kept) < 0.8) / 0.8,
        reverse,
        **activations,
    )


def run(case, dtype="float32", packed=False):
    """Outputs, last states, and the gradients in all that has one, of a sum in which each number has its own weight."""
    inputs, kernel, *states = (tf.constant(x, dtype) for x in (case.inputs, case.kernel, *case.states))
    extra = None if case.extra is None else tf.constant(case.extra, dtype)
    watched = [inputs, kernel, *states, *([] if extra is None else [extra])]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = forward(case, inputs, states, kernel, extra, dtype, packed)
        rng = np.random.default_rng(9)
        loss = sum(tf.reduce_sum(value * tf.constant(rng.normal(size=value.shape), dtype)) for value in outputs)
    return [value.numpy() for value in (*outputs, *tape.gradient(loss, watched))]


def forward(case, inputs, states, kernel, extra, dtype, packed=False):
    """The outputs and the last states, by whichever path is in use; `packed`: over the real steps alone."""
    mask = None if case.mask is None else tf.constant(case.mask)[..., None]
    dropout = None if case.dropout is None else tf.constant(case.dropout, dtype)
    options = ScanOptions(mask, dropout, case.reverse)
    if packed:
        inputs = fused_recurrence.real_steps(inputs, options)
    activation, gate = ACTIVATIONS[case.activation], ACTIVATIONS[case.gate_activation]
    if case.cell == "simple_rnn":
        outputs, last = fused_recurrence.simple_rnn(
            inputs, RNNState(*states), RNNWeights(kernel), options, activation=activation
        )
    else:
        fused, of_states, of_weights = GATED[case.cell]
        outputs, last = fused(
            inputs,
            of_states(*states),
            of_weights(kernel, extra),
            options,
            activation=activation,
            recurrent_activation=gate,
        )
    return outputs, *last


def assert_same(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * (1 + np.abs(other).max(initial=0)))


@pytest.mark.parametrize("cell", CELLS)
@hypothesis_settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 37)),
    mask=st.booleans(),
    dropout=st.sampled_from([None, "steps", "sequence"]),
    reverse=st.booleans(),
    extra=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_the_portable_path(cell, shape, mask, dropout, reverse, extra, seed):
    case = make_case(cell, *shape, seed=seed, mask=mask, dropout=dropout, reverse=reverse, extra=extra)
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-12)):
        found = run(case, dtype)
        with kept_away():
            expected = run(case, dtype)
        assert_same(found, expected, tolerance)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dropout", [None, "steps", "sequence"])
def test_real_steps_alone_give_what_padded_ones_give(cell, reverse, dropout):
    case = make_case(cell, 6, 7, 11, dropout=dropout, reverse=reverse)
    padded, packed = run(case), run(case, packed=True)
    count = 1 + len(case.states)
    for one, other in zip(padded[:count], packed[:count], strict=True):
        np.testing.assert_array_equal(one, other)
    assert_same(packed[count:], padded[count:], 1e-6)
    # What is masked is not looked at, not even by the gradients of the weights.
    case.inputs[~case.mask] = np.nan
    for one, other in zip(run(case, packed=True), packed, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("activation", "gate"), [("relu", "tanh"), ("leaky_relu", "linear"), ("sigmoid", "relu")])
def test_every_activation_equals_the_portable_one(cell, activation, gate):
    case = make_case(cell, 3, 4, 9, activation=activation, gate_activation=gate)
    found = run(case, "float64")
    with kept_away():
        # TensorFlow keeps the slope of a leaky relu in float32.
        assert_same(found, run(case, "float64"), 1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_are_central_differences(cell, reverse):
    case = make_case(cell, 4, 3, 5, dropout="steps", reverse=reverse)
    arrays = [case.inputs, case.kernel, *case.states, *([] if case.extra is None else [case.extra])]

    def function(*values):
        inputs, kernel, *rest = values
        states, extra = rest[: len(case.states)], rest[len(case.states) :]
        outputs = forward(case, inputs, states, kernel, extra[0] if extra else None, "float64")
        return tf.concat([tf.reshape(value, (-1,)) for value in outputs], axis=0)

    theirs, numeric = tf.test.compute_gradient(function, [tf.constant(a, "float64") for a in arrays], delta=1e-6)
    for one, other in zip(theirs, numeric, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("cell", CELLS)
def test_instruction_sets_agree_and_threads_change_no_bit(cell, each_setting):
    case = make_case(cell, 7, 29, 35, dropout="sequence")
    found = each_setting(lambda: run(case), threads=(1, 2, 5))
    first = next(iter(found.values()))
    for (name, threads), values in found.items():
        assert_same(values, first, 1e-5)
        for one, other in zip(values, found[name, 1], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"{name} with {threads} threads")


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_has_the_same_bits_alone_and_in_company(cell):
    case = make_case(cell, 5, 13, 20)
    together = run_states(case)
    for rows in (slice(4, 5), slice(6, 13)):
        of_rows = case._replace(
            inputs=case.inputs[:, rows], states=[state[rows] for state in case.states], mask=case.mask[:, rows]
        )
        outputs, *last = run_states(of_rows)
        np.testing.assert_array_equal(outputs, together[0][:, rows])
        for one, other in zip(last, together[1:], strict=True):
            np.testing.assert_array_equal(one, other[rows])


def run_states(case):
    return run(case)[: 1 + len(case.states)]


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_of_nan_does_not_reach_another(cell):
    case = make_case(cell, 4, 8, 11)
    expected = run_states(case)[0]
    case.inputs[:, 3] = np.nan
    found = run_states(case)[0]
    others = [row for row in range(8) if row != 3]
    np.testing.assert_array_equal(found[:, others], expected[:, others])
    real = case.mask[:, 3].cumsum() > 0
    assert np.isnan(found[real, 3]).all() and np.isfinite(found[~real, 3]).all()


@pytest.mark.parametrize("cell", CELLS)
def test_numbers_far_away_saturate(cell):
    case = make_case(cell, 3, 5, 9, mask=False)
    case = case._replace(inputs=case.inputs * 1e6)
    found = run(case)
    assert all(np.isfinite(value).all() for value in found)
    with kept_away():
        assert_same(found, run(case), 1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("time", "batch"), [(0, 3), (3, 0), (1, 1)])
def test_nothing_to_run_over(cell, time, batch):
    case = make_case(cell, time, batch, 4)
    outputs, *last = run_states(case)
    assert outputs.shape == (time, batch, 4)
    if not time:
        assert all(np.array_equal(a, b.astype("float32")) for a, b in zip(last, case.states, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_in_a_graph_of_any_shape(cell):
    first, second = make_case(cell, 4, 3, 6), make_case(cell, 6, 5, 6, seed=3)
    width = native.GATES[cell] * 6
    specs = [tf.TensorSpec((None, None, width)), *[tf.TensorSpec((None, 6))] * len(first.states)]

    @tf.function(input_signature=[*specs, tf.TensorSpec((None, None), tf.bool)])
    def graph(*arguments):
        inputs, *states, mask = arguments
        case = first._replace(mask=None)
        kernel, extra = (None if x is None else tf.constant(x, "float32") for x in (first.kernel, first.extra))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = native.recurrence(
                cell,
                inputs,
                tuple(states),
                kernel,
                activation=case.activation,
                gate_activation=case.gate_activation,
                mask=mask,
                **({} if extra is None else {"bias" if cell == "gru" else "peephole": extra}),
            )[0]
            loss = tf.reduce_sum(outputs**2)
        return outputs, tape.gradient(loss, inputs)

    for case in (first, second):
        arguments = (tf.constant(x, "float32") for x in (case.inputs, *case.states))
        outputs, gradient = graph(*arguments, tf.constant(case.mask))
        expected = run(case._replace(kernel=first.kernel, extra=first.extra))[0]
        np.testing.assert_allclose(outputs, expected, atol=1e-6)
        assert gradient.shape == case.inputs.shape and np.isfinite(gradient).all()


def test_what_has_another_shape_is_refused():
    case = make_case("lstm", 3, 2, 4, mask=False)
    wrong = {
        "inputs": np.zeros((3, 2, 15)),
        "kernel": np.zeros((4, 12)),
        "mask": np.zeros((2, 3), bool),
        "dropout": np.zeros((2, 2, 4)),
    }
    for name, value in wrong.items():
        values = {"inputs": case.inputs, "kernel": case.kernel, "mask": None, "dropout": None} | {name: value}
        tensors = {
            key: None if x is None else tf.constant(x, "bool" if key == "mask" else "float32")
            for key, x in values.items()
        }
        states = tuple(tf.constant(state, "float32") for state in case.states)
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"than it must|than its kernel|another number of steps"
        ):
            native.recurrence(
                "lstm",
                tensors["inputs"],
                states,
                tensors["kernel"],
                activation="tanh",
                gate_activation="sigmoid",
                mask=tensors["mask"],
                dropout=tensors["dropout"],
            )


def test_second_derivatives_are_refused_with_advice():
    case = make_case("gru", 2, 3, 4)
    inputs, kernel, state, extra = (
        tf.constant(x, "float64") for x in (case.inputs, case.kernel, *case.states, case.extra)
    )
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            loss = tf.reduce_sum(forward(case, inputs, [state], kernel, extra, "float64")[0] ** 2)
        norm = tf.reduce_sum(inner.gradient(loss, inputs) ** 2)
    with pytest.raises(NotImplementedError, match="SEQTAG_NATIVE=0 keeps them away"):
        outer.gradient(norm, inputs)


def test_every_cell_and_activation_is_numbered_once():
    for table in (native.CELLS, native.ACTIVATIONS):
        assert sorted(table.values()) == list(range(len(table)))
