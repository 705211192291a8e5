"""The base of the attention layers: queries attend to a memory, whose projection is made once."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqtag.ops.attention import Tensor, attention_weights, contexts


class MemoryAttention(keras.layers.Layer):
    """Attention of queries to a memory under a mask.

        a_ts = softmax_s(score(q_t, m_s)),    c_t = Σ_s a_ts m_s.

    A subclass gives `keys`, what of the score depends on the memory alone, and `scores`. A decoder that goes step by
    step calls `keys` once and `attend` at every step.

    Call arguments:
        query: `(batch, queries, units)`.
        memory: `(batch, steps, features)`.
        query_mask: bool `(batch, queries)`; the weights and contexts of a masked query are zeros.
        memory_mask: bool `(batch, steps)`, True where a step of the memory is real; masked steps have weight zero. A
            row without a real step has weights and contexts of zeros.

    Returns:
        The contexts `(batch, queries, features)`, and the weights `(batch, queries, steps)` in float32.
    """

    # Whether scores depend on the sum of the weights of earlier queries, so that queries are attended in order.
    reads_history = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def keys(self, memory: Tensor) -> Tensor:
        """What scores compare with queries, `(batch, steps, units)`."""
        raise NotImplementedError

    def scores(self, query: Tensor, keys: Tensor, attended: Tensor | None = None) -> Tensor:
        """The scores `(batch, queries, steps)`; `attended` is the sum of earlier weights `(batch, queries, steps)`."""
        raise NotImplementedError

    def attend(
        self, query: Tensor, keys: Tensor, memory: Tensor, mask: Tensor | None = None, attended: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The contexts and the weights of queries, by keys that `keys` has made of the memory.

        Args:
            query: `(batch, queries, units)`.
            keys: `(batch, steps, units)`.
            memory: `(batch, steps, features)`.
            mask: of the memory.
            attended: the sum of the weights of earlier queries `(batch, queries, steps)`, for attention that
                `reads_history`.
        """
        weights = attention_weights(self.scores(query, keys, attended), mask)
        return contexts(weights, memory), weights

    def call(
        self, query: Tensor, memory: Tensor, query_mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attends to the memory."""
        keys = self.keys(memory)
        if self.reads_history:
            weights = self._in_order(query, keys, query_mask, memory_mask)
        else:
            weights = attention_weights(self.scores(query, keys), memory_mask)
        if query_mask is not None:
            weights = ops.where(ops.cast(query_mask, "bool")[..., None], weights, ops.zeros_like(weights))
        return contexts(weights, memory), weights

    def _in_order(self, query: Tensor, keys: Tensor, query_mask: Tensor | None, memory_mask: Tensor | None) -> Tensor:
        """The weights of queries of which each reads those before it, but for masked ones."""

        def step(attended: Tensor, query_and_mask: Tensor) -> tuple[Tensor, Tensor]:
            query, is_real = query_and_mask[:, None, :-1], query_and_mask[:, -1:] > 0
            weights = attention_weights(self.scores(query, keys, attended[:, None]), memory_mask)[:, 0]
            return ops.where(is_real, attended + weights, attended), weights

        nothing = ops.zeros_like(ops.cast(keys[..., 0], "float32"))
        mask = ops.ones_like(query[..., 0]) if query_mask is None else query_mask
        # Keras's scan takes only one tensor if the time dimension is dynamic.
        both = ops.concatenate([query, ops.cast(mask, query.dtype)[..., None]], axis=-1)
        _, weights = ops.scan(step, nothing, ops.transpose(both, (1, 0, 2)))
        return ops.transpose(weights, (1, 0, 2))

    def compute_mask(self, query: Any, mask: Any = None) -> tuple:
        """The mask of the queries, which Keras passes, for the contexts; none for the weights."""
        return mask, None

    def compute_output_shape(self, query_shape: tuple, memory_shape: tuple) -> tuple[tuple, tuple]:
        """The shapes of the contexts and of the weights."""
        batch, queries = query_shape[:2]
        return (batch, queries, memory_shape[2]), (batch, queries, memory_shape[1])
