from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.data.text.word_features import NUM_HASHED
from seqtag.layers.compact_embedding import CompactEmbedding
from seqtag.tagging.network.compaction import compacted
from seqtag.tagging.network.network import TaggerNetwork

SIZES = {"num_words": 40, "singletons_from": 20, "num_chars": 9, "num_buckets": 90, "word_dim": 5, "column_sizes": [30]}
TAGS = 3
VARIANTS = {
    "defaults": {},
    "gru, two layers": {"cell": "gru", "layers": 2},
    "softmax": {"head": "softmax"},
    "half": {"dtype": "mixed_bfloat16"},
    "plain words": {"context_features": False, "representation": {"char_encoder": "none", "spelling": False}},
}


def sparse_network(variant):
    """Random weights everywhere, and three rows in four of each table zero."""
    keras.utils.set_random_seed(7)
    arguments = {"units": 6, **VARIANTS[variant]}
    network = TaggerNetwork(SIZES | arguments.pop("representation", {}), TAGS, **arguments)
    network.build()
    rng = np.random.default_rng(0)
    for table in network.tables.values():
        values = rng.normal(size=table.embeddings.shape)
        table.embeddings.assign(values * (rng.uniform(size=len(values)) < 0.25)[:, None])
    for variable in network.head.variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    made = {
        "words": rng.integers(0, 40, 25),
        "chars": rng.integers(1, 9, (25, 4)),
        "buckets": rng.integers(0, 90, (25, NUM_HASHED)),
        "word_rows": rng.integers(0, 25, (4, 8)),
        "lengths": np.array([8, 5, 0, 1]),
        "columns": rng.integers(0, 30, (4, 8, 1)),
    }
    return {name: tf.constant(value, tf.int32) for name, value in made.items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_copy_answers_bit_for_bit(variant, batch):
    network = sparse_network(variant)
    copy = compacted(network)
    assert copy.tables and all(isinstance(table, CompactEmbedding) for table in copy.tables.values())
    # The graphs' other answers are functions of the emissions and of the head.
    np.testing.assert_array_equal(copy(batch), network(batch))
    for found, expected in zip(copy.head.variables, network.head.variables, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert copy.count_params() < network.count_params()


def test_the_original_stays_as_it_is(batch):
    network = sparse_network("defaults")
    before = [variable.numpy() for variable in network.variables]
    config = network.get_config()
    compacted(network)
    assert network.get_config() == config
    for old, variable in zip(before, network.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def test_full_tables_stay_and_a_second_time_changes_nothing(batch):
    network = sparse_network("defaults")
    words = network.tables["word_embedding"].embeddings
    words.assign(np.ones(words.shape))
    copy = compacted(network)
    assert isinstance(copy.tables["word_embedding"], keras.layers.Embedding)
    assert set(copy.kept_rows) == {"bucket_embedding", "column_0", "word_scores", "bucket_scores"}
    again = compacted(copy)
    assert again.get_config() == copy.get_config()
    np.testing.assert_array_equal(again(batch), network(batch))


def test_plain_keras_reads_the_copy_and_it_is_smaller(tmp_path, batch):
    network = sparse_network("defaults")
    network.save(tmp_path / "full.keras")
    compacted(network).save(tmp_path / "compact.keras")
    again = keras.saving.load_model(tmp_path / "compact.keras")
    np.testing.assert_array_equal(again(batch), network(batch))
    assert (tmp_path / "compact.keras").stat().st_size < (tmp_path / "full.keras").stat().st_size
