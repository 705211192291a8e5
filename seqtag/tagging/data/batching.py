"""From sentences to padded batches: length buckets under a token budget, assembled in the TensorFlow graph.

A corpus is encoded once: the features of its distinct words, and one integer a token that points to them. A batch is
then a gather, so no Python touches a token while a model trains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder, WordFeatures

Batch = dict[str, tf.Tensor]

# Sentences are sorted by length with this much noise: batches differ from epoch to epoch, padding stays small.
LENGTH_NOISE = 0.05


def plan_batches(lengths: np.ndarray, token_budget: int, rng: np.random.Generator | None = None) -> list[np.ndarray]:
    """Groups sentences of like length so that a padded batch holds at most `token_budget` tokens.

    A sentence longer than the budget is a batch of its own: none is cut or left out.

    Args:
        lengths: (sentences,) tokens in each sentence.
        token_budget: the most tokens in a batch, padding counted.
        rng: shuffles the order within a twentieth of a length, and the batches; None keeps both sorted.

    Returns:
        Index arrays; together they hold every sentence once.

    Example:

        >>> [batch.tolist() for batch in plan_batches(np.array([5, 1, 2, 9, 1]), token_budget=6)]
        [[1, 4, 2], [0], [3]]
    """
    lengths = np.asarray(lengths)
    keys = lengths.astype(float)
    if rng is not None:
        keys = keys * (1 + LENGTH_NOISE * rng.uniform(-1, 1, len(keys))) + rng.uniform(0, 1, len(keys))
    order = np.argsort(keys, kind="stable")
    batches, start, longest = [], 0, 0
    for stop, sentence in enumerate(order):
        longer = max(longest, int(lengths[sentence]))
        if stop > start and longer * (stop + 1 - start) > token_budget:
            batches.append(order[start:stop])
            start, longer = stop, int(lengths[sentence])
        longest = longer
    if len(order):
        batches.append(order[start:])
    if rng is not None:
        rng.shuffle(batches)
    return batches


def padding_share(lengths: np.ndarray, batches: Sequence[np.ndarray]) -> float:
    """The share of padded positions among all positions of the batches."""
    cells = sum(len(batch) * int(max(1, lengths[batch].max())) for batch in batches)
    return 1 - float(np.sum(lengths)) / cells if cells else 0.0


@dataclass(frozen=True)
class EncodedCorpus:
    """Sentences as integers, ready to be gathered into batches.

    Attributes:
        features: `WordFeatures` of the corpus's distinct words.
        tokens: int32 (sentences, None) ragged, each token's row in `features`.
        columns: int32 (sentences, None, columns) ragged, rows of the further columns' vocabularies; None without any.
        tags: int32 (sentences, None) ragged, -1 where the tag is unknown; None when the corpus has no tags.
        lengths: (sentences,) NumPy array of token counts.
    """

    features: WordFeatures
    tokens: tf.RaggedTensor
    columns: tf.RaggedTensor | None
    tags: tf.RaggedTensor | None
    lengths: np.ndarray

    def batch(self, sentences: tf.Tensor) -> Batch:
        """The padded batch of these sentence indices; a pure graph function.

        Returns:
            `words`, `chars`, `buckets`: features of the batch's distinct words; `tokens` (batch, time): each token's
            row in them; `lengths` (batch,); and `columns`, `tags` (batch, time; tags are padded by -1) where known.
        """
        tokens = tf.gather(self.tokens, sentences)
        distinct, rows = tf.unique(tokens.flat_values)
        batch = distinct_features(self.features, distinct)
        batch["tokens"] = tokens.with_flat_values(rows).to_tensor()
        batch["lengths"] = tf.cast(tokens.row_lengths(), tf.int32)
        if self.columns is not None:
            batch["columns"] = tf.gather(self.columns, sentences).to_tensor()
        if self.tags is not None:
            batch["tags"] = tf.gather(self.tags, sentences).to_tensor(-1)
        return batch


def distinct_features(features: WordFeatures, rows: tf.Tensor) -> Batch:
    """The chosen rows of `WordFeatures`, with the characters cut to the longest word among them."""
    chars = tf.gather(features.chars, rows)
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(chars != 0, tf.int32), axis=1))
    return {
        "words": tf.gather(features.words, rows),
        "chars": chars[:, : tf.maximum(longest, 1)],
        "buckets": tf.gather(features.buckets, rows),
    }


def encode_corpus(
    sentences: Sequence[Sequence[str]],
    encoder: WordEncoder,
    columns: Sequence[Sequence[Sequence[str]]] = (),
    column_vocabularies: Sequence[Vocabulary] = (),
    tags: Iterable[Sequence[int]] | None = None,
) -> EncodedCorpus:
    """Encodes tokenised sentences.

    Args:
        sentences: the tokens of each sentence.
        encoder: encodes the distinct words.
        columns: for each further column, its values sentence by sentence.
        column_vocabularies: the vocabulary of each further column.
        tags: tag indices of each sentence, -1 where unknown.
    """
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    distinct: dict[str, int] = {}
    flat = [distinct.setdefault(token, len(distinct)) for sentence in sentences for token in sentence]
    features = encoder(tf.constant(list(distinct), tf.string, shape=(len(distinct),)))
    encoded_columns = None
    if column_vocabularies:
        rows = [
            vocabulary.indices(value for sentence in column for value in sentence)
            for column, vocabulary in zip(columns, column_vocabularies, strict=True)
        ]
        encoded_columns = _ragged(np.array(rows, np.int32).T, lengths)
    encoded_tags = None
    if tags is not None:
        encoded_tags = _ragged(np.array([tag for sentence in tags for tag in sentence], np.int32), lengths)
    return EncodedCorpus(features, _ragged(np.array(flat, np.int32), lengths), encoded_columns, encoded_tags, lengths)


def _ragged(flat: np.ndarray, lengths: np.ndarray) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_row_lengths(flat, lengths, validate=False)


def batch_dataset(corpus: EncodedCorpus, plan: Callable[[], Iterable[np.ndarray]]) -> tf.data.Dataset:
    """A dataset of batches; `plan` is asked anew for the index arrays at the start of every pass."""

    def indices() -> Iterator[np.ndarray]:
        yield from plan()

    spec = tf.TensorSpec((None,), tf.int64)
    dataset = tf.data.Dataset.from_generator(indices, output_signature=spec)
    return dataset.map(corpus.batch, num_parallel_calls=1).prefetch(2)
