"""Batches of sentences: how one is assembled, which sentences go together, and the stream that a tagger trains on.

`assemble_batch` makes every batch there is: of encoded sentences in training and prediction, and of strings in the
exported SavedModel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.length_batches import batches_by_length
from seqtag.data.text.word_batches import Batch, word_batch
from seqtag.data.text.word_features import WordFeatures
from seqtag.models.language_network.word_states import STATES
from seqtag.tagging.data.documents import document_words
from seqtag.tagging.data.encoding import EncodedCorpus, EncodedTags


def assemble_batch(
    words: tf.RaggedTensor,
    features_of: Callable[[tf.Tensor], WordFeatures],
    columns: tf.RaggedTensor | None = None,
    documents: tf.Tensor | None = None,
) -> Batch:
    """A padded batch of sentences; a pure graph function.

    Args:
        words: (batch, None) ragged, equal for equal words: strings, or row numbers.
        features_of: the features of a vector of distinct words.
        columns: int32 (batch, None, columns) ragged, rows of the further columns' vocabularies.
        documents: int32 (batch,), equal for sentences of one document, where the network reads that.

    Returns:
        What `word_batch` gives; `columns` (batch, time, columns) where there are any; and of documents `document_words`
        (batch, time), see the function of this name.
    """
    batch, rows = word_batch(words, features_of)
    if columns is not None:
        batch["columns"] = columns.to_tensor()
    if documents is not None:
        batch["document_words"] = document_words(rows, documents)
    return batch


def batch_of(corpus: EncodedCorpus, sentences: tf.Tensor) -> Batch:
    """The batch of the sentences with these indices, without their tags; a pure graph function.

    With states of a language model that were computed before, it has `language_states (batch, time, width)`, 0 at
    padding. Where tags are forced on some, it has `forced (batch, time)` int32, their indices, -1 where they are free.
    """
    if corpus.frames is not None:
        batch = frame_batch(tf.gather(corpus.frames, sentences))
    else:
        batch = _token_batch(corpus, sentences)
    if corpus.states is not None:
        batch[STATES] = tf.gather(corpus.states.table, tf.gather(corpus.states.rows, sentences).to_tensor(0))
    if corpus.forced is not None:
        batch["forced"] = tf.gather(corpus.forced, sentences).to_tensor(-1)
    return batch


def frame_batch(frames: tf.RaggedTensor) -> Batch:
    """A padded batch of scaled frames, float32 (batch, None, columns) ragged; a pure graph function.

    Returns:
        `frames` (batch, time, columns), 0 at padding, and `lengths` (batch,).
    """
    return {"frames": frames.to_tensor(), "lengths": tf.cast(frames.row_lengths(), tf.int32)}


def _token_batch(corpus: EncodedCorpus, sentences: tf.Tensor) -> Batch:
    table, word_rows = corpus.features, corpus.word_rows
    assert table is not None and word_rows is not None

    def features_of(words: tf.Tensor) -> WordFeatures:
        return WordFeatures(*(tf.gather(feature, words) for feature in table))

    columns = None if corpus.columns is None else tf.gather(corpus.columns, sentences)
    documents = None if corpus.documents is None else tf.gather(tf.constant(corpus.documents, tf.int32), sentences)
    return assemble_batch(tf.gather(word_rows, sentences), features_of, columns, documents)


def tags_of(corpus: EncodedCorpus, sentences: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """The tags of the sentences with these indices, of each column of tags; a pure graph function.

    They are `(batch, time)` int32, -1 where unknown and at padding. Where a column has sets of labels, they are
    `(batch, time, labels)` bool: those that each token may have.
    """
    return tuple(_tags_of(column, sentences) for column in corpus.tags)


def _tags_of(column: EncodedTags, sentences: tf.Tensor) -> tf.Tensor:
    indices = tf.gather(column.indices, sentences).to_tensor(-1)
    if column.label_sets is None:
        return indices
    return allowed_labels(indices, column.label_sets)


def allowed_labels(indices: tf.Tensor, label_sets: np.ndarray) -> tf.Tensor:
    """The labels that each token may have, `(batch, time, labels)` bool, all of them where its index is negative.

    Args:
        indices: int32 `(batch, time)`.
        label_sets: (indices, labels) bool, the labels that each index stands for.
    """
    return tf.gather(tf.constant(label_sets), tf.maximum(indices, 0)) | (indices < 0)[..., None]


def plan_batches(
    lengths: np.ndarray,
    token_budget: int,
    rng: np.random.Generator | None = None,
    documents: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Groups sentences of similar length so that a padded batch holds at most `token_budget` tokens.

    A sentence longer than the budget is a batch by itself: no sentence is cut or left out. Documents stay whole: those
    whose longest sentences are alike go together.

    Args:
        lengths: (sentences,) tokens in each sentence.
        token_budget: the most tokens in a batch, padding counted.
        rng: shuffles the order within a twentieth of a length, and the batches; None keeps both sorted.
        documents: (sentences,) rising numbers, equal for sentences that go together; None for none that must.

    Returns:
        Index arrays; together they hold every sentence once.

    Example:

        >>> [batch.tolist() for batch in plan_batches(np.array([5, 1, 2, 9, 1]), token_budget=6)]
        [[1, 4, 2], [0], [3]]
    """
    lengths = np.asarray(lengths)
    if documents is None:
        return batches_by_length(lengths, token_budget, rng)
    starts = np.flatnonzero(np.diff(documents, prepend=-1))
    sentences = np.split(np.arange(len(lengths)), starts[1:])
    longest = np.maximum.reduceat(lengths, starts) if len(lengths) else lengths
    batches = batches_by_length(longest, token_budget, rng, rows=np.diff([*starts, len(lengths)]))
    return [np.concatenate([sentences[document] for document in batch]) for batch in batches]


def padding_share(lengths: np.ndarray, batches: Sequence[np.ndarray]) -> float:
    """The share of padded positions among all positions of the batches."""
    positions = sum(len(batch) * int(max(1, lengths[batch].max())) for batch in batches)
    return 1 - float(np.sum(lengths)) / positions if positions else 0.0


class TaggedBatches:
    """An endless stream of batches of tagged sentences: pass after pass over the corpus, each in another order.

    How many batches a pass has depends on its order. Keras takes the number of the first epoch for all epochs, and
    would leave out what a longer pass has more. An epoch is therefore a fixed number of steps, `steps`, of one stream.

    Args:
        corpus: the sentences with their tags.
        token_budget: the most tokens in a batch.
        seed: decides the order of each pass, together with the number of the pass.
    """

    unit = "tokens"

    def __init__(self, corpus: EncodedCorpus, token_budget: int, seed: int) -> None:
        self.corpus = corpus
        self.token_budget = token_budget
        self.seed = seed
        self.steps = len(self._pass(0))
        self.items = int(corpus.lengths.sum())

    def _pass(self, number: int) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, number])
        return plan_batches(self.corpus.lengths, self.token_budget, rng, self.corpus.documents)

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream without its first batches, as Keras's `fit` takes it."""
        spec = tf.TensorSpec((None,), tf.int64)
        indices = tf.data.Dataset.from_generator(lambda: self.after(first_step), output_signature=spec)
        return indices.map(self._examples, num_parallel_calls=1).prefetch(2)

    def _examples(self, sentences: tf.Tensor) -> tuple[Any, ...]:
        """What Keras's `fit` takes: a batch, its tags and, where there are any, the weights of its sentences."""
        examples = batch_of(self.corpus, sentences), tags_of(self.corpus, sentences)
        weights = self.corpus.weights
        return examples if weights is None else (*examples, tf.gather(tf.constant(weights), sentences))

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The sentences of each batch, without the first `steps` batches."""
        return islice(chain.from_iterable(map(self._pass, count())), steps, None)
