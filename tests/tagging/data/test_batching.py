from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder, count_characters, count_words
from seqtag.tagging.data.batching import batch_dataset, encode_corpus, padding_share, plan_batches

SENTENCES = [["a", "bb", "a"], ["ccc"], [], ["bb", "dddd", "a", "ccc", "zz"]]


@pytest.fixture
def encoder():
    tokens = [token for sentence in SENTENCES for token in sentence]
    return WordEncoder(count_words(tokens), count_characters(tokens), num_buckets=50)


@given(st.lists(st.integers(0, 300), max_size=80), st.integers(1, 400), st.one_of(st.none(), st.integers(0, 10)))
@settings(max_examples=60, deadline=None)
def test_batches_hold_every_sentence_once_within_the_budget(lengths, budget, seed):
    lengths = np.array(lengths, int)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = plan_batches(lengths, budget, rng)
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget


def test_padding_stays_under_a_tenth():
    lengths = np.random.default_rng(0).geometric(1 / 18, 5000)
    batches = plan_batches(lengths, 800, np.random.default_rng(1))
    assert padding_share(lengths, batches) < 0.10


def test_shuffling_changes_the_batches_and_repeats_by_seed():
    lengths = np.random.default_rng(0).integers(1, 40, 300)
    first, again, other = (plan_batches(lengths, 200, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert {tuple(sorted(b)) for b in first} != {tuple(sorted(b)) for b in other}


def test_a_batch_is_the_sentences_padded(encoder):
    tags = [[n] * len(sentence) for n, sentence in enumerate(SENTENCES)]
    columns = [[[token.upper() for token in sentence] for sentence in SENTENCES]]
    vocabulary = Vocabulary(["A", "BB", "CCC"])
    corpus = encode_corpus(SENTENCES, encoder, columns, [vocabulary], tags)
    batch = {name: value.numpy() for name, value in corpus.batch(np.array([3, 0, 2])).items()}
    assert batch["lengths"].tolist() == [5, 3, 0]
    words = batch["words"][batch["tokens"]]
    expected = [[encoder.words.index(token) for token in SENTENCES[n]] for n in (3, 0, 2)]
    assert [row[:length].tolist() for row, length in zip(words, batch["lengths"], strict=True)] == expected
    assert batch["tags"].tolist() == [[3] * 5, [0, 0, 0, -1, -1], [-1] * 5]
    assert batch["columns"][1, :, 0].tolist() == [2, 3, 2, 0, 0]
    assert batch["chars"].shape == (5, 4), "one row for each distinct word, cut to the longest of them"
    assert len(batch["words"]) == len({token for n in (3, 0, 2) for token in SENTENCES[n]})


def test_the_dataset_asks_for_a_new_plan_every_pass(encoder):
    corpus = encode_corpus(SENTENCES, encoder)
    plans = iter([[np.array([0]), np.array([1, 2])], [np.array([3])]])
    dataset = batch_dataset(corpus, lambda: next(plans))
    assert [batch["lengths"].numpy().tolist() for batch in dataset] == [[3], [1, 0]]
    assert [batch["lengths"].numpy().tolist() for batch in dataset] == [[5]]


def test_an_empty_corpus_and_an_empty_sentence(encoder):
    assert plan_batches(np.array([], int), 10) == []
    batch = encode_corpus([[]], encoder).batch(tf.constant([0]))
    assert batch["tokens"].shape == (1, 0)
    assert batch["words"].shape == (0,)
