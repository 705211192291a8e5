"""Seqtag's layers beside those of Keras with the same name: arguments, attributes, weight files, numbers."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import seqtag.layers

# Another layer of the same name: Keras's compares inputs as they are, ours is that of the paper, with projections.
NAMESAKES = {"AdditiveAttention"}
SHARED = [name for name in seqtag.layers.__all__ if hasattr(keras.layers, name) and name not in NAMESAKES]
OURS = {name: getattr(seqtag.layers, name) for name in SHARED}
CELLS = [name for name in OURS if name.endswith("Cell")]
RECURRENT = [name.removesuffix("Cell") for name in CELLS]
PAIR = (SimpleNamespace(**{**vars(keras.layers), **OURS}), keras.layers)
TENSORFLOW = keras.config.backend() == "tensorflow"
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(5, 6, 4)).astype("float32")
# Rows of every kind: full, padded on the right, on the left, with gaps, without a real step.
MASK = np.array(
    [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1], [0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool
)


@pytest.fixture(params=OURS)
def name(request) -> str:
    return request.param


@pytest.fixture(params=RECURRENT)
def recurrent(request) -> str:
    return request.param


def make(layers: Any, kind: str, **options: Any) -> keras.layers.Layer:
    if kind == "Bidirectional":
        return layers.Bidirectional(layers.GRU(3), **options)
    return getattr(layers, kind)(3, **options)


def built(layers: Any, kind: str, **options: Any) -> keras.layers.Layer:
    layer = make(layers, kind, **options)
    if kind in CELLS:
        layer(INPUTS[:, 0], layer.get_initial_state(len(INPUTS)))
    else:
        layer(INPUTS)
    return layer


def arrays(outputs: Any) -> list[np.ndarray]:
    return [ops.convert_to_numpy(ops.cast(output, "float32")) for output in keras.tree.flatten(outputs)]


def assert_equal_outputs(found: Any, wanted: Any) -> None:
    found, wanted = arrays(found), arrays(wanted)
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=1e-5)


def test_every_recurrent_layer_and_cell_of_keras_has_a_twin():
    assert set(RECURRENT) == {"SimpleRNN", "GRU", "LSTM"}
    assert {"Bidirectional", *CELLS, *RECURRENT} == set(OURS)


def parameters(function: Any) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]


@pytest.mark.parametrize("method", ["__init__", "call", "get_initial_state"])
def test_arguments_have_keras_positions_and_defaults(name, method):
    ours, theirs = (getattr(getattr(layers, name), method, None) for layers in PAIR)
    if theirs is None:
        pytest.skip("Keras has no such method")
    wanted = [(p.name, p.default) for p in parameters(theirs)]
    found = parameters(ours)
    # Names of inputs differ, which are given by position.
    skipped = 2 if method == "call" else 0
    assert [(p.name, p.default) for p in found[skipped : len(wanted)]] == wanted[skipped:]
    # What is ours besides is given by name.
    assert all(p.kind is p.KEYWORD_ONLY for p in found[len(wanted) :] if method == "__init__")


def plain(value: Any) -> Any:
    """A value that can be compared; the type alone of other objects, if it is Keras's own."""
    if isinstance(value, (type(None), bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return plain(value[0]) if len(value) == 1 else [plain(item) for item in value]
    if hasattr(value, "get_config") and not isinstance(value, keras.layers.Layer):
        return {"class": type(value).__name__, **value.get_config()}
    return value.__name__ if inspect.isfunction(value) else None


# How a call is written down, and whether XLA compiles it: ours is compiled where Keras's would use cuDNN.
NOT_COMPARED = {"call_signature_parameters", "dropout_mask_count", "seed_generator", "supports_jit"}


def test_public_attributes_are_keras(name):
    ours, theirs = (built(layers, name, name="layer") for layers in PAIR)
    for attribute in (attribute for attribute in dir(theirs) if not attribute.startswith("_")):
        if attribute in ("input", "output"):
            continue  # of a layer in a graph
        assert hasattr(ours, attribute), attribute
        found, wanted = getattr(ours, attribute), getattr(theirs, attribute)
        if callable(wanted) and not isinstance(wanted, keras.layers.Layer):
            given = {p.name for p in parameters(wanted) if p.kind is p.POSITIONAL_OR_KEYWORD}
            missing = given - {p.name for p in parameters(found)}
            assert not missing or attribute in ("call", "compute_mask", "build"), (attribute, missing)
        elif attribute not in NOT_COMPARED:
            assert plain(found) == plain(wanted), attribute


# Every argument of Keras's constructors with a value that is not its default.
VALUES: dict[str, Any] = {
    "activation": "relu",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "glorot_normal",
    "bias_initializer": "ones",
    "unit_forget_bias": False,
    "kernel_regularizer": "l1",
    "recurrent_regularizer": "l2",
    "bias_regularizer": "l1l2",
    "activity_regularizer": "l2",
    "kernel_constraint": "max_norm",
    "recurrent_constraint": "non_neg",
    "bias_constraint": "unit_norm",
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
    "seed": 7,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "reset_after": False,
    "use_cudnn": False,
}


@pytest.mark.parametrize("name", [*CELLS, *RECURRENT])
def test_arguments_by_position_mean_what_they_mean_in_keras(name):
    order = [p.name for p in parameters(getattr(keras.layers, name).__init__)[2:]]
    ours, theirs = (getattr(layers, name)(3, *(VALUES[argument] for argument in order), name="x") for layers in PAIR)
    found, wanted = ours.get_config(), theirs.get_config()
    # Keras's SimpleRNN forgets this one.
    for config in (found, wanted) if name == "SimpleRNN" else ():
        config.pop("activity_regularizer")
    assert found == {**found, **wanted}
    for attribute in found:
        if hasattr(theirs, attribute):
            assert plain(getattr(ours, attribute)) == plain(getattr(theirs, attribute)), attribute


@pytest.mark.parametrize("name", [*CELLS, *RECURRENT])
def test_an_unknown_argument_is_an_error_that_names_the_layer(name):
    with pytest.raises(ValueError, match=rf"passed to {name}: .*hidden_size"):
        make(PAIR[0], name, hidden_size=4)
    with pytest.raises(ValueError, match="expected units to be a whole number above zero, found 0"):
        OURS[name](0)
    assert OURS[name](np.int64(3)).get_config()["units"] == 3


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_how_keras_would_compute_changes_nothing(name):
    usual = built(PAIR[0], name)
    for options in ({"use_cudnn": True}, {"use_cudnn": False}, {"implementation": 1}):
        other = built(PAIR[0], name, **options)
        other.set_weights(usual.get_weights())
        np.testing.assert_array_equal(other(INPUTS), usual(INPUTS))
    with pytest.raises(ValueError, match="expected use_cudnn to be 'auto', True or False, found 'yes'"):
        make(PAIR[0], name, use_cudnn="yes")
    with pytest.raises(ValueError, match="expected use_cudnn to be 'auto' or False for 'x', found True: cuDNN has no"):
        make(PAIR[0], name, use_cudnn=True, layer_norm=True, name="x")
    assert make(PAIR[0], name, layer_norm=True).use_cudnn is False


def test_masked_steps_give_keras_numbers_also_with_an_initial_state(recurrent):
    for options in ({}, {"go_backwards": True}, {"zero_output_for_mask": True}):
        ours, theirs = (
            built(layers, recurrent, return_sequences=True, return_state=True, bias_initializer="uniform", **options)
            for layers in PAIR
        )
        ours.set_weights(theirs.get_weights())
        start = [RANDOM.normal(size=(5, 3)).astype("float32") for _ in theirs.state_size]
        # On JAX, Keras shows the initial state before the first real step; ours is as Keras on TensorFlow everywhere.
        for given in ({}, {"initial_state": start})[: 1 + TENSORFLOW]:
            assert_equal_outputs(ours(INPUTS, mask=MASK, **given), theirs(INPUTS, mask=MASK, **given))
            ours.return_sequences = theirs.return_sequences = False
            assert_equal_outputs(ours(INPUTS, mask=MASK, **given), theirs(INPUTS, mask=MASK, **given))
            ours.return_sequences = theirs.return_sequences = True


@pytest.mark.parametrize("name", CELLS)
def test_cells_drop_the_same_at_every_step_of_keras_rnn(name):
    options = {"kernel_initializer": "ones", "recurrent_initializer": "zeros", "activation": "linear"}
    cell = OURS[name](1, dropout=0.5, recurrent_dropout=0.5, seed=3, **options)
    layer = keras.layers.RNN(cell, return_sequences=True)
    ones = np.ones((40, 3, 1), "float32")
    outputs = arrays(layer(ones, training=True))[0][:, 0, 0]
    # The first step tells which rows have lost their only input.
    assert 0 < (outputs == arrays(layer(0 * ones))[0][0, 0, 0]).sum() < 40
    assert np.ptp(arrays(layer(ones))[0], axis=0).max() == 0
    with pytest.raises(ValueError, match=r"expected dropout to be at least 0 and below 1, found 1\.5"):
        OURS[name](1, dropout=1.5)


def network(layers: Any) -> keras.Model:
    """Every layer alone, one on the other, in a `Bidirectional`, stateful, and the cells in a stack."""
    inputs = keras.Input((6, 4), batch_size=5)
    outputs = [
        layers.LSTM(3)(layers.GRU(3, return_sequences=True, reset_after=False)(inputs)),
        layers.SimpleRNN(2, stateful=True)(inputs),
        layers.GRU(2, stateful=True, dropout=0.1)(layers.LSTM(2, return_sequences=True, stateful=True)(inputs)),
        layers.Bidirectional(layers.LSTM(2))(inputs),
        layers.Bidirectional(layers.GRU(2, stateful=True), merge_mode="sum")(
            layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True))(inputs)
        ),
        layers.RNN([layers.LSTMCell(2), layers.GRUCell(3), layers.SimpleRNNCell(2)])(inputs),
    ]
    return keras.Model(inputs, outputs)


def sequential(layers: Any) -> keras.Model:
    stack = [layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.GRU(2), layers.Dense(1)]
    return keras.Sequential([keras.Input((6, 4)), *stack])


def reset(model: keras.Model) -> None:
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()


@pytest.mark.parametrize("build", [network, sequential])
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weight_files_go_both_ways(build, suffix, tmp_path):
    ours, theirs = (build(layers) for layers in PAIR)
    path = tmp_path / f"model{suffix}"
    for source, target in ((theirs, ours), (ours, theirs)):
        source.set_weights([RANDOM.normal(size=weight.shape) for weight in source.get_weights()])
        (source.save_weights if suffix == ".weights.h5" else source.save)(path)
        target.load_weights(path)
        reset(source)
        reset(target)
        assert_equal_outputs(target(INPUTS), source(INPUTS))


def test_states_of_a_stateful_layer_are_no_weights(recurrent, tmp_path):
    ours, theirs = (built(layers, recurrent, stateful=True, name="layer") for layers in PAIR)
    assert [weight.path for weight in ours.weights] == [weight.path for weight in ours.cell.weights]
    assert len(ours.get_weights()) == len(theirs.get_weights()) and not ours.non_trainable_weights
    one_row, stateless = make(PAIR[0], recurrent, stateful=True), make(PAIR[0], recurrent)
    first = built(PAIR[0], recurrent)
    first.set_weights(ours.get_weights())
    for other in (one_row, stateless):
        other(INPUTS[:1])
        other.set_weights(ours.get_weights())
    ours.reset_states()
    one_row.reset_state()
    np.testing.assert_allclose(one_row(INPUTS[:1]), ours(INPUTS)[:1], atol=1e-6)
    np.testing.assert_allclose(stateless(INPUTS[:1]), first(INPUTS)[:1], atol=1e-6)
    with pytest.raises(ValueError, match="expected the batch size of 'layer' to stay 5 with stateful=True, found 1"):
        ours(INPUTS[:1])


def test_a_loaded_stateful_model_starts_from_zeros(recurrent, tmp_path):
    stack = [
        make(PAIR[0], recurrent, stateful=True, return_sequences=True),
        PAIR[0].Bidirectional(make(PAIR[0], recurrent, stateful=True)),
    ]
    model = keras.Sequential([keras.Input((6, 4), batch_size=5), *stack])
    first, second = model.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0)
    assert np.abs(second - first).max() > 1e-3
    assert len(model.layers[1].states) == 2 * len(model.layers[0].states)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(INPUTS, verbose=0), first, atol=1e-6)
    np.testing.assert_allclose(loaded.predict(INPUTS, verbose=0), second, atol=1e-6)
