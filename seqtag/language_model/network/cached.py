"""A network with its cache: one state for both, for scoring and for generation."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from seqtag.data.text.vocabulary import BOUNDARY
from seqtag.language_model.network.cache import EMPTY, Cache, Memory, cached_distribution, cached_targets
from seqtag.models.language_network.network import LanguageNetwork
from seqtag.models.language_network.readers import State

# What stands at the left of a short context.
PAD = -1


class CachedState(NamedTuple):
    """What is known after some symbols.

    Attributes:
        reader: the state of the network's layers.
        hidden: the hidden state after the last symbol `(rows, width)`, whose next symbol is not in the memory yet.
        memory: of the cache. Without a cache this and `hidden` are empty.
    """

    reader: State
    hidden: Any = ()
    memory: Memory | tuple[()] = ()


class CachedNetwork:
    """Pure graph functions around a network.

    Args:
        network: a built network.
        cache: the cache's settings.
    """

    def __init__(self, network: LanguageNetwork, cache: Cache = Cache()) -> None:
        self.network = network
        self.cache = cache

    def begin(self, rows: Any) -> CachedState:
        """The state before documents."""
        reader = self.network.reader
        if not self.cache.size:
            return CachedState(reader.zero_state(rows))
        width = reader.width
        return CachedState(reader.zero_state(rows), tf.zeros([rows, width]), Memory.empty(rows, self.cache.size, width))

    def score(self, symbols: Any, targets: Any, state: CachedState) -> tuple[Any, CachedState]:
        """Log-probabilities of the symbol after each, float32 `(rows, steps)`, and the state after the last one.

        `symbols` and `targets` are `(rows, steps)`; a call goes on where the one before ended.
        """
        read = self.network.read(symbols, state.reader)
        found = self.network.of_targets(read.hidden, targets)
        if not state.memory:
            return found, CachedState(read.state)
        found = cached_targets(self.cache, state.memory, read.hidden, targets, found)
        last = tf.cast(read.hidden[:, -1], tf.float32)
        return found, CachedState(read.state, last, state.memory.after(read.hidden, targets))

    def read_context(self, context: Any) -> CachedState:
        """The state after contexts `(rows, steps)`, which begin with documents and may be padded at the left.

        The padding, `PAD`, is as if it were not there.
        """
        begin = self.begin(tf.shape(context)[0])
        real = context != PAD
        symbols = tf.where(real, context, BOUNDARY)
        read = self.network.read(symbols, begin.reader, mask=real)
        if not begin.memory:
            return CachedState(read.state)
        memory = begin.memory.after(read.hidden[:, :-1], tf.where(real[:, :-1], symbols[:, 1:], EMPTY))
        return CachedState(read.state, tf.cast(read.hidden[:, -1], tf.float32), memory)

    def step(self, symbols: Any, state: CachedState) -> tuple[Any, CachedState]:
        """A step function of `seqtag.ops.step_functions`."""
        if not state.memory:
            found, reader = self.network.step(symbols, state.reader)
            return found, CachedState(reader)
        # Before the first symbol of a document, which reads a boundary, nothing was predicted.
        known = tf.where(symbols == BOUNDARY, EMPTY, symbols)
        memory = state.memory.after(state.hidden[:, None], known[:, None])
        read = self.network.read(symbols[:, None], state.reader)
        hidden = tf.cast(read.hidden[:, 0], tf.float32)
        found = cached_distribution(self.cache, memory, hidden, self.network.distribution(read.hidden[:, 0]))
        return found, CachedState(read.state, hidden, memory)
