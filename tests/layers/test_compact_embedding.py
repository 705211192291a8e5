from __future__ import annotations

import keras
import numpy as np
import pytest

from seqtag.layers.compact_embedding import CompactEmbedding, is_worth_compacting, nonzero_rows, table_layer


@pytest.fixture
def table():
    values = np.random.default_rng(0).normal(size=(9, 4)).astype("float32")
    values[[0, 3, 4, 8]] = 0
    values[5, :3] = 0
    return values


@pytest.fixture
def layer(table):
    made = CompactEmbedding(9, 4, kept_rows=5)
    made.fill(table)
    return made


@pytest.mark.parametrize("shape", [(), (7,), (2, 3), (2, 0)])
def test_it_looks_up_what_the_full_table_holds(layer, table, shape):
    inputs = np.random.default_rng(1).integers(0, 9, shape)
    found = layer(inputs)
    np.testing.assert_array_equal(found, table[inputs])
    assert tuple(found.shape) == layer.compute_output_shape(shape)


def test_every_row_is_found_and_zeros_have_one_row(layer, table):
    np.testing.assert_array_equal(layer(np.arange(9)), table)
    assert layer.rows.shape == (6, 4)
    assert layer.index.numpy().tolist() == [0, 1, 2, 0, 0, 3, 4, 5, 0]


@pytest.mark.parametrize("value", [0, 1])
def test_tables_of_nothing_and_of_no_zeros(value):
    table = np.full((3, 2), value, "float32")
    layer = CompactEmbedding(3, 2, kept_rows=3 * value)
    layer.fill(table)
    np.testing.assert_array_equal(layer(np.arange(3)), table)


def test_it_computes_in_the_dtype_of_its_policy(table):
    layer = CompactEmbedding(9, 4, kept_rows=5, dtype="mixed_bfloat16")
    layer.fill(table)
    full = keras.layers.Embedding(9, 4, dtype="mixed_bfloat16", weights=[table])
    inputs = np.array([1, 3, 5])
    assert keras.backend.standardize_dtype(layer(inputs).dtype) == "bfloat16"
    np.testing.assert_array_equal(np.asarray(layer(inputs), float), np.asarray(full(inputs), float))


def test_it_has_nothing_to_train_and_comes_back_from_a_file(layer, tmp_path):
    assert layer.trainable_variables == []
    model = keras.Sequential([keras.Input((None,), dtype="int32"), layer])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(np.arange(9)[None]), model(np.arange(9)[None]))
    assert again.layers[0].get_config() == layer.get_config()


@pytest.mark.parametrize(("shape", "rows"), [((8, 4), 5), ((9, 3), 5), ((9, 4), 4)])
def test_another_table_is_refused(table, shape, rows):
    with pytest.raises(ValueError, match=r"expected a table of \(rows, width, rows not zero\) .*, found \(9, 4, 5\)"):
        CompactEmbedding(*shape, kept_rows=rows).fill(table)


def test_what_is_worth_it(table):
    # 4 rows of 4 are saved; an index of 9 and a zero row of 4 are the price.
    assert nonzero_rows(table).tolist() == [1, 2, 5, 6, 7]
    assert is_worth_compacting(table)
    table[0, 0] = 1
    assert not is_worth_compacting(table), "12 against 13"
    assert not is_worth_compacting(np.ones((100, 50)))
    assert not is_worth_compacting(np.zeros((0, 4)))


def test_a_table_is_compact_by_its_name():
    assert isinstance(table_layer(9, 4, "words", {"words": 5}), CompactEmbedding)
    assert isinstance(table_layer(9, 4, "words", {"affixes": 5}), keras.layers.Embedding)
