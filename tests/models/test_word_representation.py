from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.data.text.vocabulary import UNKNOWN
from seqtag.data.text.word_features import NUM_HASHED
from seqtag.models.word_representation import COLUMN_DIM, SPELLING_UNITS, WordRepresentation

SIZES = {"num_words": 12, "singletons_from": 8, "num_chars": 9, "num_buckets": 30, "word_dim": 5}
WORDS = 7


def layer(**arguments):
    keras.utils.set_random_seed(2)
    made = WordRepresentation(**SIZES | arguments)
    made.build()
    return made


def batch(words, tokens, columns=()):
    rng = np.random.default_rng(4)
    made = {
        "words": words,
        "chars": rng.integers(1, 9, (len(words), 4)),
        "buckets": rng.integers(0, 30, (len(words), NUM_HASHED)),
        "word_rows": tokens,
    }
    if len(columns):
        made["columns"] = columns
    return {name: tf.constant(value, tf.int32) for name, value in made.items()}


@pytest.mark.parametrize("char_encoder", ["cnn", "birnn", "none"])
@pytest.mark.parametrize("spelling", [True, False])
@pytest.mark.parametrize("columns", [0, 2])
def test_the_width_is_the_one_announced(char_encoder, spelling, columns):
    made = layer(char_encoder=char_encoder, spelling=spelling, column_sizes=(4,) * columns)
    vectors = made(batch([2, 3, 4], [[0, 1], [2, 2]], np.ones((2, 2, columns))))
    spelled = spelling or char_encoder != "none"
    assert made.output_units == 5 + SPELLING_UNITS * spelled + COLUMN_DIM * columns
    assert vectors.shape == (2, 2, made.output_units)


def test_tokens_have_the_vectors_of_their_words():
    made = layer(column_sizes=(4,))
    columns = np.array([[[1], [2], [1]]])
    vectors = made(batch([3, 5], [[0, 1, 0]], columns)).numpy()[0]
    np.testing.assert_array_equal(vectors[0], vectors[2])
    np.testing.assert_array_equal(vectors[:, :5], made.word_embedding(np.array([3, 5, 3])))
    np.testing.assert_array_equal(vectors[:, -COLUMN_DIM:], made.column_embeddings[0](columns[0, :, 0]))
    assert np.abs(vectors[0, 5:-COLUMN_DIM] - vectors[1, 5:-COLUMN_DIM]).max() > 0


def test_words_are_dropped_in_training_alone_and_rare_ones_more():
    made = layer(char_encoder="none", spelling=False, word_dropout=0.1, singleton_dropout=0.6)
    tokens = np.tile([[0, 1]], (4000, 1))
    frequent, single = 4, 9
    whole = batch([frequent, single], tokens)
    unknown = made.word_embedding(np.array([UNKNOWN])).numpy()

    def shares(vectors):
        return (vectors.numpy() == unknown).all(-1).mean(0)

    assert shares(made(whole)).tolist() == [0, 0]
    np.testing.assert_allclose(shares(made(whole, training=True)), [0.1, 0.6], atol=0.04)
    never = layer(char_encoder="none", spelling=False, word_dropout=0, singleton_dropout=0)
    assert shares(never(whole, training=True)).tolist() == [0, 0]


def test_config_round_trip():
    made = layer(char_encoder="birnn", spelling=False, column_sizes=(3, 4), word_dropout=0.2)
    again = WordRepresentation.from_config(made.get_config())
    assert again.get_config() == made.get_config()
