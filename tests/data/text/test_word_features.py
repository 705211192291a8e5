from __future__ import annotations

import numpy as np
import tensorflow as tf

from seqtag.data.text.vocabulary import UNKNOWN, Vocabulary
from seqtag.data.text.word_features import (
    MAX_CHARACTERS,
    NUM_HASHED,
    WordEncoder,
    count_characters,
    count_words,
    normalise_digits,
    word_shape,
)


def encoder(words=(), chars="abcdefghijklmnopqrstuvwxyz", buckets=10_000):
    return WordEncoder(Vocabulary(list(words)), Vocabulary(list(chars)), buckets)


def test_shapes_in_several_scripts():
    words = ["IL-2", "McDonald's", "U.S.", "1,000.50", "Århus", "МОСКВА", "日本", "", "x2Y"]
    shapes = [shape.decode() for shape in word_shape(tf.constant(words)).numpy()]
    assert shapes == ["XX-d", "XxXxx'x", "X.X.", "d,dd.dd", "Xxx", "XX", "日本", "", "xdX"]


def test_numbers_share_a_row():
    words = count_words(["1984", "2001", "cat"])
    rows = WordEncoder(words, Vocabulary([]), 10)(tf.constant(["1999", "cat", "42"])).words
    assert rows.numpy().tolist() == [words.index("0000"), words.index("cat"), UNKNOWN]
    assert normalise_digits(tf.constant("a1٣")).numpy() == b"a00"


def test_an_unknown_form_falls_back_to_lower_case():
    rows = encoder(["the", "Ænd", "ærø"])(tf.constant(["The", "THE", "ÆRØ", "Ænd", "ænd"])).words
    assert rows.numpy().tolist() == [2, 2, 4, 3, UNKNOWN]


def test_characters_are_code_points_not_bytes():
    chars = count_characters(["é日e"])
    rows = WordEncoder(Vocabulary([]), chars, 10)(tf.constant(["日e", "é?"])).chars.numpy()
    assert rows.tolist() == [[chars.index("日"), chars.index("e")], [chars.index("é"), UNKNOWN]]


def test_a_word_of_any_length_costs_the_same():
    long = "a" * 5_000 + "b" * 5_000
    features = encoder()(tf.constant([long, "ab"]))
    half = MAX_CHARACTERS // 2
    assert features.chars.shape == (2, MAX_CHARACTERS)
    assert features.chars.numpy()[0].tolist() == [2] * half + [3] * half


def test_hashed_affixes_are_shared_by_words_that_share_them():
    rows = encoder()(tf.constant(["running", "Jumping", "runner", "walked"])).buckets.numpy()
    assert rows.shape == (4, NUM_HASHED)

    def shared(a, b):
        return {n for n in range(NUM_HASHED) if rows[a, n] == rows[b, n]}

    # Columns: shape, then prefix and suffix of 1, 2, 3, 4 characters.
    assert {2, 4, 6} <= shared(0, 1), "-g, -ng and -ing, whatever the casing"
    assert 8 not in shared(0, 1), "ning and ping"
    assert {1, 3, 5, 7} <= shared(0, 2), "r-, ru-, run-, runn-"
    assert 2 not in shared(0, 3)


def test_prefix_and_suffix_of_the_same_letters_differ():
    rows = encoder(buckets=1_000_000)(tf.constant(["abxab"])).buckets.numpy()[0]
    assert rows[3] != rows[4]


def test_no_words_at_all():
    features = encoder()(tf.constant([], tf.string))
    assert [tensor.shape[0] for tensor in features] == [0] * 5


def test_features_do_not_depend_on_the_other_words():
    one, two = encoder(["abc"])(tf.constant(["abc"])), encoder(["abc"])(tf.constant(["abc", "longerword"]))
    assert one.words[0] == two.words[0]
    assert np.array_equal(one.buckets[0], two.buckets[0])
    assert np.array_equal(one.chars[0], two.chars[0, :3])
