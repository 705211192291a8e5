"""Attention of decoder steps to a memory: scores, weights under a mask, and contexts.

Queries are `(batch, queries, units)`, a memory is `(batch, steps, features)`, and keys are what scores compare with
queries: the memory after a projection, which does not depend on the query and is computed once. Scores and weights are
`(batch, queries, steps)` in float32, whatever the dtype of the rest is.
"""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any

# A score below every real one, whose exponential is zero.
MASKED_SCORE = -1e9


def additive_scores(query: Tensor, keys: Tensor, vector: Tensor, location: Tensor | None = None) -> Tensor:
    """`v · tanh(q_t + k_s)`, the score of Bahdanau, Cho and Bengio (2015, appendix A.1.2).

    Args:
        query: projected queries `(batch, queries, units)`.
        keys: projected memory `(batch, steps, units)`.
        vector: v `(units,)`.
        location: what is added inside of tanh by where attention was before, `(batch, queries, steps, units)`
            (Chorowski et al. 2015, equation 9).

    Example:
        >>> query, keys = ops.array([[[0.5]]]), ops.array([[[0.5], [-0.5]]])
        >>> print(ops.convert_to_numpy(additive_scores(query, keys, ops.array([2.0]))).round(4))
        [[[1.5232 0.    ]]]
    """
    sums = query[:, :, None] + keys[:, None]
    if location is not None:
        sums = sums + ops.cast(location, sums.dtype)
    return ops.cast(ops.matmul(ops.tanh(sums), vector[:, None])[..., 0], "float32")


def multiplicative_scores(query: Tensor, keys: Tensor, scale: float = 1.0) -> Tensor:
    """`scale · (q_t · k_s)`, the score of Luong, Pham and Manning (2015, equation 8).

    Args:
        query: `(batch, queries, units)`.
        keys: `(batch, steps, units)`: the memory itself (dot), or projected (general).
        scale: `1/√units` for the scaled product of Vaswani et al. (2017).

    Example:
        >>> query, keys = ops.array([[[1.0, 2.0]]]), ops.array([[[3.0, 0.0], [0.0, 4.0]]])
        >>> print(ops.convert_to_numpy(multiplicative_scores(query, keys, 0.5)))
        [[[1.5 4. ]]]
    """
    return scale * ops.cast(ops.matmul(query, ops.transpose(keys, (0, 2, 1))), "float32")


def attention_weights(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """The softmax of scores over the real steps of the memory.

    Args:
        scores: `(batch, queries, steps)`.
        mask: bool `(batch, steps)`, True where a step of the memory is real; None for everywhere.

    Returns:
        Weights `(batch, queries, steps)`, zero at masked steps. They sum up to 1, and to 0 where no step is real.

    Example:
        >>> mask = ops.array([[True, True, False], [False, False, False]])
        >>> print(ops.convert_to_numpy(attention_weights(ops.zeros((2, 1, 3)), mask))[:, 0])
        [[0.5 0.5 0. ]
         [0.  0.  0. ]]
    """
    if mask is None:
        return _softmax(scores)
    real = ops.cast(mask, "bool")[:, None]
    weights = _softmax(ops.where(real, scores, MASKED_SCORE))
    return ops.where(real, weights, ops.zeros_like(weights))


def _softmax(scores: Tensor) -> Tensor:
    """Keras's own warns where there is one step: a source may have one symbol."""
    shares = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return shares / ops.sum(shares, axis=-1, keepdims=True)


def contexts(weights: Tensor, memory: Tensor) -> Tensor:
    """The mean of the memory by the weights, `c_t = Σ_s a_ts m_s`, `(batch, queries, features)`.

    Example:
        >>> memory = ops.array([[[1.0], [3.0]]])
        >>> print(ops.convert_to_numpy(contexts(ops.array([[[0.5, 0.5]]]), memory)))
        [[[2.]]]
    """
    return ops.matmul(ops.cast(weights, memory.dtype), memory)
