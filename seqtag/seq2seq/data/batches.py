"""Batches of sources and targets: how one is assembled, which pairs go together, and the stream of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.text.symbols import END, SymbolCoder
from seqtag.data.text.vocabulary import UNKNOWN

Batch = dict[str, tf.Tensor]

# About so many updates an epoch, in batches of no fewer and no more symbols.
UPDATES, BATCH_SYMBOLS = 100, (250, 3000)


@dataclass(frozen=True)
class Coders:
    """What turns texts into rows.

    Attributes:
        source: of the sources; None for frames.
        target: of the targets.
        features: of the further columns of a source.
        copies: whether targets may take symbols from the source.
    """

    source: SymbolCoder | None
    target: SymbolCoder
    features: Sequence[SymbolCoder] = ()
    copies: bool = False

    @property
    def source_kind(self) -> str:
        """What a source consists of."""
        return "frames" if self.source is None else self.source.kind

    @property
    def trackable(self) -> list:
        """The lookup tables."""
        coders = [self.target, *self.features, *([] if self.source is None else [self.source])]
        return [table for coder in coders for table in coder.trackable]


@dataclass(frozen=True)
class Symbols:
    """Pairs as symbols.

    Attributes:
        sources: strings `(pairs, None)`, or frames `(pairs, None, features)` in float32.
        features: strings `(pairs, features)`.
        targets: strings `(pairs, None)`; None where there are none.
    """

    sources: tf.RaggedTensor
    features: tf.Tensor
    targets: Any = None

    @property
    def source_lengths(self) -> np.ndarray:
        """The number of symbols or frames of each source."""
        return self.sources.row_lengths().numpy()

    def __len__(self) -> int:
        return int(self.sources.nrows())


def assemble_batch(
    sources: tf.RaggedTensor, features: tf.Tensor, coders: Coders, targets: tf.RaggedTensor | None = None
) -> Batch:
    """A padded batch; a pure graph function.

    Args:
        sources: strings `(batch, None)`, or frames `(batch, None, features)`.
        features: strings `(batch, features)`.
        coders: what turns strings into rows.
        targets: strings `(batch, None)`.

    Returns:
        `source (batch, steps)` int32, or `frames (batch, steps, features)`; `source_lengths (batch,)`; `features
        (batch, features)`, where there are any; with copying `copied (batch, steps)`, the row that copying each source
        symbol gives, which for an unknown symbol is the vocabulary's size and the first place of the symbol; and
        `target (batch, time)` with the end, and `target_lengths (batch,)`, which count it.
    """
    batch = {"source_lengths": tf.cast(sources.row_lengths(), tf.int32)}
    if coders.source is None:
        batch["frames"] = _padded(sources.to_tensor())
    else:
        batch["source"] = _padded(coders.source.rows(sources).to_tensor())
    if coders.features:
        columns = [tf.RaggedTensor.from_tensor(features[:, n : n + 1]) for n in range(len(coders.features))]
        # With its shape, since no row at all would have no column.
        shape = (None, 1)
        rows = [
            coder.rows(column).to_tensor(shape=shape) for coder, column in zip(coders.features, columns, strict=True)
        ]
        batch["features"] = tf.concat(rows, axis=1)
    if coders.copies:
        copied = _padded(sources.to_tensor(""))
        batch["copied"] = _copied_rows(copied, coders.target)
    if targets is not None:
        rows = coders.target.rows(targets)
        if coders.copies:
            rows = _with_copies(rows, targets, copied, batch["copied"])
        ended = tf.concat([rows, tf.fill([rows.nrows(), 1], END)], axis=1)
        batch["target"] = ended.to_tensor(END)
        batch["target_lengths"] = tf.cast(ended.row_lengths(), tf.int32)
    return batch


def _padded(values: tf.Tensor) -> tf.Tensor:
    """Values with one step at least, which a recurrence needs."""
    missing = tf.cast(tf.shape(values)[1] == 0, tf.int32)
    return tf.pad(values, [[0, 0], [0, missing], *[[0, 0]] * (values.shape.rank - 2)])


def _copied_rows(symbols: tf.Tensor, coder: SymbolCoder) -> tf.Tensor:
    """The row that copying each source symbol gives, `(batch, steps)`."""
    rows = coder.rows(tf.RaggedTensor.from_tensor(symbols)).to_tensor()
    same = symbols[:, :, None] == symbols[:, None]
    first = tf.argmax(tf.cast(same, tf.int32), axis=-1, output_type=tf.int32)
    return tf.where(rows == UNKNOWN, len(coder.vocabulary) + first, rows)


def _with_copies(
    rows: tf.RaggedTensor, targets: tf.RaggedTensor, sources: tf.Tensor, copied: tf.Tensor
) -> tf.RaggedTensor:
    """The rows of targets, in which an unknown symbol that the source has is that of its copy."""
    of = tf.gather(sources, rows.value_rowids())
    same = (of == targets.flat_values[:, None]) & (of != "")
    place = tf.argmax(tf.cast(same, tf.int32), axis=-1, output_type=tf.int32)
    copies = tf.gather(tf.gather(copied, rows.value_rowids()), place, batch_dims=1)
    unknown = (rows.flat_values == UNKNOWN) & tf.reduce_any(same, axis=-1)
    return rows.with_flat_values(tf.where(unknown, copies, rows.flat_values))


def plan_batches(
    sources: np.ndarray, targets: np.ndarray, symbol_budget: int, rng: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Groups pairs of similar lengths so that a padded batch holds at most `symbol_budget` symbols of both sides.

    Pairs are sorted by the length of their targets, within one by that of their sources, which rises and falls in turn:
    neighbours are alike on both sides. A pair longer than the budget is a batch by itself.

    Args:
        sources, targets: the lengths of each pair's sides.
        symbol_budget: the most symbols in a batch, padding counted.
        rng: shuffles pairs of the same lengths, and the batches; None keeps both sorted.

    Returns:
        Index arrays; together they hold every pair once.

    >>> [batch.tolist() for batch in plan_batches(np.array([1, 9, 2, 8]), np.array([1, 1, 1, 2]), symbol_budget=22)]
    [[0, 2], [1, 3]]
    """
    noise = np.zeros(len(sources)) if rng is None else rng.uniform(0, 1, len(sources))
    falls = np.where(targets % 2 == 1, 1, -1)
    order = np.lexsort((noise, sources * falls, targets))
    batches, start, longest = [], 0, np.zeros(2, int)
    for stop, pair in enumerate(order):
        longer = np.maximum(longest, (sources[pair], targets[pair]))
        if stop > start and longer.sum() * (stop + 1 - start) > symbol_budget:
            batches.append(order[start:stop])
            start, longer = stop, np.array((sources[pair], targets[pair]))
        longest = longer
    if len(order):
        batches.append(order[start:])
    if rng is not None:
        rng.shuffle(batches)
    return batches


class PairBatches:
    """An endless stream of batches of pairs: pass after pass over the data, each in another order.

    An epoch is a fixed number of steps of one stream, so that a resumed run sees the batches of an uninterrupted one.

    Args:
        symbols: the pairs, with targets.
        coders: what turns them into rows.
        symbol_budget: the most symbols in a batch; None for a hundredth of all, from 250 to 3000, so that few pairs
            make several updates an epoch too.
        seed: decides the order of each pass, together with the number of the pass.
    """

    unit = "symbols"

    def __init__(self, symbols: Symbols, coders: Coders, symbol_budget: int | None, seed: int) -> None:
        if symbols.targets is None:
            raise ValueError("expected pairs with targets, found none")
        self.symbols = symbols
        self.coders = coders
        self.seed = seed
        self._lengths = symbols.source_lengths, symbols.targets.row_lengths().numpy() + 1
        self.items = int(sum(map(np.sum, self._lengths)))
        self.symbol_budget = symbol_budget or int(np.clip(self.items // UPDATES, *BATCH_SYMBOLS))
        self.steps = len(self._pass(0))

    def _pass(self, number: int) -> list[np.ndarray]:
        return plan_batches(*self._lengths, self.symbol_budget, np.random.default_rng([self.seed, number]))

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """The stream without its first batches, as Keras's `fit` takes it."""
        spec = tf.TensorSpec((None,), tf.int64)
        indices = tf.data.Dataset.from_generator(lambda: self.after(first_step), output_signature=spec)
        return indices.map(self.batch, num_parallel_calls=1).prefetch(2)

    def batch(self, pairs: tf.Tensor) -> Batch:
        """The batch of the pairs with these indices; a pure graph function."""
        return gathered(self.symbols, pairs, self.coders)

    def after(self, steps: int) -> Iterator[np.ndarray]:
        """The pairs of each batch, without the first `steps` batches."""
        return islice(chain.from_iterable(map(self._pass, count())), steps, None)


def gathered(symbols: Symbols, pairs: tf.Tensor, coders: Coders) -> Batch:
    """The batch of some pairs; a pure graph function."""
    targets = None if symbols.targets is None else tf.gather(symbols.targets, pairs)
    return assemble_batch(tf.gather(symbols.sources, pairs), tf.gather(symbols.features, pairs), coders, targets)
