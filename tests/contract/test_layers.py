"""What every exported layer keeps to. A layer that is missing from the table below fails the first test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import ops

import seqtag.layers
from seqtag.layers import (
    CRF,
    GRU,
    LSTM,
    Bidirectional,
    CharEncoder,
    CRFDecoder,
    GRUCell,
    LSTMCell,
    PeepholeLSTM,
    PeepholeLSTMCell,
    SimpleRNN,
    SimpleRNNCell,
)

TENSORFLOW = keras.config.backend() == "tensorflow"
RANDOM = np.random.default_rng(0)

# Rows of every kind: full, padded, one step, no step, a gap in the middle.
MASK = np.array(
    [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 1]], bool
)
FLOATS = RANDOM.normal(size=(*MASK.shape, 4)).astype("float32")
CHARACTERS = (RANDOM.integers(1, 9, size=MASK.shape) * MASK).astype("int32")


class Case(NamedTuple):
    """How to make a layer, and what to call it on.

    A layer of `masked` inputs takes `mask=`, has a step of output for each step of input, and promises
    nothing about masked steps. The inputs of another are padded with zeros.
    """

    make: Callable[[], keras.layers.Layer]
    inputs: np.ndarray = FLOATS
    masked: bool = True


# Every exported name, with as many cases as its options need; cells run inside `keras.layers.RNN`.
CASES: dict[str, list[Case]] = {
    "SimpleRNN": [
        Case(lambda: SimpleRNN(3, activation="relu", return_sequences=True)),
        Case(lambda: SimpleRNN(3, return_sequences=True, layer_norm=True, residual=True)),
    ],
    "PeepholeLSTM": [
        Case(lambda: PeepholeLSTM(3, return_sequences=True)),
        Case(lambda: PeepholeLSTM(3, layer_norm=True, kernel_regularizer="l1", return_sequences=True)),
        Case(lambda: PeepholeLSTM(3, residual=True, zero_output_for_mask=True, return_sequences=True)),
        Case(lambda: PeepholeLSTM(4, residual=True, activation="gelu", return_sequences=True)),
    ],
    "LSTM": [Case(lambda: LSTM(3, forget_bias="chrono", return_sequences=True))],
    "GRU": [
        Case(lambda: GRU(3, return_sequences=True)),
        Case(lambda: GRU(3, reset_after=False, return_sequences=True)),
        Case(lambda: GRU(3, layer_norm=True, use_bias=False, return_sequences=True)),
    ],
    "Bidirectional": [
        Case(lambda: Bidirectional(PeepholeLSTM(3, return_sequences=True))),
        Case(lambda: Bidirectional(GRU(3, return_sequences=True), merge_mode="learned")),
        Case(lambda: Bidirectional(SimpleRNN(3, return_sequences=True), merge_mode="ave")),
        Case(lambda: Bidirectional(GRU(3, return_sequences=True), merge_mode=None)),
        Case(lambda: Bidirectional(keras.layers.LSTM(3, return_sequences=True), merge_mode="mul")),
    ],
    "SimpleRNNCell": [Case(lambda: keras.layers.RNN(SimpleRNNCell(3), return_sequences=True))],
    "PeepholeLSTMCell": [Case(lambda: keras.layers.RNN(PeepholeLSTMCell(3), return_sequences=True))],
    "LSTMCell": [Case(lambda: keras.layers.RNN(LSTMCell(3), return_sequences=True))],
    "GRUCell": [Case(lambda: keras.layers.RNN(GRUCell(3), return_sequences=True))],
    "CRF": [Case(lambda: CRF())],
    "CRFDecoder": [Case(lambda: CRFDecoder(CRF(initializer=keras.initializers.RandomNormal(seed=1))))],
    "CharEncoder": [
        Case(lambda: CharEncoder(9, embedding_dim=3, units=2, widths=(2, 3)), CHARACTERS, masked=False),
        Case(lambda: CharEncoder(9, embedding_dim=3, units=2, kind="birnn"), CHARACTERS, masked=False),
    ],
}


def test_every_exported_layer_is_in_the_table():
    assert set(CASES) == set(seqtag.layers.__all__)


KEYED = {f"{name}-{index}": case for name, cases in CASES.items() for index, case in enumerate(cases)}


@pytest.fixture(params=KEYED)
def case(request) -> Case:
    return KEYED[request.param]


def call(case: Case, layer: keras.layers.Layer, inputs: np.ndarray | None = None, mask: Any = MASK) -> list[Any]:
    """The outputs as a flat list of arrays."""
    inputs = case.inputs if inputs is None else inputs
    outputs = layer(inputs, mask=mask) if case.masked else layer(inputs)
    return [ops.convert_to_numpy(ops.cast(output, "float32")) for output in keras.tree.flatten(outputs)]


def assert_same(case: Case, found: list[Any], wanted: list[Any], atol: float = 1e-6) -> None:
    """Equal outputs, at real steps."""
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        if case.masked:
            ours, theirs = ours[:, : MASK.shape[1]][MASK], theirs[:, : MASK.shape[1]][MASK]
        np.testing.assert_allclose(ours, theirs, atol=atol, rtol=1e-5)


def model_of_all() -> tuple[keras.Model, list[np.ndarray]]:
    """One model of dynamic batch and time with every case in it, for saving is slow; and its inputs."""
    values = keras.Input((None, FLOATS.shape[-1]))
    mask = keras.Input((None,), dtype="bool")
    characters = keras.Input((None,), dtype="int32")
    outputs = {}
    for key, case in KEYED.items():
        found = case.make()(values, mask=mask) if case.masked else case.make()(characters)
        outputs |= {f"{key}.{index}": output for index, output in enumerate(keras.tree.flatten(found))}
    return keras.Model([values, mask, characters], outputs), [FLOATS, MASK, CHARACTERS]


def test_configuration_makes_the_same_layer(case):
    layer = case.make()
    wanted = call(case, layer)
    again = type(layer).from_config(layer.get_config())
    call(case, again)
    again.set_weights(layer.get_weights())
    assert again.get_config() == layer.get_config()
    assert_same(case, call(case, again), wanted)


def test_eager_equals_compiled(case):
    layer = case.make()
    wanted = call(case, layer)
    if TENSORFLOW:
        import tensorflow as tf

        signature = [tf.TensorSpec((None, None, *case.inputs.shape[2:]), case.inputs.dtype)]
        signature += [tf.TensorSpec((None, None), tf.bool)] if case.masked else []

        @tf.function(input_signature=signature)
        def compiled(values, *mask):
            return layer(values, mask=mask[0]) if mask else layer(values)

    else:
        import jax

        @jax.jit
        def compiled(values, *mask):
            return layer(values, mask=mask[0]) if mask else layer(values)

    found = keras.tree.flatten(compiled(case.inputs, MASK) if case.masked else compiled(case.inputs))
    assert_same(case, [np.asarray(output) for output in found], wanted)


def test_padding_changes_no_real_step(case):
    layer = case.make()
    wanted = call(case, layer)
    if case.masked:
        padding = 7 * np.ones((len(MASK), 3, case.inputs.shape[2]), case.inputs.dtype)
        padded = np.concatenate([np.where(MASK[..., None], case.inputs, -5), padding], axis=1)
        found = call(case, layer, padded, np.concatenate([MASK, np.zeros((len(MASK), 3), bool)], axis=1))
    else:
        found = call(case, layer, np.pad(case.inputs, [(0, 0), (0, 3)]))
    assert_same(case, found, wanted)


def test_rows_do_not_see_each_other(case):
    layer = case.make()
    wanted = call(case, layer)
    rows = [4, 1]
    for ours, theirs in zip(call(case, layer, case.inputs[rows], MASK[rows]), wanted, strict=True):
        real = MASK[rows] if case.masked else ...
        np.testing.assert_allclose(ours[real], theirs[rows][real], atol=1e-6, rtol=1e-5)


def test_gradients_are_finite_whatever_the_mask(case, weight_gradients):
    layer = case.make()
    call(case, layer)
    if not layer.trainable_variables:
        pytest.skip("this layer has no weights")

    def loss(outputs):
        return sum(ops.sum(ops.square(ops.cast(o, "float32"))) for o in keras.tree.flatten(outputs))

    mask = {"mask": MASK} if case.masked else {}
    for gradient in weight_gradients(layer, loss, case.inputs, **mask):
        assert np.isfinite(gradient).all()


def test_keras_file_gives_the_same_answers(tmp_path):
    model, inputs = model_of_all()
    wanted = model.predict(inputs, verbose=0)
    model.save(tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras").predict(inputs, verbose=0)
    for key, output in wanted.items():
        assert_same(KEYED[key.split(".")[0]], [found[key]], [output])


@pytest.mark.skipif(not TENSORFLOW, reason="a SavedModel belongs to TensorFlow")
def test_saved_model_gives_the_same_answers(tmp_path):
    import tensorflow as tf

    model, inputs = model_of_all()
    wanted = model.predict(inputs, verbose=0)
    model.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    found = loaded.serve([tf.constant(value, kind.dtype) for value, kind in zip(inputs, model.inputs, strict=True)])
    for key, output in wanted.items():
        assert_same(KEYED[key.split(".")[0]], [found[key].numpy()], [output])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_stays_near(case, policy):
    layer = case.make()
    wanted = call(case, layer)
    keras.config.set_dtype_policy(policy)
    try:
        half = case.make()
    finally:
        keras.config.set_dtype_policy("float32")
    found = call(case, half)
    half.set_weights(layer.get_weights())
    found = call(case, half)
    assert all(np.isfinite(output).all() for output in found)
    assert_same(case, found, wanted, atol=0.06)


def test_shapes_are_told_beforehand(case):
    layer = case.make()
    mask = {"mask": keras.KerasTensor(MASK.shape, "bool")} if case.masked else {}
    told = layer(keras.KerasTensor(case.inputs.shape, str(case.inputs.dtype)), **mask)
    shapes = [output.shape for output in keras.tree.flatten(told)]
    assert shapes == [output.shape for output in call(case, layer)]
