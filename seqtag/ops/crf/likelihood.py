"""The negative log-likelihood of a linear-chain CRF, which training minimises.

See `seqtag.ops.crf` for the arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from seqtag.ops.crf.expectations import (
    Expectations,
    expectations,
    log_partition,
    path_expectations,
    with_expected_gradient,
)
from seqtag.ops.crf.scores import (
    CRFScores,
    as_float,
    as_floats,
    compatible_tags,
    constrain,
    path_score,
    restrict,
)

Tensor = Any


def negative_log_likelihood(
    emissions: Tensor,
    tags: Tensor,
    mask: Tensor,
    scores: CRFScores,
    constraints: Sequence[Tensor] | None = None,
    tag_costs: Tensor | None = None,
) -> Tensor:
    """`log Z - score(tags)` of each row, never below 0: `(batch,)`.

    Args:
        emissions: `(batch, time, tags)`.
        tags: `(batch, time)`; -1 at a real step says that the tag is not known. The score is then the log-sum-exp over
            all paths with the known tags (Tsuboi et al. 2008).
        mask: `(batch, time)` bool.
        scores: those without constraints, all finite.
        constraints: boolean tables `(start, transitions, end)`, False where forbidden. `Z` sums over the legal paths,
            which keep them. Where the true path is not legal, `Z` counts it too: its loss is then
            `log(1 + Z / exp(score))`, which is finite, and training raises its score.
        tag_costs: `(tags,)`, not negative; `Z` scores a path higher by `tag_costs[tag]` for each step where it misses
            the true `tag` (softmax-margin, Gimpel and Smith 2010).

    >>> import numpy as np
    >>> scores = CRFScores(np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    >>> tags, mask = np.array([[0, -1, 1]]), np.ones((1, 3), bool)
    >>> unsure = negative_log_likelihood(np.zeros((1, 3, 2)), tags, mask, scores)
    >>> round(float(np.exp(-unsure)[0]), 6)  # 2 of the 8 paths
    0.25
    """
    emissions, scores = as_float(emissions), as_floats(scores)
    mask, tags = ops.cast(mask, "bool"), ops.cast(tags, "int32")
    tags = ops.where(mask, tags, 0)
    legal_scores = constrain(scores, constraints)
    all_paths = log_partition(_add_costs(emissions, tags, tag_costs), mask, legal_scores)
    if constraints is None:
        loss = all_paths - with_expected_gradient(_true_paths, emissions, mask, scores, tags)
    else:
        loss = all_paths - with_expected_gradient(_true_paths, emissions, mask, scores, tags, *legal_scores)
        legal = _log_sum_of_true_paths(emissions, tags, mask, legal_scores) > -float("inf")
        loss = ops.where(legal, loss, ops.logaddexp(loss, 0.0))
    return ops.maximum(loss, 0.0)  # Only rounding makes it negative.


def _true_paths(
    emissions: Tensor, mask: Tensor, scores: CRFScores, tags: Tensor, *legal_scores: Tensor
) -> Expectations:
    """The expectations over the paths with the known tags, of which there is one where all tags are known.

    With `legal_scores`, which are `-inf` where forbidden: over the legal ones of these paths in rows that have any.
    """
    tags, mask = ops.cast(tags, "int32"), ops.cast(mask, "bool")

    def one() -> tuple[Tensor, ...]:
        return tuple(path_expectations(emissions, tags, mask, scores))

    def many() -> tuple[Tensor, ...]:
        restricted = restrict(emissions, compatible_tags(tags, emissions.shape[-1]))
        unconstrained = expectations(restricted, mask, scores)
        if not legal_scores:
            return tuple(unconstrained)
        legal = expectations(restricted, mask, CRFScores(*legal_scores))
        exists = legal.log_partition > -float("inf")
        return tuple(_choose(exists, x, y) for x, y in zip(legal, unconstrained, strict=True))

    return Expectations(*ops.cond(ops.all(tags >= 0), one, many))


def _choose(rows: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """`x` in the chosen rows, `y` in the others."""
    return ops.where(ops.reshape(rows, (-1,) + (1,) * (len(x.shape) - 1)), x, y)


def _log_sum_of_true_paths(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Log-sum-exp of the scores of the paths with the known tags, without gradient: `(batch,)`."""
    emissions, scores = ops.stop_gradient(emissions), CRFScores(*map(ops.stop_gradient, scores))

    def one() -> Tensor:
        return path_score(emissions, tags, mask, scores)

    def many() -> Tensor:
        return log_partition(restrict(emissions, compatible_tags(tags, emissions.shape[-1])), mask, scores)

    return ops.cond(ops.all(tags >= 0), one, many)


def _add_costs(emissions: Tensor, tags: Tensor, tag_costs: Tensor | None) -> Tensor:
    """Emissions of wrong tags raised by the cost of missing the true one."""
    if tag_costs is None:
        return emissions
    costs = ops.take(ops.convert_to_tensor(tag_costs, dtype=emissions.dtype), ops.maximum(tags, 0))[..., None]
    return emissions + ops.where(compatible_tags(tags, emissions.shape[-1]), 0.0, costs)
