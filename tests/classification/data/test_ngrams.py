"""N-grams of words and characters, against Python's own."""

from __future__ import annotations

import tensorflow as tf

from seqtag.classification.data.ngrams import NgramHasher


def bucket(text, rows):
    return int(tf.strings.to_hash_bucket_fast(text, rows))


def ngrams_of(tokens, hasher):
    """The rows of a text, found word by word."""
    words = [token.lower().replace("7", "0") for token in tokens]
    found = set()
    for size in range(1, hasher.words + 1):
        for start in range(len(words) - size + 1):
            found.add(1 + bucket(" ".join(words[start : start + size]), hasher.word_rows))
    first = 1 + (hasher.word_rows if hasher.words else 0)
    for word in words:
        for size in range(2, hasher.characters + 1):
            padded = f" {word} "
            for start in range(len(padded) - size + 1):
                found.add(first + bucket(padded[start : start + size], hasher.char_rows))
    return found


def test_the_rows_of_texts():
    texts = [["Très", "bien", ",", "bien", "7"], [], ["x"], ["東", "京", "Très"]]
    tokens = tf.ragged.constant(texts, dtype=tf.string, ragged_rank=1)
    for words, characters in ((2, 3), (1, 0), (0, 4), (3, 6)):
        hasher = NgramHasher(words, characters, word_rows=5000, char_rows=7000)
        rows = hasher(tokens).to_list()
        assert [set(row) for row in rows] == [ngrams_of(text, hasher) for text in texts]
        assert all(len(set(row)) == len(row) for row in rows), "each once"
        assert max((max(row) for row in rows if row), default=0) < hasher.num_rows
        assert NgramHasher.from_dict(hasher.to_dict()) == hasher
    assert NgramHasher(0, 0).groups == {}
    assert NgramHasher(1, 2, 10, 20).groups == {"words": slice(1, 11), "characters": slice(11, 31)}


def test_no_text_at_all():
    tokens = tf.RaggedTensor.from_row_lengths(tf.constant([], tf.string), tf.constant([], tf.int64))
    assert NgramHasher(2, 3)(tokens).to_list() == []
