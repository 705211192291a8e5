"""The score of a path of a linear-chain CRF, and its negative log-likelihood, which training minimises.

See `seqtag.ops.crf` for the arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from seqtag.ops.crf.arguments import Chain, check_chain, check_like_emissions, check_tags
from seqtag.ops.crf.expectations import (
    Expectations,
    expectations,
    log_partition,
    path_expectations,
    with_expected_gradient,
)
from seqtag.ops.crf.scores import CRFScores, compatible_tags, constrain, restrict, score_of_path

Tensor = Any


def path_score(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Score of the path `tags (batch, time)`: `(batch,)`, 0 for a row without a real step.

    >>> import numpy as np
    >>> emissions = np.array([[[1.0, 2.0], [3.0, 5.0]]])
    >>> boundary = np.array([100.0, 200.0])
    >>> scores = CRFScores(boundary, np.array([[10.0, 20.0], [40.0, 80.0]]), boundary)
    >>> tags, mask = np.array([[0, 1]]), np.ones((1, 2), bool)
    >>> float(path_score(emissions, tags, mask, scores)[0])
    326.0
    """
    chain = check_chain(emissions, mask, scores)
    numbers, possible = check_tags(tags, chain)
    score = score_of_path(chain.emissions, numbers, chain.mask, chain.scores)
    return ops.where(ops.all(possible, axis=1), score, -float("inf"))


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
        tags: `(batch, time)`; a negative one at a real step says that the tag is not known. The score is then the
            log-sum-exp over all paths with the known tags (Tsuboi et al. 2008).
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
    chain = check_chain(emissions, mask, scores)
    tags, possible = check_tags(tags, chain, unknown=True)
    loss, legal = log_odds(chain, tags, constraints, tag_costs)
    if legal is not None:
        loss = ops.where(legal, loss, ops.logaddexp(loss, 0.0))
    loss = ops.maximum(loss, 0.0)  # Only rounding makes it negative.
    return ops.where(ops.all(possible, axis=1), loss, float("inf"))


def loss_within(
    emissions: Tensor,
    allowed: Tensor,
    mask: Tensor,
    scores: CRFScores,
    constraints: Sequence[Tensor] | None = None,
    tag_costs: Tensor | None = None,
) -> Tensor:
    """`-log p(every tag is allowed)` of each row, never below 0: `(batch,)`.

    This is `negative_log_likelihood` where more is known of a step than nothing and less than its tag: the score is the
    log-sum-exp over all paths within the allowed tags (Tsuboi et al. 2008).

    Args:
        emissions: `(batch, time, tags)`.
        allowed: `(batch, time, tags)` bool: what each step's tag may be, one tag at least.
        mask, scores, constraints: as for `negative_log_likelihood`; where no legal path is within the allowed tags,
            `Z` counts the others within them too.
        tag_costs: `(tags,)`; a step outside its allowed tags costs as much as the cheapest of these.

    >>> import numpy as np
    >>> scores = CRFScores(np.zeros(3), np.zeros((3, 3)), np.zeros(3))
    >>> allowed = np.array([[[True, False, True], [True, True, True]]])
    >>> loss = loss_within(np.zeros((1, 2, 3)), allowed, np.ones((1, 2), bool), scores)
    >>> round(float(np.exp(-loss)[0]), 6)  # 6 of the 9 paths
    0.666667
    """
    chain = check_chain(emissions, mask, scores)
    allowed = check_like_emissions("allowed", allowed, chain.emissions)
    emissions, mask, scores = chain
    legal_scores = constrain(scores, constraints)
    others = () if constraints is None else legal_scores
    loss = log_partition(add_costs_within(emissions, allowed, tag_costs), mask, legal_scores)
    loss = loss - with_expected_gradient(_paths_within, emissions, mask, scores, allowed, *others)
    if constraints is not None:
        fixed, fixed_scores = ops.stop_gradient(emissions), CRFScores(*map(ops.stop_gradient, legal_scores))
        legal = log_partition(restrict(fixed, allowed), mask, fixed_scores) > -float("inf")
        loss = ops.where(legal, loss, ops.logaddexp(loss, 0.0))
    return ops.maximum(loss, 0.0)  # Only rounding makes it negative.


def log_odds(
    chain: Chain, tags: Tensor, constraints: Sequence[Tensor] | None, tag_costs: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """`log Z` less the log-sum of the paths with the known tags, `(batch,)`; and whether a legal one is among these.

    The second is None without constraints. The arguments are checked.
    """
    emissions, mask, scores = chain
    legal_scores = constrain(scores, constraints)
    all_paths = log_partition(add_costs(emissions, tags, tag_costs), mask, legal_scores)
    if constraints is None:
        return all_paths - with_expected_gradient(_true_paths, emissions, mask, scores, tags), None
    odds = all_paths - with_expected_gradient(_true_paths, emissions, mask, scores, tags, *legal_scores)
    return odds, _log_sum_of_true_paths(emissions, tags, mask, legal_scores) > -float("inf")


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
        return tuple(_paths_within(emissions, mask, scores, compatible_tags(tags, emissions.shape[-1]), *legal_scores))

    return Expectations(*ops.cond(ops.all(tags >= 0), one, many))


def _paths_within(
    emissions: Tensor, mask: Tensor, scores: CRFScores, allowed: Tensor, *legal_scores: Tensor
) -> Expectations:
    """The expectations over the paths within the allowed tags; see `_true_paths` for `legal_scores`."""
    mask, restricted = ops.cast(mask, "bool"), restrict(emissions, ops.cast(allowed, "bool"))
    unconstrained = expectations(restricted, mask, scores)
    if not legal_scores:
        return unconstrained
    legal = expectations(restricted, mask, CRFScores(*legal_scores))
    exists = legal.log_partition > -float("inf")
    return Expectations(*(_choose(exists, x, y) for x, y in zip(legal, unconstrained, strict=True)))


def _choose(rows: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """`x` in the chosen rows, `y` in the others."""
    return ops.where(ops.reshape(rows, (-1,) + (1,) * (len(x.shape) - 1)), x, y)


def _log_sum_of_true_paths(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Log-sum-exp of the scores of the paths with the known tags, without gradient: `(batch,)`."""
    emissions, scores = ops.stop_gradient(emissions), CRFScores(*map(ops.stop_gradient, scores))

    def one() -> Tensor:
        return score_of_path(emissions, tags, mask, scores)

    def many() -> Tensor:
        return log_partition(restrict(emissions, compatible_tags(tags, emissions.shape[-1])), mask, scores)

    return ops.cond(ops.all(tags >= 0), one, many)


def add_costs(emissions: Tensor, tags: Tensor, tag_costs: Tensor | None) -> Tensor:
    """Emissions of wrong tags raised by the cost of missing the true one."""
    if tag_costs is None:
        return emissions
    costs = ops.take(ops.convert_to_tensor(tag_costs, dtype=emissions.dtype), ops.maximum(tags, 0))[..., None]
    return emissions + ops.where(compatible_tags(tags, emissions.shape[-1]), 0.0, costs)


def add_costs_within(emissions: Tensor, allowed: Tensor, tag_costs: Tensor | None) -> Tensor:
    """Emissions of tags that are not allowed raised by the cost of missing the cheapest allowed one."""
    if tag_costs is None:
        return emissions
    costs = ops.convert_to_tensor(tag_costs, dtype=emissions.dtype)
    cheapest = ops.min(ops.where(allowed, costs, float("inf")), axis=-1, keepdims=True)
    return emissions + ops.where(allowed, 0.0, cheapest)
