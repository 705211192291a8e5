"""The embedding that reads rows alone gives Keras's numbers, without a look at the whole table."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers.embedding import Embedding

ROWS = np.array([[1, 4, 0], [2, 2, 6]])
TENSORFLOW = keras.config.backend() == "tensorflow"


def both(**options):
    """Keras's layer and ours with the same weights."""
    keras_layer, ours = keras.layers.Embedding(7, 3, **options), Embedding(7, 3, **options)
    keras_layer.build(), ours.build()
    ours.set_weights(keras_layer.get_weights())
    return keras_layer, ours


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("rows", [ROWS, ROWS.astype("float32"), ROWS[:, :0], ROWS[0, 0]])
def test_the_numbers_are_those_of_keras(dtype, rows):
    wanted, found = (ops.convert_to_numpy(layer(rows)) for layer in both(dtype=dtype))
    assert found.dtype == wanted.dtype and np.array_equal(found, wanted)


def test_masks_and_low_rank_updates_are_those_of_keras():
    wanted, found = (layer.compute_mask(ops.array(ROWS)) for layer in both(mask_zero=True))
    assert np.array_equal(found, wanted)
    wanted, found = both()
    for layer in (wanted, found):
        layer.enable_lora(2)
        layer.lora_embeddings_b.assign(np.ones(layer.lora_embeddings_b.shape))
        layer.lora_embeddings_a.assign(np.ones(layer.lora_embeddings_a.shape))
    assert np.array_equal(found(ROWS), wanted(ROWS))


def test_weight_files_are_those_of_keras(tmp_path):
    models = [keras.Sequential([keras.Input((3,)), layer]) for layer in both()]
    models[0].save_weights(tmp_path / "a.weights.h5")
    models[1].layers[0].embeddings.assign(np.zeros((7, 3)))
    models[1].load_weights(tmp_path / "a.weights.h5")
    assert np.array_equal(models[1](ROWS), models[0](ROWS))


@pytest.mark.skipif(not TENSORFLOW, reason="a gradient of rows is TensorFlow's")
def test_neither_the_look_up_nor_its_gradient_reads_the_table():
    import tensorflow as tf

    def slope(layer, rows):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(rows) ** 2)
        return tape.gradient(total, layer.embeddings.value)

    def operations(layer):
        graph = tf.function(lambda rows: slope(layer, rows).values).get_concrete_function(tf.constant(ROWS)).graph
        return {operation.type for operation in graph.get_operations()}

    of_keras, ours = both()
    assert "ReadVariableOp" in operations(of_keras), "Keras's layer reads rows alone now: use it"
    assert "ReadVariableOp" not in operations(ours)
    wanted, found = (tf.convert_to_tensor(slope(layer, tf.constant(ROWS))) for layer in (of_keras, ours))
    assert np.array_equal(found, wanted)
