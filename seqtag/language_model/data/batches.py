"""Batches of a corpus for training."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import tensorflow as tf

from seqtag.data.text.vocabulary import BOUNDARY, UNKNOWN
from seqtag.language_model.data.corpus import Chunk, Corpus, chunks

# How often a symbol that occurs once is unknown while training (Lample et al. 2016, section 4.1).
SHARE_UNKNOWN = 0.5


class StreamBatches:
    """An endless stream of batches, each of which goes on where the one before ended; see `corpus.chunks`.

    Args:
        corpus: the training text.
        rows, steps: the size of a batch.
        seed: of the order and the cuts.
        singletons_from: the first of the symbols that occur once.
        epoch_symbols: after how many symbols an epoch ends; those of the whole corpus unless given.
        unit: the name of the symbols.
    """

    def __init__(
        self,
        corpus: Corpus,
        rows: int,
        steps: int,
        seed: int,
        singletons_from: int,
        epoch_symbols: int | None = None,
        unit: str = "characters",
    ) -> None:
        self.corpus = corpus
        self.rows = max(1, min(rows, corpus.targets // 2))
        self.max_steps = steps
        self.seed = seed
        self.singletons_from = singletons_from
        self.unit = unit
        wanted = epoch_symbols or corpus.targets
        self.steps = self.items = 0
        for chunk in self._chunks():
            self.steps += 1
            self.items += int(chunk.real.sum())
            if self.items >= wanted:
                break

    def _chunks(self) -> Iterator[Chunk]:
        return chunks(self.corpus, self.rows, self.max_steps, self.seed)

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Batches from this one on: `symbols, targets (rows, steps)`, `lengths (rows,)`, `fresh (rows,)`."""
        two = tf.TensorSpec([self.rows, None], tf.int32)
        specs = {
            "symbols": two,
            "targets": two,
            "lengths": tf.TensorSpec([self.rows], tf.int32),
            "fresh": tf.TensorSpec([self.rows], tf.bool),
        }
        return tf.data.Dataset.from_generator(lambda: self.batches(first_step), output_signature=(specs,)).prefetch(2)

    def batches(self, first_step: int = 0) -> Iterator[tuple[dict[str, np.ndarray]]]:
        """The batches as arrays."""
        for number, chunk in enumerate(islice(self._chunks(), first_step, None), first_step):
            random = np.random.default_rng([self.seed, number])
            yield (self._batch(chunk, random),)

    def _batch(self, chunk: Chunk, random: np.random.Generator) -> dict[str, np.ndarray]:
        places = chunk.start[:, None] + np.arange(chunk.real.max() + 1)
        read = np.arange(chunk.real.max() + 1) <= chunk.real[:, None]
        symbols = np.where(read, self.corpus.row[np.minimum(places, len(self.corpus.row) - 1)], BOUNDARY)
        rare = symbols >= self.singletons_from
        symbols = np.where(rare & (random.random(symbols.shape) < SHARE_UNKNOWN), UNKNOWN, symbols)
        return {
            "symbols": symbols[:, :-1],
            "targets": symbols[:, 1:],
            "lengths": chunk.real.astype(np.int32),
            "fresh": chunk.fresh,
        }
