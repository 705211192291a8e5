from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.callbacks.row_gradients import dense_part, merge_all_rows, merge_rows, with_dense_part
from seqtag.ops.gradients import clip_by_global_norm
from seqtag.training.optimizers import RowAdam, RowNadam

PAIRS = [(RowAdam, keras.optimizers.Adam), (RowNadam, keras.optimizers.Nadam)]


def table(seed=0):
    return keras.Variable(np.random.default_rng(seed).normal(size=(6, 3)).astype("float32"))


def slices(rows, seed):
    values = np.random.default_rng(seed).normal(size=(len(rows), 3)).astype("float32")
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([6, 3]))


def clipped(gradients, norm):
    """As `GradientClipping` clips them."""
    gradients = merge_all_rows(gradients)
    parts = clip_by_global_norm([dense_part(gradient) for gradient in gradients], norm)
    return [with_dense_part(*pair) for pair in zip(gradients, parts, strict=True)]


def dense(gradient):
    return tf.convert_to_tensor(gradient)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("clip", [None, 0.5, 100.0])
def test_equal_to_keras_when_every_row_is_touched(ours, theirs, clip):
    mine, reference, rows = table(), table(), [3, 0, 5, 1, 2, 4, 3, 0]
    sparse, full = ours(learning_rate=0.1), theirs(learning_rate=0.1, global_clipnorm=clip)
    for step in range(5):
        gradient = slices(rows, step)
        sparse.apply(clipped([gradient], clip) if clip else [gradient], [mine])
        full.apply([dense(gradient)], [reference])
    np.testing.assert_allclose(mine.numpy(), reference.numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_rows_that_no_token_looked_up_do_not_move(ours, theirs):
    variable = table()
    before = variable.numpy()
    optimizer = ours(learning_rate=0.1)
    optimizer.apply([slices([1, 4, 1], 0)], [variable])
    optimizer.apply([slices([4], 1)], [variable])
    moved = (variable.numpy() != before).any(axis=1)
    assert moved.tolist() == [False, True, False, False, True, False]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_dense_gradients_are_keras_own(ours, theirs):
    mine, reference = table(), table()
    for kind, variable in ((ours, mine), (theirs, reference)):
        optimizer = kind(learning_rate=0.1, global_clipnorm=1.0)
        for step in range(3):
            optimizer.apply([dense(slices([0, 2], step))], [variable])
    np.testing.assert_allclose(mine.numpy(), reference.numpy(), rtol=1e-6)


def test_the_norm_is_that_of_the_summed_rows():
    # Two slices of one row: their norm is 5, not sqrt(4 + 9).
    gradient = tf.IndexedSlices(tf.constant([[2.0, 0, 0], [3.0, 0, 0]]), tf.constant([1, 1]), tf.constant([6, 3]))
    np.testing.assert_allclose(clipped([gradient], 1.0)[0].values.numpy(), [[1.0, 0, 0]], rtol=1e-6)


def test_merging_keeps_the_gradient():
    gradient = slices([5, 0, 5, 5, 2], 3)
    merged = merge_rows(gradient)
    assert len(set(merged.indices.numpy().tolist())) == len(merged.indices) == 3
    np.testing.assert_allclose(dense(merged), dense(gradient), rtol=1e-6)
