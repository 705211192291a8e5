"""The stream of batches that a classifier trains on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, islice
from typing import Protocol

import numpy as np
import tensorflow as tf

from seqtag.data.length_batches import batches_by_length
from seqtag.data.text.word_batches import Batch


class Encoded(Protocol):
    """Sequences as numbers: `EncodedTexts` or `EncodedFrames`."""

    @property
    def lengths(self) -> np.ndarray:
        """`(sequences,)`, how many steps each has."""

    def batch(self, numbers: tf.Tensor) -> Batch:
        """The batch of the sequences with these numbers, as the recurrent network reads it."""

    def full_batch(self, numbers: tf.Tensor) -> Batch:
        """The same with n-grams, where there are any."""


class LabelledBatches:
    """An endless stream of batches: pass after pass over the data, each in another order.

    An epoch is a fixed number of steps of one stream, so that a resumed run sees the batches of an uninterrupted one.

    Args:
        encoded: the sequences.
        targets: `(sequences, labels)` float32.
        budget: the most steps in a batch, padding counted.
        seed: decides the order of each pass, together with the number of the pass.
        unit: what a step is called.
    """

    def __init__(self, encoded: Encoded, targets: np.ndarray, budget: int, seed: int, unit: str) -> None:
        self.encoded = encoded
        self.targets = targets
        self.budget = budget
        self.seed = seed
        self.unit = unit
        self.steps = len(self._pass(0))
        self.items = int(encoded.lengths.sum())

    def _pass(self, number: int) -> list[np.ndarray]:
        # A sequence without steps takes room too.
        lengths = np.maximum(self.encoded.lengths, 1)
        return batches_by_length(lengths, self.budget, np.random.default_rng([self.seed, number]))

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream without its first batches, as Keras's `fit` takes it."""
        spec = tf.TensorSpec((None,), tf.int64)
        indices = tf.data.Dataset.from_generator(lambda: self.after(first_step), output_signature=spec)
        return indices.map(self._examples, num_parallel_calls=1).prefetch(2)

    def _examples(self, numbers: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        return self.encoded.batch(numbers), tf.gather(tf.constant(self.targets), numbers)

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The sequences of each batch, without the first `steps` batches."""
        return islice(chain.from_iterable(map(self._pass, count())), steps, None)
