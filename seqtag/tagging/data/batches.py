"""The training sentences of a tagger as an endless stream of batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, islice

import numpy as np
import tensorflow as tf

from seqtag.tagging.data.batching import EncodedCorpus, batch_dataset, plan_batches


class TaggedBatches:
    """An endless stream of batches of sentences, pass after pass over the corpus, each in another order.

    The number of batches of a pass depends on its order, but Keras takes the first epoch's for all: it would leave out
    what a longer pass has more. An epoch is therefore a fixed number of steps, `steps`, of one stream.

    Args:
        corpus: the sentences with their tags.
        token_budget: the most tokens in a batch.
        seed: with the number of the pass, decides its order.
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
        return batch_dataset(self.corpus, lambda: self.after(first_step)).map(split_tags)

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The sentences of each batch, without the first `steps` batches."""
        return islice(chain.from_iterable(map(self._pass, count())), steps, None)


def split_tags(batch: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """A batch as Keras's `fit` takes it: the inputs, and the tags."""
    return {name: value for name, value in batch.items() if name != "tags"}, batch["tags"]
