"""fastText's models, as gensim writes and reads them, and as written by hand."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import tensorflow as tf

from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vectors.reading import read_vectors, read_words
from seqtag.data.text.vectors.subwords import MOST_CHARACTERS, bucket_rows, subword_vectors
from seqtag.data.text.vectors.table import combined
from seqtag.errors import DataError
from seqtag.models.word_vectors import PretrainedVectors

OTHERS = ["unseen", "Wörter", "東京", "a", "", "x" * 60, "🙂🙂", "é"]


def fnv(text: str) -> int:
    """The hash of fastText's `Dictionary::hash`, byte by byte."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) & 0xFFFFFFFF
        value = value * 16777619 & 0xFFFFFFFF
    return value


def buckets_of(word: str, subwords: Subwords) -> list[int]:
    """The n-grams of fastText's `Dictionary::computeSubwords`."""
    if word in ("", "</s>"):
        return []
    text = f"<{word}>"
    return sorted(
        1 + fnv(text[start : start + size]) % subwords.buckets
        for start in range(len(text))
        for size in range(subwords.shortest, min(subwords.longest, len(text) - start) + 1)
        if not (size == 1 and start in (0, len(text) - 1))
    )


@pytest.mark.parametrize("subwords", [Subwords(3, 6, 1000), Subwords(1, 2, 77), Subwords(5, 5, 2_000_000)])
def test_buckets_are_those_of_fasttext(subwords):
    words = [*OTHERS, "</s>", "<", "where"]
    rows = bucket_rows(tf.constant(words), subwords).numpy()
    assert [sorted(row[row > 0].tolist()) for row in rows] == [buckets_of(word, subwords) for word in words]


def test_of_a_long_word_the_middle_is_left_out():
    half, subwords = MOST_CHARACTERS // 2, Subwords(3, 4, 500)
    rows = bucket_rows(tf.constant(["a" * half + "mm" + "b" * half, "a" * half + "b" * half]), subwords).numpy()
    np.testing.assert_array_equal(rows[0], rows[1])


def model(words, own, buckets, *, version=12, subwords=(2, 3), kind=2, quantised=0, pruned=-1, labels=()):
    """A model as fastText writes it, up to its input matrix."""
    width = own.shape[1]
    parts = [struct.pack("<2i", 793712314, version)]
    parts.append(struct.pack("<12id", width, 5, 5, 1, 5, 1, 2, kind, len(buckets), *subwords, 100, 1e-4))
    entries = [(word, 0) for word in words] + [(label, 1) for label in labels]
    parts.append(struct.pack("<3i2q", len(entries), len(words), len(labels), 99, pruned))
    parts += [word.encode() + b"\0" + struct.pack("<qb", 7, kind) for word, kind in entries]
    matrix = np.concatenate([own, buckets])
    parts += [struct.pack("<b2q", quantised, *matrix.shape), matrix.astype("<f4").tobytes()]
    return b"".join(parts)


WORDS = ["the", "Paris", "</s>", "日本"]
RANDOM = np.random.default_rng(3)
OWN, BUCKETS = (RANDOM.normal(size=(rows, 3)).astype(np.float32) for rows in (4, 20))


def expected(word, own=None):
    rows = [BUCKETS[bucket - 1] for bucket in buckets_of(word, Subwords(2, 3, 20))] + ([] if own is None else [own])
    return np.mean(rows, axis=0) if rows else np.zeros(3)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(model(WORDS, OWN, BUCKETS, labels=["__label__x"]))
    return path


def test_words_are_the_means_of_their_own_vectors_and_their_parts(path):
    vectors = read_vectors(path, path.parent / "cache")
    assert vectors.words == WORDS and vectors.subwords == (2, 3, 20)
    np.testing.assert_allclose(vectors.matrix[:4], [expected(w, v) for w, v in zip(WORDS, OWN, strict=True)], rtol=1e-5)
    np.testing.assert_array_equal(vectors.matrix[4:], BUCKETS)
    np.testing.assert_allclose(subword_vectors(OTHERS, vectors), [expected(word) for word in OTHERS], rtol=1e-5)
    path.write_bytes(gzip.compress(path.read_bytes()))
    again = read_vectors(path)
    np.testing.assert_array_equal(again.matrix, vectors.matrix)


def test_the_graph_makes_the_vector_of_any_word(path):
    """So does the table of the words of a text alone, for those words."""
    vectors = read_vectors(path)
    words = ["Paris", "PARIS", "The", *OTHERS]
    wanted = [expected("Paris", OWN[1]), expected("PARIS"), expected("the", OWN[0]), *map(expected, OTHERS)]

    def found(table):
        layer = PretrainedVectors(1 + len(table.matrix), table.width)
        layer.fill(table.matrix)
        return layer(VectorLookup.of(table)(tf.constant(words))).numpy()

    np.testing.assert_allclose(found(vectors), wanted, rtol=1e-5)
    seen = combined([vectors], words)
    assert seen.subwords is None
    np.testing.assert_allclose(found(seen), wanted, rtol=1e-5)
    beside = combined([read_vectors(path), seen])
    np.testing.assert_allclose(found(beside)[:3], np.concatenate([wanted, wanted], axis=1)[:3], rtol=1e-5)


def test_models_without_n_grams(tmp_path):
    for name, content in {
        "none": model(WORDS, OWN, BUCKETS[:0], subwords=(0, 0)),
        "old classifier": model(WORDS, OWN, BUCKETS, version=11, kind=3),
    }.items():
        (tmp_path / name).write_bytes(content)
        vectors = read_vectors(tmp_path / name)
        assert vectors.subwords is None and vectors.words == WORDS
        np.testing.assert_array_equal(vectors.matrix, OWN)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (model(WORDS, OWN, BUCKETS)[:-1], "expected a matrix of 288 bytes, found 287; the file may be cut off"),
        (
            gzip.compress(model(WORDS, OWN, BUCKETS)[:-1], mtime=0),
            "expected a whole matrix, found the end of the file; .*",
        ),
        (model(WORDS, OWN, BUCKETS)[:50], "expected a whole fastText model, found the end of the file; .*"),
        (model(WORDS, OWN, BUCKETS)[:107], "expected a dictionary of 4 entries, found b'Pa' after 1"),
        (model(WORDS, OWN, BUCKETS, version=13), "expected a fastText model of version 11 or 12, found 13"),
        (model(WORDS, OWN, BUCKETS, quantised=1), "expected a fastText model that is not quantised, found a quant.*"),
        (model(WORDS, OWN, BUCKETS, pruned=5), "expected a fastText model that is not quantised, found one with .*"),
        (model(WORDS, OWN, BUCKETS, subwords=(3, 999)), "expected n-grams of up to 100 characters, found 3 to 999 .*"),
        (model(WORDS, OWN * np.nan, BUCKETS), "expected finite numbers, found nan in the vector of 'the'"),
    ],
)
def test_faults(tmp_path, content, fault):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"model.bin: {fault}$"):
        read_vectors(path)


def test_two_files_with_n_grams_are_too_many(path):
    vectors = read_vectors(path)
    with pytest.raises(ValueError, match=r"model.vectors: expected at most one file with n-grams, found 2"):
        combined([vectors, vectors])


def test_gensim_agrees(tmp_path):
    models = pytest.importorskip("gensim.models", reason="gensim is not installed")
    facebook = pytest.importorskip("gensim.models.fasttext", reason="gensim is not installed")
    sentences = [["the", "Straße", "in", "Paris"], ["日本", "in", "the", "Straße"]] * 3
    made = models.FastText(sentences, vector_size=5, min_count=1, bucket=300, epochs=1, workers=1, seed=1)
    facebook.save_facebook_model(made, str(tmp_path / "model.bin"))
    vectors = read_vectors(tmp_path / "model.bin")
    assert vectors.subwords == (3, 6, 300)
    for word in vectors.words:
        np.testing.assert_allclose(vectors.matrix[vectors.rows[word]], made.wv[word], rtol=1e-4, atol=1e-7)
    others = ["unseen", "Wörter", "東京"]
    np.testing.assert_allclose(subword_vectors(others, vectors), [made.wv[w] for w in others], rtol=1e-4, atol=1e-7)


@pytest.mark.filterwarnings("ignore::seqtag.errors.DataWarning")
def test_damage_of_any_kind_is_a_fault_of_the_data(tmp_path):
    whole, rng, path = model(WORDS, OWN, BUCKETS), np.random.default_rng(7), tmp_path / "model.bin"
    told = set()
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, 200, 2):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            read_words(path)
        except DataError as error:
            told.add(str(error))
    assert len(told) > 5
