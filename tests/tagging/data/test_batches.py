from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder, count_characters, count_words
from seqtag.tagging.data.batches import TaggedBatches, assemble_batch, batch_of, padding_share, plan_batches, tags_of
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.encoding import encode_corpus

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


def inputs(columns=False):
    return [TaggerInput(tokens, [[t.upper() for t in tokens]] if columns else ()) for tokens in SENTENCES]


def test_a_batch_is_the_sentences_padded(encoder):
    tags = [[n] * len(sentence) for n, sentence in enumerate(SENTENCES)]
    vocabulary = Vocabulary(["A", "BB", "CCC"])
    corpus = encode_corpus(inputs(columns=True), encoder, [vocabulary], [(tags, np.eye(9))])
    batch = {name: value.numpy() for name, value in batch_of(corpus, np.array([3, 0, 2])).items()}
    assert batch["lengths"].tolist() == [5, 3, 0]
    words = batch["words"][batch["word_rows"]]
    expected = [[encoder.words.index(token) for token in SENTENCES[n]] for n in (3, 0, 2)]
    assert [row[:length].tolist() for row, length in zip(words, batch["lengths"], strict=True)] == expected
    [tags] = tags_of(corpus, np.array([3, 0, 2]))
    assert tags.numpy().tolist() == [[3] * 5, [0, 0, 0, -1, -1], [-1] * 5]
    assert batch["columns"][1, :, 0].tolist() == [2, 3, 2, 0, 0]
    assert batch["chars"].shape == (5, 4), "one row for each distinct word, cut to the longest of them"
    assert len(batch["words"]) == len({token for n in (3, 0, 2) for token in SENTENCES[n]})


def test_strings_and_an_encoded_corpus_give_the_same_batch(encoder):
    chosen = [3, 0, 2]
    of_strings = assemble_batch(tf.ragged.constant([SENTENCES[n] for n in chosen]), encoder)
    of_corpus = batch_of(encode_corpus(inputs(), encoder), np.array(chosen))
    assert list(of_strings) == list(of_corpus)
    for name, value in of_corpus.items():
        np.testing.assert_array_equal(of_strings[name], value)


def test_the_dataset_goes_on_from_any_step_with_a_new_plan_every_pass(encoder):
    tags = [[0] * len(sentence) for sentence in SENTENCES]
    stream = TaggedBatches(encode_corpus(inputs(), encoder, tags=[(tags, np.eye(1))]), token_budget=6, seed=0)
    planned, lengths = stream.after(2), np.array([len(sentence) for sentence in SENTENCES])
    for batch, (targets,) in stream.dataset(first_step=2).take(5 * stream.steps):
        sentences = next(planned)
        assert batch["lengths"].numpy().tolist() == lengths[sentences].tolist()
        assert "tags" not in batch and targets.shape == batch["word_rows"].shape


def test_an_empty_corpus_and_an_empty_sentence(encoder):
    assert plan_batches(np.array([], int), 10) == []
    batch = batch_of(encode_corpus([TaggerInput([])], encoder), tf.constant([0]))
    assert batch["word_rows"].shape == (1, 0)
    assert batch["words"].shape == (0,)


@pytest.mark.parametrize("budget", [40, 150, 100_000])
def test_documents_stay_whole(budget):
    rng = np.random.default_rng(4)
    lengths, documents = rng.integers(0, 30, 200), np.sort(rng.integers(0, 50, 200))
    batches = plan_batches(lengths, budget, np.random.default_rng(1), documents)
    assert sorted(np.concatenate(batches)) == list(range(200))
    for number in set(documents):
        assert sum(number in documents[batch] for batch in batches) == 1
    for batch in batches:
        assert lengths[batch].max() * len(batch) <= budget or len(set(documents[batch])) == 1
    assert plan_batches(np.array([], int), budget, documents=np.array([], int)) == []
