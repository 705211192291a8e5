"""Windows of long sentences: every token is taken from one of them, and entities are not cut where that can be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqtag.data.text.word_features import WordFeatures
from seqtag.tagging.data.encoding import EncodedCorpus, EncodedTags
from seqtag.tagging.data.windows import LONGEST, OVERLAP, WINDOW, Window, in_pieces, kept_parts, windowed, windows_of

# O, B, I, E
BEGINS = np.array([True, True, False, False])


@given(st.integers(WINDOW + 1, 20 * WINDOW))
def test_windows_cover_a_sentence_and_share_what_they_should(length):
    windows = windows_of(length)
    assert windows[0].start == 0 and windows[-1].stop == length
    for left, right in pairwise(windows):
        assert left.stop - right.start == OVERLAP
        assert left.stop - left.start == WINDOW
    assert OVERLAP < windows[-1].stop - windows[-1].start <= WINDOW


def test_a_whole_sentence_is_longer_than_a_window():
    assert LONGEST > WINDOW > 2 * OVERLAP


@given(st.integers(0, 10**6))
def test_parts_are_the_sentence_and_keep_their_distance_from_the_ends(seed):
    source = np.random.default_rng(seed)
    windows = windows_of(int(source.integers(WINDOW + 1, 5 * WINDOW)))
    labels = [source.integers(0, 4, stop - start) for start, stop in windows]
    parts = kept_parts(windows, labels, BEGINS)
    assert [parts[0].start, parts[-1].stop] == [windows[0].start, windows[-1].stop]
    for (left, right), (one, other) in zip(pairwise(windows), pairwise(parts), strict=True):
        assert right.start < one.stop == other.start < left.stop


def cut_of(left: list[int], right: list[int]) -> int:
    """Where two windows that share as many tokens are cut, counted from the first shared one."""
    size = len(left)
    windows = [Window(0, 10 + size), Window(10, 30 + size)]
    labels = [np.array([0] * 10 + left), np.array(right + [0] * 20)]
    return kept_parts(windows, labels, BEGINS)[0].stop - 10


@pytest.mark.parametrize(
    ("left", "right", "cut"),
    [
        ([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], 3),  # the middle
        ([0, 0, 1, 2, 3, 0], [0, 0, 1, 2, 3, 0], 2),  # before the entity, not in it
        ([0, 1, 3, 1, 3, 0], [0, 1, 3, 1, 3, 0], 3),  # between two entities
        ([1, 2, 2, 2, 2, 3], [1, 2, 2, 2, 2, 3], 3),  # an entity as long as that goes on in both
        ([0, 0, 0, 0, 0, 0], [2, 3, 0, 0, 0, 0], 3),
        ([0, 0, 0, 1, 3, 0], [0, 0, 0, 0, 0, 0], 2),  # not at a token on which they differ
        ([0, 1, 0, 1, 0, 0], [1, 0, 1, 0, 0, 0], 5),
    ],
)
def test_windows_meet_where_both_say_the_same_and_no_entity_goes_on(left, right, cut):
    assert cut_of(left, right) == cut


@pytest.mark.parametrize("columns", [False, True])
def test_windows_of_a_sentence_are_cut_out_of_it(columns):
    rows = tf.ragged.constant([[7, 7], [0, 1, 2, 3, 4], []], dtype=tf.int32)
    further = tf.ragged.constant([[[1, 1]] * 2, [[n, -n] for n in range(5)], []], ragged_rank=1, dtype=tf.int32)
    features = WordFeatures(*[tf.zeros([8])] * 5)
    tags = (EncodedTags(rows, None),)
    corpus = EncodedCorpus(features, rows, further if columns else None, tags, np.array([2, 5, 0]))
    parts = windowed(corpus, 1, [Window(0, 3), Window(2, 5)])
    assert parts.word_rows.to_list() == [[0, 1, 2], [2, 3, 4]]
    assert parts.lengths.tolist() == [3, 3] and parts.features is features
    if columns:
        assert parts.columns.to_list() == [[[0, 0], [1, -1], [2, -2]], [[2, -2], [3, -3], [4, -4]]]


def corpus_of(*sentences: list[int]) -> EncodedCorpus:
    """A corpus with these tags, in which each token is another word and has a further column."""
    lengths = np.array([len(tags) for tags in sentences])
    words = np.arange(lengths.sum(), dtype=np.int32)
    ragged = [tf.RaggedTensor.from_row_lengths(flat, lengths) for flat in (words, -words[:, None])]
    tags = tf.RaggedTensor.from_row_lengths(np.concatenate(sentences).astype(np.int32), lengths)
    return EncodedCorpus(WordFeatures(*[tf.zeros([8])] * 5), *ragged, (EncodedTags(tags, None),), lengths)


def test_long_sentences_are_trained_on_in_pieces_that_cut_no_entity():
    source = np.random.default_rng(4)
    entities = [[1, *[2] * source.integers(0, 4), 3] if source.random() < 0.6 else [0] for _ in range(9_000)]
    tags = [tag for entity in entities for tag in entity]
    tags[2_000:2_100] = [-1] * 100
    corpus = corpus_of([0, 1, 3], tags, [0] * LONGEST)
    pieces = in_pieces(corpus, BEGINS)
    assert pieces.lengths[0] == 3 and pieces.lengths[-1] == LONGEST, "only the long one"
    assert pieces.lengths[1:-1].max() <= WINDOW and pieces.lengths[1:-2].min() > WINDOW - 10
    for before, after in (
        (corpus.word_rows, pieces.word_rows),
        (corpus.columns, pieces.columns),
        (corpus.tags[0].indices, pieces.tags[0].indices),
    ):
        np.testing.assert_array_equal(after.flat_values, before.flat_values)
        np.testing.assert_array_equal(after.row_lengths(), pieces.lengths)
    assert all(row[0] < 2 for row in pieces.tags[0].indices.to_list())


def test_an_entity_longer_than_a_piece_is_cut():
    tags = [1, *[2] * LONGEST, 3]
    pieces = in_pieces(corpus_of(tags), BEGINS)
    assert pieces.lengths.tolist() == [WINDOW] * (len(tags) // WINDOW) + [len(tags) % WINDOW]


def test_other_corpora_are_trained_on_as_they_are():
    corpus = corpus_of([0] * LONGEST, [])
    assert in_pieces(corpus, BEGINS) is corpus
