from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.models.word_vectors import PretrainedVectors, TuneAfter

TABLE = np.arange(8, dtype=np.float32).reshape(4, 2) - 3
ROWS = np.array([[1, 0, 0], [2, 3, 4], [0, 0, 0]])


def layer(**arguments):
    made = PretrainedVectors(5, 2, **arguments)
    made.fill(TABLE)
    return made


def test_a_word_is_the_mean_of_its_rows():
    np.testing.assert_allclose(layer()(ROWS), [TABLE[0], TABLE[1:].mean(0), [0, 0]])


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected vectors of shape \(4, 2\), found \(3, 2\)"):
        layer().fill(TABLE[1:])


def gradient(made):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(ROWS) * [[1.0, 2], [3, 4], [5, 6]])
    found = tape.gradient(loss, made.trainable_variables[0].value)
    # Its cost is that of the rows of a batch.
    assert isinstance(found, tf.IndexedSlices)
    return tf.convert_to_tensor(found).numpy()


def test_only_tuned_vectors_are_trained_and_row_0_never():
    assert not layer().trainable_variables and layer().constant_weights
    tuned = layer(tuned=True)
    assert not tuned.constant_weights
    np.testing.assert_allclose(gradient(tuned), [[0, 0], [1, 2], [1, 4 / 3], [1, 4 / 3], [1, 4 / 3]], rtol=1e-6)


def test_tuning_begins_after_some_epochs():
    made = layer(tuned=True, tuned_later=True)
    callback = TuneAfter(made, 2)
    for epoch, share in enumerate([0, 0, 1, 1]):
        callback.on_epoch_begin(epoch)
        np.testing.assert_allclose(gradient(made), share * gradient(layer(tuned=True)))
        np.testing.assert_array_equal(made(ROWS), layer()(ROWS))


@pytest.mark.parametrize("arguments", [{}, {"tuned": True}, {"tuned": True, "tuned_later": True}])
def test_config_round_trip(arguments):
    made = layer(**arguments)
    again = PretrainedVectors.from_config(made.get_config())
    again.build()
    assert again.get_config() == made.get_config()
    assert [v.shape for v in again.trainable_variables] == [v.shape for v in made.trainable_variables]


def test_half_precision_keeps_the_table_and_rounds_the_vectors():
    made = PretrainedVectors(5, 2, dtype=keras.DTypePolicy("mixed_bfloat16"))
    made.fill(TABLE / 3)
    assert made.vectors.dtype == "float32"
    found = made(ROWS)
    assert found.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(found, tf.float32), layer()(ROWS) / 3, rtol=0.01)
