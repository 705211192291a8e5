"""The scores of a CRF and of its paths. See `seqtag.ops.crf` for the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from keras import ops

from seqtag.ops.crf.alignment import Alignment

Tensor = Any

# Stands for -inf inside the recursions: the difference of two -inf would be NaN.
IMPOSSIBLE = -1e30


class CRFScores(NamedTuple):
    """The scores of a CRF besides the emissions; `-inf` forbids."""

    start: Tensor  # (tags,): of the first tag
    transitions: Tensor  # (tags, tags): of a step from tag i (row) to tag j (column)
    end: Tensor  # (tags,): of the last tag


def as_float(x: Tensor) -> Tensor:
    """`x` as a float32 tensor, or as float64 if it is one."""
    x = ops.convert_to_tensor(x)
    return x if "float64" in str(x.dtype) else ops.cast(x, "float32")


def as_floats(scores: CRFScores) -> CRFScores:
    """The scores as float tensors; see `as_float`."""
    return CRFScores(*map(as_float, scores))


def with_extra_step(emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Emissions and mask with one masked step more, so that loops have a step to run over when time is 0.

    Emissions of masked steps become 0.
    """
    emissions, mask = as_float(emissions), ops.cast(mask, "bool")
    emissions = ops.pad(ops.where(mask[..., None], emissions, 0.0), ((0, 0), (0, 1), (0, 0)))
    return emissions, ops.pad(mask, ((0, 0), (0, 1)))


def score_of_path(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Score of a path of checked tags: `(batch,)`; see `seqtag.ops.crf.path_score`."""
    scores = as_floats(scores)
    emissions, mask = with_extra_step(emissions, mask)
    tags = ops.where(mask, ops.pad(ops.cast(tags, "int32"), ((0, 0), (0, 1))), 0)
    alignment, count = Alignment(mask), emissions.shape[-1]
    batch, time = ops.shape(mask)[0], ops.shape(mask)[1]
    cells = ops.reshape(ops.arange(batch * time, dtype="int32"), (batch, time)) * count + tags
    emitted = ops.where(mask, ops.take(ops.reshape(emissions, (-1,)), cells), 0.0)
    path = alignment.gather(tags, alignment.order)
    moves = ops.take(ops.reshape(scores.transitions, (-1,)), path[:, :-1] * count + path[:, 1:])
    later = ops.arange(1, time, dtype="int32") < alignment.lengths[:, None]
    moves = ops.where(later, moves, 0.0)
    first, last = alignment.ends(path)
    boundary = ops.take(scores.start, first) + ops.take(scores.end, last)
    boundary = ops.where(alignment.lengths > 0, boundary, 0.0)
    return ops.sum(emitted, axis=1) + ops.sum(moves, axis=1) + boundary


def constrain(scores: CRFScores, constraints: Sequence[Tensor] | None, forbidden: float = -float("inf")) -> CRFScores:
    """The scores, `forbidden` where the boolean tables `(start, transitions, end)` are False."""
    if constraints is None:
        return scores
    constrained = []
    for score, allowed in zip(scores, constraints, strict=True):
        allowed = ops.convert_to_tensor(allowed, dtype="bool")
        if tuple(allowed.shape) != tuple(score.shape):
            raise ValueError(f"expected constraints of shape {tuple(score.shape)}, found {tuple(allowed.shape)}")
        constrained.append(ops.where(allowed, score, forbidden))
    return CRFScores(*constrained)


def compatible_tags(tags: Tensor, count: int) -> Tensor:
    """Which of `count` tags each step may have, `(batch, time, count)` bool: the known one, or any where `tags` is -1.

    >>> import numpy as np
    >>> np.asarray(compatible_tags(np.array([[1, -1]]), 2)).tolist()
    [[[False, True], [True, True]]]
    """
    tags = ops.cast(tags, "int32")[..., None]
    return (tags == ops.arange(count, dtype="int32")) | (tags < 0)


def restrict(emissions: Tensor, allowed: Tensor) -> Tensor:
    """Emissions with `-inf` for the tags that are not `allowed`."""
    emissions = as_float(emissions)
    return ops.where(allowed, emissions, -float("inf"))
