"""The best path of a linear-chain CRF, and the k best.

The arguments are those of `seqtag.ops.crf.scores`. Scores are kept relative to the best one of their step, so that
rounding does not grow with the length of the row; memory is `time * batch * tags` numbers (times `k` for
the k best).
"""

from __future__ import annotations

from typing import Any

from keras import ops

from seqtag.ops.crf.forward_backward import IMPOSSIBLE, Alignment
from seqtag.ops.crf.scores import as_scores, path_score

Tensor = Any


def viterbi(emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Best path and its score: `(batch, time)` int32 tags, 0 at masked steps, and `(batch,)`.

    The score is `-inf`, and the path of no meaning, where no path is allowed. Of paths with equal scores,
    the one with the lowest tag at the last step where they differ is returned.

    >>> import numpy as np
    >>> emissions, zeros = np.array([[[0.0, 1.0], [0.5, 0.0]]]), np.zeros(2)
    >>> transitions = np.array([[0.0, 0.0], [-9.0, 0.0]])  # from 1 to 0 costs too much
    >>> tags, score = viterbi(emissions, np.ones((1, 2), bool), zeros, transitions, zeros)
    >>> np.asarray(tags).tolist(), np.asarray(score).tolist()
    ([[1, 1]], [1.0])
    """
    emissions, start, transitions, end = map(as_scores, (emissions, start, transitions, end))
    mask = ops.cast(mask, "bool")
    aligned, alignment = _align(emissions, mask)
    arriving = _arriving(transitions, end)
    best = _scan_best(aligned, ops.maximum(start, IMPOSSIBLE), arriving[:-1])
    tags = _spread(_trace_best(best, arriving, alignment.lengths), mask, alignment)
    return tags, path_score(emissions, tags, mask, start, transitions, end)


def n_best(
    emissions: Tensor, k: int, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """The `k` best paths, best first, and their scores: `(batch, k, time)` int32 and `(batch, k)`.

    A row that allows fewer than `k` paths has scores of `-inf` after its last one, with all tags 0.

    >>> import numpy as np
    >>> emissions, zeros = np.array([[[0.0, 1.0], [0.5, 0.0]]]), np.zeros(2)
    >>> tags, scores = n_best(emissions, 3, np.ones((1, 2), bool), zeros, np.zeros((2, 2)), zeros)
    >>> np.asarray(tags).tolist(), np.asarray(scores).tolist()
    ([[[1, 0], [1, 1], [0, 0]]], [[1.5, 1.0, 0.5]])
    """
    if k < 1:
        raise ValueError(f"expected k to be at least 1, found {k}")
    emissions, start, transitions, end = map(as_scores, (emissions, start, transitions, end))
    mask = ops.cast(mask, "bool")
    aligned, alignment = _align(emissions, mask)
    arriving = ops.repeat(_arriving(transitions, end), k, axis=1)
    scores, pointers = _scan_n_best(aligned, ops.maximum(start, IMPOSSIBLE), arriving, k)
    states = _trace_pointers(pointers, alignment.lengths)
    found = _found(scores, alignment.lengths)
    paths, exact = [], []
    for rank in range(k):
        path = _spread(states[:, :, rank] // k, mask, alignment)
        path = ops.where(found[:, rank, None], path, 0)
        score = path_score(emissions, path, mask, start, transitions, end)
        paths.append(path)
        exact.append(ops.where(found[:, rank], score, -float("inf")))
    return ops.stack(paths, axis=1), ops.stack(exact, axis=1)


def _align(emissions: Tensor, mask: Tensor) -> tuple[Tensor, Alignment]:
    """Emissions as `(time + 1, batch, tags)`: the real steps of each row first, then zeros."""
    # A masked step more, so that there is something to run over when time is 0.
    alignment = Alignment(ops.pad(mask, ((0, 0), (0, 1))))
    emissions = ops.maximum(ops.where(mask[..., None], emissions, 0.0), IMPOSSIBLE)
    aligned = alignment.gather(ops.pad(emissions, ((0, 0), (0, 1), (0, 0))), alignment.order)
    return ops.transpose(aligned, (1, 0, 2)), alignment


def _arriving(transitions: Tensor, end: Tensor) -> Tensor:
    """`(tags + 1, tags)`: row `j` scores the steps into tag `j`, the last row those to the end."""
    return ops.maximum(ops.concatenate([ops.transpose(transitions), end[None]], axis=0), IMPOSSIBLE)


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

    The best predecessor is found again from the scores, for the one tag of each row that matters: that
    costs less than keeping it for every tag on the way forward.
    """
    end = arriving.shape[0] - 1
    # `end` is one more tag that wins at the steps after the last real one, and there alone.
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
    """Which of the `k` best paths exist: `(batch, k)`; of a row without a real step, the first."""
    last = ops.one_hot(ops.maximum(lengths - 1, 0), ops.shape(scores)[0], axis=0, dtype="bool")
    exist = ops.any((scores[:, :, -1] > IMPOSSIBLE / 2) & last[..., None], axis=0)
    first = ops.arange(scores.shape[-1], dtype="int32") == 0
    return ops.where(lengths[:, None] > 0, exist, first)


def _real(aligned: Tensor, lengths: Tensor) -> Tensor:
    """`(time, batch)`: which aligned steps are real."""
    return ops.arange(ops.shape(aligned)[0], dtype="int32")[:, None] < lengths
