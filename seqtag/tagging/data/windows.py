"""Sentences too long for one pass through the network, in parts: memory does not grow with their length.

A line of raw text without an end, or a file without empty lines, is one sentence of any length. Tags depend on what
stands near, so a window that reaches far enough to both sides gives the tags of its middle. Training takes pieces that
do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.tagging.data.corpus import LONGEST
from seqtag.tagging.data.encoding import EncodedCorpus

# Tokens of a window of a sentence longer than `LONGEST`, and of what two windows share.
WINDOW, OVERLAP = 1_000, 200


class Window(NamedTuple):
    """Tokens of a sentence, `stop` exclusive."""

    start: int
    stop: int


def windows_of(length: int) -> list[Window]:
    """The windows of a sentence longer than `WINDOW`; the last one is shorter.

    >>> windows_of(2000)
    [Window(start=0, stop=1000), Window(start=800, stop=1800), Window(start=1600, stop=2000)]
    """
    starts = range(0, length - OVERLAP, WINDOW - OVERLAP)
    return [Window(start, min(start + WINDOW, length)) for start in starts]


def windowed(corpus: EncodedCorpus, sentence: int, windows: list[Window]) -> EncodedCorpus:
    """The windows of one sentence as a corpus without tags."""
    starts, stops = (np.array(ends, np.int64) for ends in zip(*windows, strict=True))
    places = tf.ragged.range(starts, stops)

    def cut(table: tf.RaggedTensor) -> tf.RaggedTensor:
        return tf.gather(table[sentence], places)

    documents = None if corpus.documents is None else np.arange(len(windows))
    cut_corpus = replace(_cut_inputs(corpus, cut), lengths=stops - starts, documents=documents)
    return replace(cut_corpus, tags=(), weights=None, forced=None, states=None)


def _cut_inputs(corpus: EncodedCorpus, cut: Callable[[tf.RaggedTensor], tf.RaggedTensor]) -> EncodedCorpus:
    """The corpus with what a network reads of each token in other rows."""
    tables = {name: getattr(corpus, name) for name in ("word_rows", "columns", "frames")}
    return replace(corpus, **{name: cut(table) for name, table in tables.items() if table is not None})


def in_pieces(corpus: EncodedCorpus, begins: np.ndarray) -> EncodedCorpus:
    """A corpus to be trained on, with the long sentences in pieces of at most `WINDOW` tokens that cut no entity.

    Only an entity that is longer than a piece is cut, or one of a further column of tags.

    Args:
        corpus: sentences with their tags.
        begins: see `kept_parts`.
    """
    if not corpus.tags or not (corpus.lengths > LONGEST).any():
        return corpus
    sentences = np.split(corpus.tags[0].indices.flat_values.numpy(), np.cumsum(corpus.lengths)[:-1])
    pieces = [_piece_lengths(tags, begins) if len(tags) > LONGEST else [len(tags)] for tags in sentences]
    lengths = np.concatenate(pieces)
    counts = list(map(len, pieces))
    weights = None if corpus.weights is None else np.repeat(corpus.weights, counts)
    documents = None if corpus.documents is None else _documents_of_pieces(corpus.documents, counts)

    def cut(table: tf.RaggedTensor) -> tf.RaggedTensor:
        return tf.RaggedTensor.from_row_lengths(table.flat_values, lengths)

    tags = tuple(column._replace(indices=cut(column.indices)) for column in corpus.tags)
    return replace(_cut_inputs(corpus, cut), tags=tags, lengths=lengths, weights=weights, documents=documents)


def _documents_of_pieces(documents: np.ndarray, counts: list[int]) -> np.ndarray:
    """Rising numbers of documents where sentences are in so many pieces: a piece is one by itself."""
    begins = np.repeat(np.diff(documents, prepend=-1) > 0, counts)
    # A sentence in pieces is a document by itself, so that one begins with it and with the sentence after it.
    return np.cumsum(begins | np.repeat(np.array(counts) > 1, counts)) - 1


def _piece_lengths(tags: np.ndarray, begins: np.ndarray) -> np.ndarray:
    if len(tags) <= LONGEST:
        return np.array([len(tags)])
    cuts = [0]
    while len(tags) - cuts[-1] > WINDOW:
        following = tags[cuts[-1] + 1 : cuts[-1] + WINDOW + 1]
        clean = np.flatnonzero((following < 0) | begins[following])
        cuts.append(cuts[-1] + (1 + int(clean[-1]) if len(clean) else WINDOW))
    return np.diff([*cuts, len(tags)])


def kept_parts(windows: list[Window], labels: list[np.ndarray], begins: np.ndarray) -> list[Window]:
    """What is taken of each window: each token of the sentence from one window, as far from its ends as can be.

    The parts meet where both windows say the same of the tokens on both sides and no entity goes on: at the place of
    this kind that is nearest to the middle of what they share, at the middle itself where there is none.

    Args:
        windows: see `windows_of`.
        labels: of each window `(time,)`, what it says of its tokens.
        begins: (labels,) whether a token of this label goes on no entity of the token before.

    Returns:
        For each window the part of it, in places of the sentence.
    """
    cuts = [0]
    for n, (left, right) in enumerate(pairwise(windows)):
        before, after = labels[n][right.start - left.start :], labels[n + 1][: left.stop - right.start]
        agree = before == after
        clean = np.flatnonzero(agree[1:] & agree[:-1] & begins[after[1:]]) + 1
        middle = len(agree) // 2
        cut = clean[np.argmin(np.abs(clean - middle))] if len(clean) else middle
        cuts.append(right.start + int(cut))
    return [Window(*ends) for ends in zip(cuts, [*cuts[1:], windows[-1].stop], strict=True)]
