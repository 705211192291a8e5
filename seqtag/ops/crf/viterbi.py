"""The best path of a linear-chain CRF, by the Viterbi algorithm, and the k best paths.

See `seqtag.ops.crf` for the arguments. Scores are kept relative to the best one of their step, so that rounding does
not grow with the length of the row. Memory is `time * batch * tags` numbers (times `k` for the k best).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from seqtag.native import crf as native
from seqtag.ops.crf.alignment import Alignment
from seqtag.ops.crf.arguments import check_chain, check_tags
from seqtag.ops.crf.kernels import is_native
from seqtag.ops.crf.scores import (
    IMPOSSIBLE,
    CRFScores,
    compatible_tags,
    constrain,
    restrict,
    score_of_path,
)

Tensor = Any

# What `decode` takes off for a broken constraint in a row that has no legal path.
_COST_OF_BREAKING = -1e4


def decode(
    emissions: Tensor,
    mask: Tensor,
    scores: CRFScores,
    constraints: Sequence[Tensor] | None = None,
    forced: Tensor | None = None,
) -> Tensor:
    """The best path that keeps the constraints: `(batch, time)` int32, 0 at masked steps.

    Args:
        emissions: `(batch, time, tags)`.
        mask: `(batch, time)` bool.
        scores: those without constraints.
        constraints: boolean tables `(start, transitions, end)`, False where forbidden. Where no path keeps them,
            because of the forced tags or the length, the path breaks as few of them as possible.
        forced: `(batch, time)`, the tags that the path must take, -1 where it is free.

    >>> import numpy as np
    >>> scores = CRFScores(np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    >>> constraints = [True, False], [[True, True], [True, True]], [True, True]
    >>> np.asarray(decode(np.array([[[0.0, 9.0], [0.0, 1.0]]]), np.ones((1, 2), bool), scores, constraints)).tolist()
    [[0, 1]]
    """
    chain = emissions, mask, scores = check_chain(emissions, mask, scores)
    if forced is not None:
        numbers, _ = check_tags(forced, chain, "forced", unknown=True)
        emissions = restrict(emissions, compatible_tags(numbers, emissions.shape[-1]))
    tags, score = best_path(emissions, mask, constrain(scores, constraints))
    if constraints is None:
        return tags
    legal = score > -float("inf")

    def break_some() -> Tensor:
        breaking, _ = best_path(emissions, mask, constrain(scores, constraints, _COST_OF_BREAKING))
        return ops.where(legal[:, None], tags, breaking)

    return ops.cond(ops.all(legal), lambda: tags, break_some)


def best_path(emissions: Tensor, mask: Tensor, scores: CRFScores) -> tuple[Tensor, Tensor]:
    """The best path and its score: `(batch, time)` int32 tags, 0 at masked steps, and `(batch,)`.

    Where no path is allowed, the score is `-inf` and the path has no meaning. Of paths with equal scores, it is the
    one with the lowest tag at the last step where they differ.

    >>> import numpy as np
    >>> emissions = np.array([[[0.0, 1.0], [0.5, 0.0]]])
    >>> transitions = np.array([[0.0, 0.0], [-9.0, 0.0]])  # from 1 to 0 costs too much
    >>> tags, score = best_path(emissions, np.ones((1, 2), bool), CRFScores(np.zeros(2), transitions, np.zeros(2)))
    >>> np.asarray(tags).tolist(), np.asarray(score).tolist()
    ([[1, 1]], [1.0])
    """
    emissions, mask, scores = check_chain(emissions, mask, scores)
    native_kernels = is_native(emissions, scores)
    tags = native.best_path(emissions, mask, scores) if native_kernels else _best_tags(emissions, mask, scores)
    return tags, score_of_path(emissions, tags, mask, scores)


def _best_tags(emissions: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    aligned, alignment = _align(emissions, mask)
    arriving = _arriving(scores)
    best = _scan_best(aligned, ops.maximum(scores.start, IMPOSSIBLE), arriving[:-1])
    return _spread(_trace_best(best, arriving, alignment.lengths), mask, alignment)


def n_best(emissions: Tensor, k: int, mask: Tensor, scores: CRFScores) -> tuple[Tensor, Tensor]:
    """The `k` best paths, best first, and their scores: `(batch, k, time)` int32 and `(batch, k)`.

    A row that allows fewer than `k` paths has scores of `-inf` after its last one, with all tags 0.

    >>> import numpy as np
    >>> emissions = np.array([[[0.0, 1.0], [0.5, 0.0]]])
    >>> zero = CRFScores(np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    >>> tags, scores = n_best(emissions, 3, np.ones((1, 2), bool), zero)
    >>> np.asarray(tags).tolist(), np.asarray(scores).tolist()
    ([[[1, 0], [1, 1], [0, 0]]], [[1.5, 1.0, 0.5]])
    """
    if not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"expected k to be a whole number from 1, found {k}")
    emissions, mask, scores = check_chain(emissions, mask, scores)
    aligned, alignment = _align(emissions, mask)
    arriving = ops.repeat(_arriving(scores), k, axis=1)
    of_tags, pointers = _scan_n_best(aligned, ops.maximum(scores.start, IMPOSSIBLE), arriving, k)
    states = _trace_pointers(pointers, alignment.lengths)
    found = _found(of_tags, alignment.lengths)
    batch, time = ops.shape(mask)[0], ops.shape(mask)[1]
    # Every path as a row of its own.
    emissions, mask = (ops.repeat(x, k, axis=0) for x in (emissions, mask))
    aligned_paths = ops.reshape(states // k, (time + 1, batch * k))
    paths = _spread(aligned_paths, mask, Alignment(ops.pad(mask, ((0, 0), (0, 1)))))
    paths = ops.where(ops.reshape(found, (batch * k, 1)), paths, 0)
    exact = ops.reshape(score_of_path(emissions, paths, mask, scores), (batch, k))
    return ops.reshape(paths, (batch, k, time)), ops.where(found, exact, -float("inf"))


def _align(emissions: Tensor, mask: Tensor) -> tuple[Tensor, Alignment]:
    """Emissions as `(time + 1, batch, tags)`: the real steps of each row first, then zeros."""
    # A masked step more, so that there is something to run over when time is 0.
    alignment = Alignment(ops.pad(mask, ((0, 0), (0, 1))))
    emissions = ops.maximum(ops.where(mask[..., None], emissions, 0.0), IMPOSSIBLE)
    aligned = alignment.gather(ops.pad(emissions, ((0, 0), (0, 1), (0, 0))), alignment.order)
    return ops.transpose(aligned, (1, 0, 2)), alignment


def _arriving(scores: CRFScores) -> Tensor:
    """`(tags + 1, tags)`: row `j` scores the steps into tag `j`, the last row those to the end."""
    into = ops.concatenate([ops.transpose(scores.transitions), scores.end[None]], axis=0)
    return ops.maximum(into, IMPOSSIBLE)


def _spread(aligned: Tensor, mask: Tensor, alignment: Alignment) -> Tensor:
    """Aligned tags `(time + 1, batch)` at their positions `(batch, time)`, 0 at masked steps."""
    tags = alignment.gather(ops.transpose(aligned), alignment.rank)[:, :-1]
    return ops.where(mask, tags, 0)


def _scan_best(emissions: Tensor, start: Tensor, arriving: Tensor) -> Tensor:
    """Score of the best path to each tag, relative to the best of its step: `(time, batch, tags)`."""

    def step(before: Tensor, emission: Tensor) -> tuple[Tensor, Tensor]:
        best = before + emission
        best = best - ops.max(best, axis=-1, keepdims=True)
        return ops.max(best[:, None, :] + arriving, axis=-1), best

    return ops.scan(step, ops.zeros_like(emissions[0]) + start, emissions)[1]


def _trace_best(best: Tensor, arriving: Tensor, lengths: Tensor) -> Tensor:
    """Follow the best path back from the end: `(time, batch)` tags.

    The best predecessor is found again from the scores, for the tag on the path alone: that costs less than keeping it
    for every tag on the way forward.
    """
    end = arriving.shape[0] - 1
    # `end` is one more tag, which wins at the steps after the last real one and nowhere else.
    after_last = ops.where(_real(best, lengths), IMPOSSIBLE, -IMPOSSIBLE)[..., None]
    best = ops.concatenate([best, ops.cast(after_last, best.dtype)], axis=-1)
    arriving = ops.pad(arriving, ((0, 0), (0, 1)))

    def step(after: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        tag = ops.cast(ops.argmax(scores + ops.take(arriving, after, axis=0), axis=-1), "int32")
        return tag, tag

    return ops.scan(step, ops.full_like(lengths, end), best, reverse=True)[1]


def _scan_n_best(emissions: Tensor, start: Tensor, arriving: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Scores of the `k` best paths into each tag and into the end, and the state that each came from.

    Both are `(time, batch, tags + 1, k)`, of what follows a step; the state is `tag * k + rank` at the step.
    """
    tags = emissions.shape[-1]

    def step(carry: tuple[Tensor, Tensor], emission: Tensor) -> tuple[tuple, tuple]:
        best = carry[0][:, :tags] + emission[:, :, None]
        best = best - ops.max(best, axis=(1, 2), keepdims=True)
        scores, pointers = ops.top_k(ops.reshape(best, (-1, 1, tags * k)) + arriving, k)
        after = scores, ops.cast(pointers, "int32")
        return after, after

    alone = ops.concatenate([start[:, None], ops.full((tags, k - 1), IMPOSSIBLE, dtype=start.dtype)], axis=1)
    alone = ops.pad(alone, ((0, 1), (0, 0)))
    first = ops.zeros_like(emissions[0][:, :1, None]) + alone
    return ops.scan(step, (first, ops.cast(ops.zeros_like(first), "int32")), emissions)[1]


def _trace_pointers(pointers: Tensor, lengths: Tensor) -> Tensor:
    """Follow the `k` best paths back from the end: `(time, batch, k)` states."""
    rows, k = pointers.shape[2:]
    stay = ops.arange(rows * k, dtype="int32")
    pointers = ops.reshape(pointers, (*ops.shape(pointers)[:2], rows * k))
    pointers = ops.where(_real(pointers, lengths)[..., None], pointers, stay)
    at_end = ops.zeros_like(pointers[0, :, :k]) + stay[-k:]

    def step(after: Tensor, pointer: Tensor) -> tuple[Tensor, Tensor]:
        state = ops.take_along_axis(pointer, after, axis=1)
        return state, state

    return ops.scan(step, at_end, pointers, reverse=True)[1]


def _found(scores: Tensor, lengths: Tensor) -> Tensor:
    """Which of the `k` best paths exist: `(batch, k)`; only the first in a row without a real step."""
    last = ops.one_hot(ops.maximum(lengths - 1, 0), ops.shape(scores)[0], axis=0, dtype="bool")
    exist = ops.any((scores[:, :, -1] > IMPOSSIBLE / 2) & last[..., None], axis=0)
    first = ops.arange(scores.shape[-1], dtype="int32") == 0
    return ops.where(lengths[:, None] > 0, exist, first)


def _real(aligned: Tensor, lengths: Tensor) -> Tensor:
    """`(time, batch)`: which aligned steps are real."""
    return ops.arange(ops.shape(aligned)[0], dtype="int32")[:, None] < lengths
