"""The continuous cache: symbols that stood here before in a like state are likelier to come again.

Grave, Joulin and Usunier (2017): with the hidden state h_i before each symbol s_{i+1} of the last `size`,

    p_cache(s | h_t) ∝ Σ_{i < t} 1[s = s_{i+1}] exp(θ h_t · h_i),
    p(s) = (1 - λ) p_network(s) + λ p_cache(s).

Until something is in the memory, the network's probability stands alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

EMPTY = -1


class Cache(NamedTuple):
    """The settings: how many symbols back it reaches, λ and θ. A size of zero is no cache."""

    size: int = 0
    weight: float = 0.1
    flatness: float = 0.3


class Memory(NamedTuple):
    """What stood before: hidden states `(rows, size, width)` and the symbols after them `(rows, size)`."""

    hidden: Any
    symbols: Any

    @classmethod
    def empty(cls, rows: Any, size: int, width: int) -> Memory:
        """The memory before a document."""
        return cls(tf.zeros([rows, size, width]), tf.fill([rows, size], EMPTY))

    def after(self, hidden: Any, symbols: Any) -> Memory:
        """The memory after steps `(rows, steps, width)` and the symbols that came after each, `(rows, steps)`."""
        size = tf.shape(self.symbols)[1]
        known = tf.concat([self.hidden, tf.cast(hidden, tf.float32)], axis=1)
        return Memory(known[:, -size:], tf.concat([self.symbols, symbols], axis=1)[:, -size:])


def cached_targets(cache: Cache, memory: Memory, hidden: Any, targets: Any, log_probabilities: Any) -> Any:
    """Log-probabilities of targets `(rows, steps)` with the cache, from those of the network."""
    hidden = tf.cast(hidden, tf.float32)
    known = tf.concat([memory.hidden, hidden], axis=1)
    symbols = tf.concat([memory.symbols, targets], axis=1)
    steps = tf.range(tf.shape(targets)[1])[:, None]
    places = tf.range(tf.shape(symbols)[1])[None]
    reached = (places >= steps) & (places < steps + cache.size)
    real = reached[None] & (symbols[:, None] != EMPTY)
    shares = _shares(cache.flatness * tf.matmul(hidden, known, transpose_b=True), real)
    same = tf.cast(symbols[:, None] == targets[..., None], tf.float32)
    return _mixed(cache, log_probabilities, tf.reduce_sum(shares * same, axis=-1), tf.reduce_any(real, axis=-1))


def cached_distribution(cache: Cache, memory: Memory, hidden: Any, log_probabilities: Any) -> Any:
    """Log-probabilities of all symbols `(rows, num_symbols)` with the cache, at hidden states `(rows, width)`."""
    real = memory.symbols != EMPTY
    scores = cache.flatness * tf.einsum("rw,rsw->rs", tf.cast(hidden, tf.float32), memory.hidden)
    shares = _shares(scores, real)
    rows = tf.broadcast_to(tf.range(tf.shape(real)[0])[:, None], tf.shape(real))
    places = tf.stack([rows, tf.maximum(memory.symbols, 0)], axis=-1)
    of_symbols = tf.tensor_scatter_nd_add(tf.zeros_like(log_probabilities), places, shares)
    return _mixed(cache, log_probabilities, of_symbols, tf.reduce_any(real, axis=1, keepdims=True))


def _shares(scores: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """A softmax over what is real; zeros where nothing is."""
    scores = tf.where(real, scores, -float("inf"))
    highest = tf.reduce_max(scores, axis=-1, keepdims=True)
    grown = tf.where(real, tf.exp(scores - tf.where(highest > -float("inf"), highest, 0.0)), 0.0)
    return tf.math.divide_no_nan(grown, tf.reduce_sum(grown, axis=-1, keepdims=True))


def _mixed(cache: Cache, log_probabilities: tf.Tensor, shares: tf.Tensor, has_memory: tf.Tensor) -> tf.Tensor:
    mixed = tf.math.log((1 - cache.weight) * tf.exp(log_probabilities) + cache.weight * shares)
    return tf.where(has_memory, mixed, log_probabilities)
