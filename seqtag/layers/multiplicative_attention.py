"""Multiplicative attention: dot, general, scaled."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
from keras import ops

from seqtag.layers.memory_attention import MemoryAttention
from seqtag.ops.attention import Tensor, multiplicative_scores

Score = Literal["dot", "general", "scaled"]


@keras.saving.register_keras_serializable(package="seqtag")
class MultiplicativeAttention(MemoryAttention):
    """Attention by a product (Luong, Pham and Manning 2015, section 3.1).

    The score is `q_t · m_s` (`"dot"`), `q_t · (m_s W)` (`"general"`), or `q_t · (m_s W) / √units` (`"scaled"`, with
    the factor of Vaswani et al. 2017).

    Weight: `memory_kernel (memory features, query features)`, but for `"dot"`, where both widths are the same. See
    `MemoryAttention` for what it is called on and returns, and for masks.

    Args:
        score: `"dot"`, `"general"` or `"scaled"`.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Raises:
        ValueError: another score, or `"dot"` over a memory that is not as wide as the queries.

    Example:
        >>> contexts, weights = MultiplicativeAttention()(keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 6)))
        >>> contexts.shape == (2, 3, 6) and weights.shape == (2, 3, 5)
        True
    """

    def __init__(self, score: Score = "general", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if score not in get_args(Score):
            raise ValueError(f"expected score to be dot, general or scaled, found {score!r}")
        self.score = score

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        """Creates the weight."""
        query, memory = query_shape[-1], memory_shape[-1]
        if self.score == "dot" and query != memory:
            raise ValueError(f"expected a memory as wide as the queries for score='dot', found {memory} and {query}")
        self.scale = query**-0.5 if self.score == "scaled" else 1.0
        self.memory_kernel = None
        if self.score != "dot":
            self.memory_kernel = self.add_weight(name="memory_kernel", shape=(memory, query))
        self.built = True

    def keys(self, memory: Tensor) -> Tensor:
        """The memory, projected but for `"dot"`."""
        return memory if self.memory_kernel is None else ops.matmul(memory, self.memory_kernel)

    def scores(self, query: Tensor, keys: Tensor, attended: Tensor | None = None) -> Tensor:
        """The scores, which do not depend on earlier weights."""
        return multiplicative_scores(query, keys, self.scale)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "score": self.score}
