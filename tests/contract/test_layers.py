"""What every exported layer keeps to. A layer that is missing from the table below fails the first test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    AdditiveAttention,
    AttentionDecoder,
    Bidirectional,
    CharEncoder,
    CRFDecoder,
    GRUCell,
    LSTMCell,
    MultiplicativeAttention,
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
CHARACTERS = (RANDOM.integers(1, 9, size=MASK.shape) * MASK).astype("int32")
# What layers are called on. The memory of attention has kinds of rows of its own: the row without a step there has
# queries, and the row without queries has a memory.
ARRAYS = {
    "floats": RANDOM.normal(size=(*MASK.shape, 4)).astype("float32"),
    "mask": MASK,
    "characters": CHARACTERS,
    "memory": RANDOM.normal(size=(len(MASK), 7, 4)).astype("float32"),
    "memory_mask": np.array([[1] * 7, [0] * 7, [1] * 3 + [0] * 4, [1] * 7, [0, 1, 0, 0, 1, 1, 0]], bool),
}


class Case(NamedTuple):
    """How to make a layer, and what of `ARRAYS` to call it on.

    A layer with masks has a step of output for each step of input, or states, and promises nothing about masked steps.
    The inputs of another are padded with zeros.

    Attributes:
        make: gives a new layer.
        inputs: names of arrays, by position.
        masks: names of arrays, by the argument of the call.
    """

    make: Callable[[], keras.layers.Layer]
    inputs: tuple[str, ...] = ("floats",)
    masks: dict[str, str] = {"mask": "mask"}  # noqa: RUF012

    @property
    def names(self) -> list[str]:
        """All arrays that it takes."""
        return [*self.inputs, *self.masks.values()]

    def outputs(self, layer: keras.layers.Layer, arrays: Mapping[str, Any] = ARRAYS) -> Any:
        """What the layer gives."""
        masks = {argument: arrays[name] for argument, name in self.masks.items()}
        return layer(*[arrays[name] for name in self.inputs], **masks)


def attending(make: Callable[[], keras.layers.Layer], mask: str = "query_mask") -> Case:
    """A layer that attends to a memory."""
    return Case(make, ("floats", "memory"), {mask: "mask", "memory_mask": "memory_mask"})


def decoding(make: Callable[[], keras.layers.Layer]) -> Case:
    """A decoder that attends to a memory."""
    return attending(make, "mask")


LOCATED = {"location_filters": 2, "location_width": 3}

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
        Case(lambda: PeepholeLSTM(3, weight_dropout=0.3, return_sequences=True)),
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
        Case(lambda: CharEncoder(9, embedding_dim=3, units=2, widths=(2, 3)), ("characters",), {}),
        Case(lambda: CharEncoder(9, embedding_dim=3, units=2, kind="birnn"), ("characters",), {}),
    ],
    "AdditiveAttention": [
        attending(lambda: AdditiveAttention(3)),
        attending(lambda: AdditiveAttention(3, **LOCATED)),
    ],
    "MultiplicativeAttention": [
        attending(lambda: MultiplicativeAttention("dot")),
        attending(lambda: MultiplicativeAttention("general")),
        attending(lambda: MultiplicativeAttention("scaled")),
    ],
    "AttentionDecoder": [
        decoding(lambda: AttentionDecoder(LSTMCell(3), AdditiveAttention(2))),
        decoding(lambda: AttentionDecoder(GRUCell(3), MultiplicativeAttention(), units=2, input_feeding=False)),
        decoding(lambda: AttentionDecoder(GRUCell(3), AdditiveAttention(2, **LOCATED), input_feeding=False)),
        decoding(lambda: AttentionDecoder(keras.layers.LSTMCell(3), AdditiveAttention(2, **LOCATED))),
        decoding(lambda: AttentionDecoder(keras.layers.GRUCell(3), AdditiveAttention(2), input_feeding=False)),
    ],
}


def test_every_exported_layer_is_in_the_table():
    assert set(CASES) == set(seqtag.layers.__all__)


KEYED = {f"{name}-{index}": case for name, cases in CASES.items() for index, case in enumerate(cases)}


@pytest.fixture(params=KEYED)
def key(request) -> str:
    return request.param


@pytest.fixture
def case(key: str) -> Case:
    return KEYED[key]


def call(case: Case, layer: keras.layers.Layer, arrays: Mapping[str, Any] = ARRAYS) -> list[np.ndarray]:
    """The outputs as a flat list of arrays."""
    return [as_array(output) for output in keras.tree.flatten(case.outputs(layer, arrays))]


def told(case: Case, layer: keras.layers.Layer) -> list[keras.KerasTensor]:
    """What the layer tells of its outputs, without their numbers."""
    tensors = {name: keras.KerasTensor(array.shape, array.dtype.name) for name, array in ARRAYS.items()}
    return keras.tree.flatten(case.outputs(layer, tensors))


@pytest.fixture(scope="module")
def layers() -> dict[str, tuple[keras.layers.Layer, list[np.ndarray]]]:
    """A layer of each case that a test had, and its outputs; no test changes them."""
    return {}


@pytest.fixture
def layer(key: str, layers: dict) -> keras.layers.Layer:
    """The layer of the case."""
    if key not in layers:
        made = KEYED[key].make()
        layers[key] = made, call(KEYED[key], made)
    return layers[key][0]


@pytest.fixture
def wanted(key: str, layers: dict, layer: keras.layers.Layer) -> list[np.ndarray]:
    """Its outputs."""
    return layers[key][1]


def as_array(output: Any) -> np.ndarray:
    return ops.convert_to_numpy(ops.cast(output, "float32"))


def real(case: Case, output: np.ndarray, like: np.ndarray, mask: np.ndarray = MASK) -> np.ndarray:
    """An output without what stands beyond the shape of another, and at real steps where it has steps."""
    kept = output[tuple(map(slice, like.shape))]
    return kept[mask] if case.masks and like.shape[:2] == mask.shape else kept


def assert_same(case: Case, found: list[Any], wanted: list[Any], atol: float = 1e-6, mask: np.ndarray = MASK) -> None:
    """Equal outputs, at real steps."""
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        ours, theirs = real(case, ours, theirs, mask), real(case, theirs, theirs, mask)
        np.testing.assert_allclose(ours, theirs, atol=atol, rtol=1e-5)


@pytest.fixture(scope="module")
def whole() -> tuple[keras.Model, list[np.ndarray], dict[str, np.ndarray]]:
    """One model of dynamic batch and time with every case in it, for saving is slow; its inputs, and its outputs."""
    inputs = {name: keras.Input((None, *array.shape[2:]), dtype=array.dtype.name) for name, array in ARRAYS.items()}
    outputs = {}
    for key, case in KEYED.items():
        found = keras.tree.flatten(case.outputs(case.make(), inputs))
        outputs |= {f"{key}.{index}": output for index, output in enumerate(found)}
    model, arrays = keras.Model([*inputs.values()], outputs), [*ARRAYS.values()]
    return model, arrays, model.predict(arrays, verbose=0)


def test_configuration_makes_the_same_layer(case, layer, wanted):
    again = type(layer).from_config(layer.get_config())
    told(case, again)  # This makes its weights.
    again.set_weights(layer.get_weights())
    assert again.get_config() == layer.get_config()
    assert_same(case, call(case, again), wanted)


def test_eager_equals_compiled(case, layer, wanted):
    arrays = {name: ARRAYS[name] for name in case.names}

    def outputs(arrays):
        return case.outputs(layer, arrays)

    if TENSORFLOW:
        import tensorflow as tf

        shapes = {name: tf.TensorSpec((None, None, *array.shape[2:]), array.dtype) for name, array in arrays.items()}
        compiled = tf.function(outputs, input_signature=[shapes])
        arrays = {name: tf.constant(array) for name, array in arrays.items()}
    else:
        import jax

        compiled = jax.jit(outputs)
    assert_same(case, [as_array(output) for output in keras.tree.flatten(compiled(arrays))], wanted)


def test_padding_changes_no_real_step(case, layer, wanted):
    arrays = dict(ARRAYS)
    for name in case.inputs if case.masks else []:
        mask = ARRAYS["memory_mask" if name == "memory" else "mask"]
        arrays[name] = np.where(mask[..., None], ARRAYS[name], -5)
    for name in case.names:
        # Sides of different lengths, as the others of a batch leave them.
        steps = 4 if name.startswith("memory") else 3
        value = 7 if case.masks and name in case.inputs else 0
        widths = [(0, 0), (0, steps)] + [(0, 0)] * (arrays[name].ndim - 2)
        arrays[name] = np.pad(arrays[name], widths, constant_values=value)
    assert_same(case, call(case, layer, arrays), wanted)


def test_rows_do_not_see_each_other(case, layer, wanted):
    rows = [4, 1]
    found = call(case, layer, {name: array[rows] for name, array in ARRAYS.items()})
    assert_same(case, found, [output[rows] for output in wanted], mask=MASK[rows])


def test_gradients_are_finite_whatever_the_mask(case, layer, weight_gradients):
    if not layer.trainable_variables:
        pytest.skip("this layer has no weights")

    def loss(outputs):
        return sum(ops.sum(ops.square(ops.cast(o, "float32"))) for o in keras.tree.flatten(outputs))

    masks = {argument: ARRAYS[name] for argument, name in case.masks.items()}
    for gradient in weight_gradients(layer, loss, *[ARRAYS[name] for name in case.inputs], **masks):
        assert np.isfinite(gradient).all()


def test_keras_file_gives_the_same_answers(whole, tmp_path):
    model, inputs, wanted = whole
    model.save(tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras").predict(inputs, verbose=0)
    for key, output in wanted.items():
        assert_same(KEYED[key.split(".")[0]], [found[key]], [output])


@pytest.mark.skipif(not TENSORFLOW, reason="a SavedModel belongs to TensorFlow")
def test_saved_model_gives_the_same_answers(whole, tmp_path):
    import tensorflow as tf

    model, inputs, wanted = whole
    model.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    found = loaded.serve([tf.constant(value, kind.dtype) for value, kind in zip(inputs, model.inputs, strict=True)])
    for key, output in wanted.items():
        assert_same(KEYED[key.split(".")[0]], [found[key].numpy()], [output])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_stays_near(case, layer, wanted, policy):
    keras.config.set_dtype_policy(policy)
    try:
        half = case.make()
    finally:
        keras.config.set_dtype_policy("float32")
    told(case, half)  # This makes its weights.
    half.set_weights(layer.get_weights())
    found = call(case, half)
    assert all(np.isfinite(output).all() for output in found)
    assert_same(case, found, wanted, atol=0.06)


def test_shapes_are_told_beforehand(case, wanted):
    assert [output.shape for output in told(case, case.make())] == [output.shape for output in wanted]
