"""From sentences to integers.

A corpus is encoded once: the features of its distinct words, and for each token one integer that points to them.
`seqtag.tagging.data.batches` then gathers batches from these tables, so no Python runs for each token while a model
trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder, WordFeatures
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.documents import document_parts
from seqtag.tagging.data.phrase_matcher import PhraseMatcher, with_phrases


class EncodedTags(NamedTuple):
    """The tags of sentences in one column.

    Attributes:
        indices: int32 (sentences, None) ragged, -1 where the tag is unknown.
        label_sets: (indices, labels) bool, the labels that each index stands for; None where it is one label.
    """

    indices: tf.RaggedTensor
    label_sets: np.ndarray | None


class KeptStates(NamedTuple):
    """States of a language model at the words of sentences, computed before.

    Attributes:
        table: float16 (rows, width), row 0 zeros.
        rows: int64 (sentences, None) ragged, the row of each token in `table`.
    """

    table: tf.Tensor
    rows: tf.RaggedTensor


@dataclass(frozen=True)
class EncodedCorpus:
    """Sentences as integers.

    Attributes:
        features: `WordFeatures` of the corpus's distinct words; None for frames of numbers.
        word_rows: int32 (sentences, None) ragged, the row of each token's word in `features`; None for frames.
        columns: int32 (sentences, None, columns) ragged, rows of the further columns' vocabularies, and of those of
            gazetteers; None without any.
        tags: of each column of tags; none for sentences without.
        weights: float32 (sentences,), how often each counts in training, 1 in the mean; None for all the same.
        lengths: (sentences,) NumPy array of token counts.
        forced: int32 (sentences, None) ragged, indices of tags that answers must have, -1 where they are free; None
            where all are.
        documents: (sentences,) rising numbers, equal for sentences of one part of a document; None where the network
            reads no documents.
        frames: float32 (sentences, None, columns) ragged, scaled frames; None for tokens.
        states: of a language model, where the network reads them and they were computed before.
    """

    features: WordFeatures | None
    word_rows: tf.RaggedTensor | None
    columns: tf.RaggedTensor | None
    tags: tuple[EncodedTags, ...]
    lengths: np.ndarray
    weights: np.ndarray | None = None
    forced: tf.RaggedTensor | None = None
    documents: np.ndarray | None = None
    frames: tf.RaggedTensor | None = None
    states: KeptStates | None = None


def encode_frames(
    sentences: Sequence[TaggerInput],
    scale: FrameScale,
    tags: Sequence[tuple[Iterable[Sequence[int]], np.ndarray]] = (),
) -> EncodedCorpus:
    """Scales frames of numbers.

    Args:
        sentences: sequences of frames.
        scale: of training.
        tags: see `encode_corpus`.
    """
    lengths = np.array([len(sentence.tokens) for sentence in sentences], dtype=np.int64)
    frames = scale.ragged([sentence.frames for sentence in sentences if sentence.frames is not None])
    encoded_tags = tuple(_encoded_tags(indices, label_sets, lengths) for indices, label_sets in tags)
    return EncodedCorpus(None, None, None, encoded_tags, lengths, frames=frames)


def encode_corpus(
    sentences: Sequence[TaggerInput],
    encoder: WordEncoder,
    column_vocabularies: Sequence[Vocabulary] = (),
    tags: Sequence[tuple[Iterable[Sequence[int]], np.ndarray]] = (),
    matcher: PhraseMatcher | None = None,
    with_documents: bool = False,
) -> EncodedCorpus:
    """Encodes tokenised sentences.

    Args:
        sentences: the tokens of each sentence, and the values of its further columns.
        encoder: encodes the distinct words.
        column_vocabularies: the vocabulary of each further column.
        tags: of each column of tags, the indices of each sentence, -1 where unknown, and what they stand for:
            (indices, labels) bool, the labels of each index, in the first rows one, their own.
        matcher: finds the phrases of gazetteers, whose columns come after the others.
        with_documents: whether sentences of one document stay together.
    """
    lengths = np.array([len(sentence.tokens) for sentence in sentences], dtype=np.int64)
    distinct: dict[str, int] = {}
    word_rows = [distinct.setdefault(token, len(distinct)) for sentence in sentences for token in sentence.tokens]
    features = encoder(tf.constant(list(distinct), tf.string, shape=(len(distinct),)))
    columns = None
    if column_vocabularies:
        rows = [
            vocabulary.indices(value for sentence in sentences for value in sentence.columns[n])
            for n, vocabulary in enumerate(column_vocabularies)
        ]
        columns = ragged(np.array(rows, np.int32).T, lengths)
    if matcher is not None:
        tokens = tf.constant([token for sentence in sentences for token in sentence.tokens], tf.string)
        columns = with_phrases(tf.RaggedTensor.from_row_lengths(tokens, lengths), columns, matcher)
    rows_of_words = ragged(np.array(word_rows, np.int32), lengths)
    encoded_tags = tuple(_encoded_tags(indices, label_sets, lengths) for indices, label_sets in tags)
    documents = None
    if with_documents:
        parts = document_parts((sentence.document, len(sentence.tokens)) for sentence in sentences)
        documents = np.fromiter(parts, np.int64, len(sentences))
    return EncodedCorpus(features, rows_of_words, columns, encoded_tags, lengths, documents=documents)


def _encoded_tags(indices: Iterable[Sequence[int]], label_sets: np.ndarray, lengths: np.ndarray) -> EncodedTags:
    flat = np.array([tag for sentence in indices for tag in sentence], np.int32)
    has_sets = flat.max(initial=0) >= label_sets.shape[1]
    return EncodedTags(ragged(flat, lengths), label_sets if has_sets else None)


def ragged(flat: np.ndarray, lengths: np.ndarray) -> tf.RaggedTensor:
    """The values of all tokens as those of sentences of these lengths."""
    return tf.RaggedTensor.from_row_lengths(flat, lengths, validate=False)
