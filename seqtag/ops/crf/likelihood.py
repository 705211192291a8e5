"""The negative log-likelihood of a linear-chain CRF: what training minimises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from seqtag.ops.crf.scores import (
    Expectations,
    as_scores,
    constrain,
    expectations,
    known_tags,
    log_partition,
    path_expectations,
    path_score,
    restrict,
    with_expected_gradient,
)

Tensor = Any


def negative_log_likelihood(
    emissions: Tensor,
    tags: Tensor,
    mask: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    constraints: Sequence[Tensor] | None = None,
    tag_costs: Tensor | None = None,
) -> Tensor:
    """`log Z - score(tags)` of each row, never below 0: `(batch,)`.

    Args:
        emissions, mask: as in `seqtag.ops.crf.scores`.
        tags: `(batch, time)`; -1 at a real step says that the tag is not known, and the score is then the
            log-sum-exp over all paths that hold the known tags (Tsuboi et al. 2008).
        start, transitions, end: the scores without constraints, all finite.
        constraints: boolean tables `(start, transitions, end)`, False where forbidden. `Z` sums over the
            paths that keep them, and over the true path too where it breaks them: its loss is then
            `log(1 + Z / exp(score))`, finite, and pulls it up.
        tag_costs: `(tags,)`, not negative; `Z` scores a path higher by `tag_costs[tag]` for each step where
            it misses the true `tag` (softmax-margin, Gimpel and Smith 2010).

    >>> import numpy as np
    >>> zeros = np.zeros(2)
    >>> tags, mask = np.array([[0, -1, 1]]), np.ones((1, 3), bool)
    >>> unsure = negative_log_likelihood(
    ...     np.zeros((1, 3, 2)), tags, mask, zeros, np.zeros((2, 2)), zeros)
    >>> round(float(np.exp(-unsure)[0]), 6)  # 2 of the 8 paths
    0.25
    """
    emissions, *free = map(as_scores, (emissions, start, transitions, end))
    mask, tags = ops.cast(mask, "bool"), ops.cast(tags, "int32")
    tags = ops.where(mask, tags, 0)
    scores = constrain(free, constraints)
    everything = log_partition(_add_costs(emissions, tags, tag_costs), mask, *scores)
    if constraints is None:
        loss = everything - with_expected_gradient(_true_paths, emissions, mask, *free, tags)
    else:
        loss = everything - with_expected_gradient(_true_paths, emissions, mask, *free, tags, *scores)
        lawful = _log_sum_of_true_paths(emissions, tags, mask, *scores) > -float("inf")
        loss = ops.where(lawful, loss, ops.logaddexp(loss, 0.0))
    return ops.maximum(loss, 0.0)  # rounding alone brings it below


def _true_paths(
    emissions: Tensor,
    mask: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    tags: Tensor,
    *lawful_scores: Tensor,
) -> Expectations:
    """The expectations over the paths that hold the known tags; over the only one where all are known.

    With `lawful_scores`, which are `-inf` where forbidden, over the lawful ones in rows where there are any.
    """
    tags, mask = ops.cast(tags, "int32"), ops.cast(mask, "bool")
    scores = mask, start, transitions, end

    def one() -> tuple[Tensor, ...]:
        return tuple(path_expectations(emissions, tags, *scores))

    def many() -> tuple[Tensor, ...]:
        known = restrict(emissions, known_tags(tags, emissions.shape[-1]))
        every = expectations(known, *scores)
        if not lawful_scores:
            return tuple(every)
        lawful = expectations(known, mask, *lawful_scores)
        some = lawful.log_partition > -float("inf")
        return tuple(_choose(some, x, y) for x, y in zip(lawful, every, strict=True))

    return Expectations(*ops.cond(ops.all(tags >= 0), one, many))


def _choose(rows: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """`x` in the chosen rows, `y` in the others."""
    return ops.where(ops.reshape(rows, (-1,) + (1,) * (len(x.shape) - 1)), x, y)


def _log_sum_of_true_paths(
    emissions: Tensor, tags: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Log-sum-exp of the scores of the paths that hold the known tags, without gradient: `(batch,)`."""
    emissions, *scores = map(ops.stop_gradient, (emissions, start, transitions, end))

    def one() -> Tensor:
        return path_score(emissions, tags, mask, *scores)

    def many() -> Tensor:
        return log_partition(restrict(emissions, known_tags(tags, emissions.shape[-1])), mask, *scores)

    return ops.cond(ops.all(tags >= 0), one, many)


def _add_costs(emissions: Tensor, tags: Tensor, tag_costs: Tensor | None) -> Tensor:
    """Emissions of wrong tags raised by the cost of missing the true one."""
    if tag_costs is None:
        return emissions
    costs = ops.take(ops.convert_to_tensor(tag_costs, dtype=emissions.dtype), ops.maximum(tags, 0))[..., None]
    return emissions + ops.where(known_tags(tags, emissions.shape[-1]), 0.0, costs)
