"""Which layers own a model's weights, and which of them are recurrent."""

from __future__ import annotations

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from seqtag.layers import GRU, Bidirectional, CharEncoder, PeepholeLSTM, SimpleRNN, SimpleRNNCell
from seqtag.layers.introspection import (
    check_recurrent,
    check_trainable,
    owned_weights,
    recurrent_layers,
    weighted_layers,
)


def sequential(*inside, features=3, **options):
    return keras.Sequential([keras.Input((None, features)), *inside], **options)


class WithWeights(keras.Model):
    """Layers in a list and a dictionary, and a weight of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(3, name="first")
        self.stack = [SimpleRNN(3, return_sequences=True, name=f"rnn_{n}") for n in range(2)]
        self.heads = {"a": layers.Dense(1, name="a"), "b": layers.Dense(2, name="b")}

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(3,), initializer="ones")
        self.built = True

    def call(self, inputs):
        values = self.first(inputs) * self.scale
        for layer in self.stack:
            values = layer(values)
        return keras.ops.concatenate([head(values) for head in self.heads.values()], axis=-1)


@pytest.mark.parametrize(
    "layer",
    [
        SimpleRNN(4, name="one"),
        PeepholeLSTM(4, name="one", residual=True, return_sequences=True),
        layers.SimpleRNN(4, name="one"),
        layers.LSTM(4, name="one"),
        layers.GRU(4, name="one"),
        layers.RNN(SimpleRNNCell(4), name="one"),
        layers.RNN([layers.GRUCell(4), layers.LSTMCell(2)], name="one"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_recurrent_layer_is_one_entry_with_its_cell_inside(layer):
    model = sequential(layer, layers.Dense(1, name="two"))
    assert weighted_layers(model) == {"one": layer, "two": model.layers[-1]}
    assert recurrent_layers(model) == {"one": (layer,)}


@pytest.mark.parametrize(
    "layer",
    [
        Bidirectional(GRU(4), name="both"),
        Bidirectional(GRU(4), merge_mode="learned", name="both"),
        layers.Bidirectional(layers.LSTM(4), name="both"),
    ],
    ids=["ours", "ours with weights", "keras"],
)
def test_a_bidirectional_is_one_entry_of_two_directions(layer):
    model = sequential(layer)
    assert weighted_layers(model) == {"both": layer}
    assert recurrent_layers(model) == {"both": (layer.forward_layer, layer.backward_layer)}


def test_time_distributed_is_one_entry_and_shows_the_recurrent_layer_inside():
    inner = layers.GRU(2)
    model = keras.Sequential(
        [keras.Input((5, 4, 3)), layers.TimeDistributed(inner, name="words"), layers.GRU(2, name="sentence")]
    )
    assert list(weighted_layers(model)) == ["words", "sentence"]
    assert recurrent_layers(model) == {"words": (inner,), "sentence": (model.layers[1],)}


def test_layers_without_weights_are_left_out_and_shared_ones_stand_once():
    inputs = keras.Input((None, 3))
    shared = layers.Dense(3, name="shared")
    model = keras.Model(inputs, shared(layers.Dropout(0.1)(shared(inputs))))
    assert weighted_layers(model) == {"shared": shared}


def test_attributes_lists_dictionaries_and_a_models_own_weights():
    model = WithWeights(name="subclassed")
    model(keras.ops.ones((2, 4, 3)))
    assert list(weighted_layers(model)) == ["subclassed", "first", "rnn_0", "rnn_1", "a", "b"]
    assert owned_weights(model)["subclassed"] == [model.scale]
    assert recurrent_layers(model) == {"rnn_0": (model.stack[0],), "rnn_1": (model.stack[1],)}


def test_nested_models_are_opened_and_names_that_clash_get_the_parents():
    inner = sequential(layers.GRU(3, return_sequences=True, name="gru"), layers.Dense(3, name="dense"), name="inner")
    model = sequential(inner, layers.GRU(2, name="gru"), layers.Dense(1, name="out"))
    assert list(weighted_layers(model)) == ["inner/gru", "dense", "gru", "out"]
    assert list(recurrent_layers(model)) == ["inner/gru", "gru"]


def test_names_that_parents_cannot_tell_apart_are_numbered():
    class Twins(keras.Model):
        def __init__(self):
            super().__init__()
            self.twins = [layers.Dense(3, name="twin") for _ in range(3)]

        def call(self, inputs):
            for twin in self.twins:
                inputs = twin(inputs)
            return inputs

    model = Twins()
    model(keras.ops.ones((1, 3)))
    assert list(weighted_layers(model).values()) == model.twins
    assert list(weighted_layers(model)) == ["twin", "twin_1", "twin_2"]


def test_a_layer_that_holds_layers_is_opened():
    model = keras.Sequential(
        [keras.Input((None, 6), dtype="int32"), CharEncoder(9, kind="birnn", units=3, name="chars")]
    )
    chars = model.layers[0]
    assert weighted_layers(model) == {"chars": chars, chars.recurrent.name: chars.recurrent}
    assert owned_weights(model)["chars"] == [chars.embeddings]
    assert list(recurrent_layers(model)) == [chars.recurrent.name]


def test_frozen_weights_belong_to_nobody_but_the_layer_stays_recurrent():
    frozen = layers.GRU(3, name="frozen", trainable=False)
    model = sequential(frozen, layers.Dense(1, name="dense"))
    assert list(weighted_layers(model)) == ["dense"]
    assert recurrent_layers(model) == {"frozen": (frozen,)}
    model.trainable = False
    model.layers[1].trainable = True
    assert weighted_layers(model) == {}


PARTS = {
    "dense": lambda: layers.Dense(3, name="part"),
    "norm": lambda: layers.BatchNormalization(),
    "dropout": lambda: layers.Dropout(0.5),
    "rnn": lambda: GRU(3, return_sequences=True, residual=True),
    "both": lambda: Bidirectional(PeepholeLSTM(3, return_sequences=True), merge_mode="learned"),
    "keras": lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
    "frozen": lambda: layers.Dense(3, trainable=False),
    "each": lambda: layers.TimeDistributed(layers.Dense(3)),
    "own": lambda: WithWeights(),
}
TREES = st.recursive(
    st.sampled_from(sorted(PARTS)), lambda parts: st.lists(parts, min_size=1, max_size=3), max_leaves=6
)


def model_of(tree):
    if isinstance(tree, str):
        return PARTS[tree]()
    return keras.Sequential([model_of(part) for part in tree])


@settings(max_examples=15, derandomize=True)
@given(st.lists(TREES, min_size=1, max_size=4))
def test_every_trainable_variable_belongs_to_exactly_one_entry(trees):
    model = model_of(trees)
    model(keras.ops.ones((2, 4, 3)))
    owned = owned_weights(model)
    assert list(owned) == list(weighted_layers(model))
    found = [variable for variables in owned.values() for variable in variables]
    assert sorted(map(id, found)) == sorted(map(id, model.trainable_variables))
    for name, layer in weighted_layers(model).items():
        assert {id(variable) for variable in owned[name]} <= {id(variable) for variable in layer.weights}


def test_models_that_cannot_be_watched_are_told_what_they_lack():
    with pytest.raises(TypeError, match="expected model to be a Keras model, found GRU"):
        check_trainable(GRU(3))
    unbuilt = "expected a built model, found one without weights; call it on data or give it an Input"
    with pytest.raises(ValueError, match=unbuilt):
        check_trainable(keras.Sequential([layers.GRU(3)]))
    with pytest.raises(ValueError, match=unbuilt):
        check_recurrent(WithWeights())
    with pytest.raises(ValueError, match="expected a model with trainable weights, found none"):
        check_trainable(sequential(layers.Dropout(0.5)))
    frozen = sequential(layers.GRU(3))
    frozen.trainable = False
    with pytest.raises(ValueError, match="expected a model with trainable weights, found none"):
        check_recurrent(frozen)
    dense = sequential(layers.Dense(3), layers.Dense(1))
    check_trainable(dense)
    with pytest.raises(ValueError, match="expected a model with recurrent layers, found Dense, Dense"):
        check_recurrent(dense)
    check_recurrent(sequential(layers.GRU(3)))
