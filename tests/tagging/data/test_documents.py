from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.documents import (
    LONGEST_TOGETHER,
    PART_SENTENCES,
    PART_TOKENS,
    document_parts,
    document_words,
    in_parts,
    parts_in_graph,
)


def sentences(seed, count=80):
    """Runs of documents of any size, some sentences alone, some too long for one pass."""
    rng = np.random.default_rng(seed)
    documents = np.repeat(rng.integers(0, 4, count), rng.integers(1, 12, count))[:count]
    names = [None if name == 3 else f"d{name}" for name in documents]
    lengths = np.where(rng.random(count) < 0.03, LONGEST_TOGETHER + 1, rng.integers(0, LONGEST_TOGETHER + 1, count))
    # A long list of short lines.
    return [*names, *["list"] * 600], [*lengths.tolist(), *rng.integers(0, 20, 600).tolist()]


@pytest.mark.parametrize("seed", range(6))
def test_the_graph_has_the_same_parts(seed):
    names, lengths = sentences(seed)
    expected = list(document_parts(zip(names, lengths, strict=True)))
    found = tf.function(parts_in_graph)(tf.constant([name or "" for name in names]), tf.constant(lengths, tf.int32))
    assert found.numpy().tolist() == expected
    assert len(set(expected)) > 10


@pytest.mark.parametrize("seed", range(3))
def test_parts_hold_no_more_than_they_may(seed):
    names, lengths = sentences(seed)
    parts = list(document_parts(zip(names, lengths, strict=True)))
    assert parts == sorted(parts)
    for part in set(parts):
        chosen = [n for n, number in enumerate(parts) if number == part]
        assert len({names[n] for n in chosen}) == 1
        assert sum(lengths[n] for n in chosen[:-1]) < PART_TOKENS
        assert len(chosen) <= PART_SENTENCES
        assert len(chosen) == 1 or (
            names[chosen[0]] is not None and max(lengths[n] for n in chosen) <= LONGEST_TOGETHER
        )


def test_parts_of_parts_are_the_same():
    names, lengths = sentences(9)
    inputs = [TaggerInput(["a"] * n, document=name) for name, n in zip(names, lengths, strict=True)]
    once = list(in_parts(inputs))
    assert list(in_parts(once)) == once
    cut = next(n for n in range(30, 80) if once[n].document != once[n - 1].document)
    again = [sentence.document for sentence in in_parts(once[cut:])]
    assert again == [sentence.document - once[cut].document for sentence in once[cut:]]


def test_no_sentence():
    assert parts_in_graph(tf.constant([], tf.string), tf.constant([], tf.int32)).numpy().tolist() == []
    rows = tf.RaggedTensor.from_row_lengths(tf.constant([], tf.int32), [0, 0])
    assert document_words(rows, tf.constant([0, 0])).shape == (2, 0)


def test_words_are_counted_by_document():
    rng = np.random.default_rng(3)
    lengths, documents = rng.integers(0, 9, 40), np.sort(rng.integers(0, 7, 40))
    rows = [rng.integers(0, 12, length).tolist() for length in lengths]
    found = document_words(tf.ragged.constant(rows, dtype=tf.int32), tf.constant(documents, tf.int32)).numpy()
    pairs = Counter((documents[n], word) for n, row in enumerate(rows) for word in row)
    told = {}
    for n, row in enumerate(rows):
        assert not found[n, len(row) :].any()
        for t, word in enumerate(row):
            told.setdefault(found[n, t], set()).add((documents[n], word))
    assert sorted(told) == list(range(len(pairs)))
    assert all(len(of_number) == 1 for of_number in told.values())
