"""Linear-chain conditional random fields: path scores, log-partition and marginals.

All functions take the same five arguments, in this order:

* `emissions (batch, time, tags)`: the score of each tag at each step, `-inf` where a tag may not be;
* `mask (batch, time)` bool: the real steps. Masked steps are skipped wherever they lie (before, between or
  after the real ones): the transition links the two real steps around a gap;
* `start (tags,)`, `transitions (tags, tags)`, `end (tags,)`: the scores of the first tag, of a step from
  tag `i` (row) to tag `j` (column), and of the last tag; `-inf` forbids.

A path `y` over the `n` real steps of a row has the score

    score(y) = start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_n]

and the probability `exp(score(y) - log Z)`, where the log-partition `log Z` is the log-sum-exp of the
scores of all paths (Lafferty, McCallum and Pereira 2001). A row without a real step has one path, the empty
one, of score 0.

All is computed in float32 (in float64 if the emissions are), whatever the dtype of the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras import ops

from seqtag.ops.crf.forward_backward import Alignment, Scores, forward_backward

Tensor = Any


class Expectations(NamedTuple):
    """What a CRF expects of its paths, by their probabilities."""

    log_partition: Tensor  # (batch,)
    marginals: Tensor  # (batch, time, tags): 0 at masked steps
    first: Tensor  # (batch, tags): the marginals of the first real step
    transitions: Tensor  # (batch, tags, tags): the number of steps from tag i to tag j
    last: Tensor  # (batch, tags): the marginals of the last real step


def as_scores(x: Tensor) -> Tensor:
    """Return `x` as a float32 tensor, or as float64 if it is one."""
    x = ops.convert_to_tensor(x)
    return x if "float64" in str(x.dtype) else ops.cast(x, "float32")


def as_padded_scores(
    emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Scores, Tensor]:
    """The scores, and the mask, with a masked step more: recursions have something to run over at time 0."""
    emissions, start, transitions, end = map(as_scores, (emissions, start, transitions, end))
    mask = ops.cast(mask, "bool")
    emissions = ops.pad(ops.where(mask[..., None], emissions, 0.0), ((0, 0), (0, 1), (0, 0)))
    return Scores(emissions, start, transitions, end), ops.pad(mask, ((0, 0), (0, 1)))


def path_score(
    emissions: Tensor, tags: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Tensor:
    """Score of the path `tags (batch, time)`: `(batch,)`, 0 for a row without a real step.

    >>> import numpy as np
    >>> emissions = np.array([[[1.0, 2.0], [3.0, 5.0]]])
    >>> transitions = np.array([[10.0, 20.0], [40.0, 80.0]])
    >>> boundary = np.array([100.0, 200.0])
    >>> tags, mask = np.array([[0, 1]]), np.ones((1, 2), bool)
    >>> float(path_score(emissions, tags, mask, boundary, transitions, boundary)[0])
    326.0
    """
    scores, mask = as_padded_scores(emissions, mask, start, transitions, end)
    tags = ops.where(mask, ops.pad(ops.cast(tags, "int32"), ((0, 0), (0, 1))), 0)
    alignment, count = Alignment(mask), scores.emissions.shape[-1]
    batch, time = ops.shape(mask)[0], ops.shape(mask)[1]
    cells = ops.reshape(ops.arange(batch * time, dtype="int32"), (batch, time)) * count + tags
    emitted = ops.where(mask, ops.take(ops.reshape(scores.emissions, (-1,)), cells), 0.0)
    path = alignment.gather(tags, alignment.order)
    moves = ops.take(ops.reshape(scores.transitions, (-1,)), path[:, :-1] * count + path[:, 1:])
    later = ops.arange(1, time, dtype="int32") < alignment.lengths[:, None]
    moves = ops.where(later, moves, 0.0)
    first, last = alignment.ends(path)
    boundary = ops.take(scores.start, first) + ops.take(scores.end, last)
    boundary = ops.where(alignment.lengths > 0, boundary, 0.0)
    return ops.sum(emitted, axis=1) + ops.sum(moves, axis=1) + boundary


def log_partition(emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Log-sum-exp of the scores of all paths: `(batch,)`, `-inf` where no path is allowed.

    Its gradient is the marginals and the expected number of each transition, which the recursions give:
    nothing is differentiated step by step, and scores of `-inf` bring no NaN.

    >>> import numpy as np
    >>> zeros = np.zeros(3)
    >>> z = log_partition(np.zeros((1, 4, 3)), np.ones((1, 4), bool), zeros, np.zeros((3, 3)), zeros)
    >>> round(float(np.exp(z)[0]))  # 3 ** 4 paths of score 0
    81
    """

    return with_expected_gradient(expectations, emissions, mask, start, transitions, end)


def with_expected_gradient(
    expect: Callable[..., Expectations],
    emissions: Tensor,
    mask: Tensor,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
    *others: Tensor,
) -> Tensor:
    """The log-partition of `expect(emissions, mask, start, transitions, end, *others)` with its gradient.

    What a score of the CRF adds to a log-sum-exp over paths is how often the paths are expected to use it. The
    mask and the others are handed on as floats, and have no gradient.
    """

    @ops.custom_gradient
    def partition(
        emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor, *others: Tensor
    ) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]]]:
        expected = expect(emissions, mask, start, transitions, end, *others)

        def gradient(*args: Tensor, upstream: Tensor = None) -> tuple[Tensor, ...]:
            weight = args[0] if upstream is None else upstream
            return (
                weight[:, None, None] * expected.marginals,
                ops.zeros_like(mask),
                ops.einsum("b,bi->i", weight, expected.first),
                ops.einsum("b,bij->ij", weight, expected.transitions),
                ops.einsum("b,bi->i", weight, expected.last),
                *map(ops.zeros_like, others),
            )

        return expected.log_partition, gradient

    # As arguments and as numbers, since JAX differentiates by all that it meets.
    return partition(*map(as_scores, (emissions, mask, start, transitions, end, *others)))


def marginals(emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Probability of each tag at each step: `(batch, time, tags)`, 0 at masked steps.

    >>> import numpy as np
    >>> emissions, zeros = np.log([[[1.0, 3.0]]]), np.zeros(2)
    >>> found = marginals(emissions, np.ones((1, 1), bool), zeros, np.zeros((2, 2)), zeros)
    >>> np.asarray(found).round(4).tolist()
    [[[0.25, 0.75]]]
    """
    return expectations(emissions, mask, start, transitions, end).marginals


def expectations(emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Expectations:
    """Run the forward and backward recursions: log-partition, marginals and expected transitions."""
    scores, longer_mask = as_padded_scores(emissions, mask, start, transitions, end)
    alignment = Alignment(longer_mask)
    sums = forward_backward(scores, alignment)
    aligned = ops.transpose(sums.marginals, (1, 0, 2))
    spread = alignment.gather(aligned, alignment.rank)
    spread = ops.where(longer_mask[..., None], spread, 0.0)
    some = (alignment.lengths > 0)[:, None]
    first, last = (ops.where(some, x, 0.0) for x in alignment.ends(aligned))
    return Expectations(sums.log_partition, spread[:, :-1], first, sums.transitions, last)


def path_expectations(
    emissions: Tensor, tags: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> Expectations:
    """The expectations where the path `tags (batch, time)` is the only one."""
    count = emissions.shape[-1]
    tags = ops.where(mask, ops.cast(tags, "int32"), -1)  # no tag, of which the one-hot row is 0
    alignment = Alignment(ops.pad(mask, ((0, 0), (0, 1))))
    chosen = ops.one_hot(tags, count, dtype=emissions.dtype)
    aligned = alignment.gather(ops.pad(chosen, ((0, 0), (0, 1), (0, 0))), alignment.order)
    first, last = alignment.ends(aligned)
    moves = ops.einsum("bti,btj->bij", aligned[:, :-1], aligned[:, 1:])
    score = path_score(emissions, tags, mask, start, transitions, end)
    return Expectations(score, chosen, first, moves, last)


def constrain(
    scores: Sequence[Tensor], constraints: Sequence[Tensor] | None, forbidden: float = -float("inf")
) -> tuple[Tensor, ...]:
    """Start, transition and end scores, `forbidden` where the boolean tables are False."""
    if constraints is None:
        return tuple(scores)
    return tuple(
        ops.where(ops.convert_to_tensor(allowed, dtype="bool"), score, forbidden)
        for score, allowed in zip(scores, constraints, strict=True)
    )


def known_tags(tags: Tensor, count: int) -> Tensor:
    """`(batch, time, count)` bool: the tag of each step, or all of them where it is negative.

    >>> import numpy as np
    >>> np.asarray(known_tags(np.array([[1, -1]]), 2)).tolist()
    [[[False, True], [True, True]]]
    """
    tags = ops.cast(tags, "int32")[..., None]
    return (tags == ops.arange(count, dtype="int32")) | (tags < 0)


def restrict(emissions: Tensor, allowed: Tensor) -> Tensor:
    """Emissions with `-inf` for the tags that are not `allowed`."""
    emissions = as_scores(emissions)
    return ops.where(allowed, emissions, -float("inf"))
