"""From sentences to integers.

A corpus is encoded once: the features of its distinct words, and for each token one integer that points to them.
`seqtag.tagging.data.batches` then gathers batches from these tables, so no Python runs for each token while a model
trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder, WordFeatures
from seqtag.tagging.data.corpus import TaggerInput


@dataclass(frozen=True)
class EncodedCorpus:
    """Sentences as integers.

    Attributes:
        features: `WordFeatures` of the corpus's distinct words.
        word_rows: int32 (sentences, None) ragged, the row of each token's word in `features`.
        columns: int32 (sentences, None, columns) ragged, rows of the further columns' vocabularies; None without any.
        tags: int32 (sentences, None) ragged, -1 where the tag is unknown; None when the corpus has no tags.
        weights: float32 (sentences,), how often each counts in training, 1 in the mean; None for all the same.
        label_sets: (indices, labels) bool, the labels that each index of `tags` stands for; None where it is one label.
        lengths: (sentences,) NumPy array of token counts.
    """

    features: WordFeatures
    word_rows: tf.RaggedTensor
    columns: tf.RaggedTensor | None
    tags: tf.RaggedTensor | None
    lengths: np.ndarray
    weights: np.ndarray | None = None
    label_sets: np.ndarray | None = None


def encode_corpus(
    sentences: Sequence[TaggerInput],
    encoder: WordEncoder,
    column_vocabularies: Sequence[Vocabulary] = (),
    tags: Iterable[Sequence[int]] | None = None,
    label_sets: np.ndarray | None = None,
) -> EncodedCorpus:
    """Encodes tokenised sentences.

    Args:
        sentences: the tokens of each sentence, and the values of its further columns.
        encoder: encodes the distinct words.
        column_vocabularies: the vocabulary of each further column.
        tags: tag indices of each sentence, -1 where unknown.
        label_sets: (indices, labels) bool, the labels that each index stands for: in the first rows one, their own.
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
        columns = _ragged(np.array(rows, np.int32).T, lengths)
    encoded_tags = used_sets = None
    if tags is not None:
        flat = np.array([tag for sentence in tags for tag in sentence], np.int32)
        encoded_tags = _ragged(flat, lengths)
        if label_sets is not None and flat.max(initial=0) >= label_sets.shape[1]:
            used_sets = label_sets
    rows_of_words = _ragged(np.array(word_rows, np.int32), lengths)
    return EncodedCorpus(features, rows_of_words, columns, encoded_tags, lengths, label_sets=used_sets)


def _ragged(flat: np.ndarray, lengths: np.ndarray) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_row_lengths(flat, lengths, validate=False)
