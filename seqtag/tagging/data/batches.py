"""Batches of sentences: how one is assembled, which sentences go together, and the stream that a tagger trains on.

`assemble_batch` makes every batch there is: of encoded sentences in training and prediction, and of strings in the
exported SavedModel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count, islice

import numpy as np
import tensorflow as tf

from seqtag.data.text.word_features import WordFeatures
from seqtag.tagging.data.encoding import EncodedCorpus

Batch = dict[str, tf.Tensor]

# Sentences are sorted by length with this much noise: batches differ from epoch to epoch, padding stays small.
LENGTH_NOISE = 0.05


def assemble_batch(
    words: tf.RaggedTensor,
    features_of: Callable[[tf.Tensor], WordFeatures],
    columns: tf.RaggedTensor | None = None,
    tags: tf.RaggedTensor | None = None,
) -> Batch:
    """A padded batch of sentences; a pure graph function.

    Args:
        words: (batch, None) ragged, equal for equal words: strings, or row numbers.
        features_of: the features of a vector of distinct words.
        columns: int32 (batch, None, columns) ragged, rows of the further columns' vocabularies.
        tags: int32 (batch, None) ragged, -1 where unknown.

    Returns:
        `words`, `chars`, `buckets`, `vectors`: the features of the batch's distinct words, with the characters and the
        rows of vectors cut to the word that has most; `word_rows` (batch, time): the row of each token's word in them;
        `lengths` (batch,); and `columns`, `tags` (batch, time; tags are padded by -1) where there are any.
    """
    distinct, rows = tf.unique(words.flat_values)
    features = features_of(distinct)
    batch = {
        "words": features.words,
        "chars": _without_padding(features.chars),
        "buckets": features.buckets,
        "vectors": _without_padding(features.vectors),
        "word_rows": words.with_flat_values(rows).to_tensor(),
        "lengths": tf.cast(words.row_lengths(), tf.int32),
    }
    if columns is not None:
        batch["columns"] = columns.to_tensor()
    if tags is not None:
        batch["tags"] = tags.to_tensor(-1)
    return batch


def _without_padding(rows: tf.Tensor) -> tf.Tensor:
    """The rows of words, without the columns that are 0 for all of them; one column stays."""
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(rows != 0, tf.int32), axis=1))
    return rows[:, : tf.maximum(longest, 1)]


def batch_of(corpus: EncodedCorpus, sentences: tf.Tensor) -> Batch:
    """The batch of the sentences with these indices; a pure graph function.

    Where the corpus has sets of labels, `tags` is `(batch, time, labels)` bool: those that each token may have. Where
    it has weights, so has the batch: `weights (batch,)`.
    """

    def gathered(table: tf.RaggedTensor | None) -> tf.RaggedTensor | None:
        return None if table is None else tf.gather(table, sentences)

    def features_of(words: tf.Tensor) -> WordFeatures:
        return WordFeatures(*(tf.gather(feature, words) for feature in corpus.features))

    batch = assemble_batch(
        tf.gather(corpus.word_rows, sentences), features_of, gathered(corpus.columns), gathered(corpus.tags)
    )
    if corpus.label_sets is not None:
        tags = batch["tags"]
        known = tf.gather(tf.constant(corpus.label_sets), tf.maximum(tags, 0))
        batch["tags"] = known | (tags < 0)[..., None]
    if corpus.weights is not None:
        batch["weights"] = tf.gather(tf.constant(corpus.weights), sentences)
    return batch


def plan_batches(lengths: np.ndarray, token_budget: int, rng: np.random.Generator | None = None) -> list[np.ndarray]:
    """Groups sentences of similar length so that a padded batch holds at most `token_budget` tokens.

    A sentence longer than the budget is a batch by itself: no sentence is cut or left out.

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
        return plan_batches(self.corpus.lengths, self.token_budget, np.random.default_rng([self.seed, number]))

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream without its first batches, as Keras's `fit` takes it."""
        spec = tf.TensorSpec((None,), tf.int64)
        indices = tf.data.Dataset.from_generator(lambda: self.after(first_step), output_signature=spec)
        batches = indices.map(lambda sentences: batch_of(self.corpus, sentences), num_parallel_calls=1)
        return batches.prefetch(2).map(split_tags)

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The sentences of each batch, without the first `steps` batches."""
        return islice(chain.from_iterable(map(self._pass, count())), steps, None)


def split_tags(batch: Batch) -> tuple[Batch, tf.Tensor] | tuple[Batch, tf.Tensor, tf.Tensor]:
    """A batch as Keras's `fit` takes it: the inputs, the tags and, where there are any, the weights of sentences."""
    inputs = dict(batch)
    told = [inputs.pop(name) for name in ("tags", "weights") if name in inputs]
    return (inputs, *told)
