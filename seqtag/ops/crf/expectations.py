"""The log-partition of a CRF and what it expects of its paths. See `seqtag.ops.crf` for the arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from seqtag.keras_internals import custom_gradient
from seqtag.native import crf as native
from seqtag.ops.crf.alignment import Alignment
from seqtag.ops.crf.arguments import check_chain
from seqtag.ops.crf.forward_backward import forward_backward
from seqtag.ops.crf.kernels import is_native
from seqtag.ops.crf.scores import CRFScores, as_float, score_of_path, with_extra_step

Tensor = Any


class Expectations(NamedTuple):
    """What a CRF expects of its paths, by their probabilities."""

    log_partition: Tensor  # (batch,)
    marginals: Tensor  # (batch, time, tags): 0 at masked steps
    first: Tensor  # (batch, tags): the marginals of the first real step
    transitions: Tensor  # (batch, tags, tags): the number of steps from tag i to tag j
    last: Tensor  # (batch, tags): the marginals of the last real step


def log_partition(emissions: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Log-sum-exp of the scores of all paths: `(batch,)`, `-inf` where no path is allowed.

    Its gradient is the marginals and the expected number of each transition, which the recursions give: nothing is
    differentiated step by step, and scores of `-inf` bring no NaN.

    >>> import numpy as np
    >>> scores = CRFScores(np.zeros(3), np.zeros((3, 3)), np.zeros(3))
    >>> z = log_partition(np.zeros((1, 4, 3)), np.ones((1, 4), bool), scores)
    >>> round(float(np.exp(z)[0]))  # 3 ** 4 paths of score 0
    81
    """
    return with_expected_gradient(expectations, *check_chain(emissions, mask, scores))


def marginals(emissions: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """Probability of each tag at each step: `(batch, time, tags)`, 0 at masked steps.

    >>> import numpy as np
    >>> emissions, scores = np.log([[[1.0, 3.0]]]), CRFScores(np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    >>> np.asarray(marginals(emissions, np.ones((1, 1), bool), scores)).round(4).tolist()
    [[[0.25, 0.75]]]
    """
    return expectations(emissions, mask, scores).marginals


def expectations(emissions: Tensor, mask: Tensor, scores: CRFScores) -> Expectations:
    """Run the forward and backward recursions: log-partition, marginals and expected transitions."""
    emissions, mask, scores = check_chain(emissions, mask, scores)
    if is_native(emissions, scores):
        return Expectations(*native.expectations(emissions, mask, scores, _portable))
    return _portable(emissions, mask, *scores)


def _portable(emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Expectations:
    scores = CRFScores(start, transitions, end)
    emissions, mask = with_extra_step(emissions, mask)
    alignment = Alignment(mask)
    sums = forward_backward(emissions, scores, alignment)
    aligned = ops.transpose(sums.marginals, (1, 0, 2))
    spread = alignment.gather(aligned, alignment.rank)
    spread = ops.where(mask[..., None], spread, 0.0)
    not_empty = (alignment.lengths > 0)[:, None]
    first, last = (ops.where(not_empty, x, 0.0) for x in alignment.ends(aligned))
    return Expectations(sums.log_partition, spread[:, :-1], first, sums.transitions, last)


def path_expectations(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> Expectations:
    """The expectations where the path `tags (batch, time)` is the only one."""
    count = emissions.shape[-1]
    tags = ops.where(mask, ops.cast(tags, "int32"), -1)  # The one-hot row of -1 is 0.
    alignment = Alignment(ops.pad(mask, ((0, 0), (0, 1))))
    chosen = ops.one_hot(tags, count, dtype=emissions.dtype)
    aligned = alignment.gather(ops.pad(chosen, ((0, 0), (0, 1), (0, 0))), alignment.order)
    first, last = alignment.ends(aligned)
    moves = ops.einsum("bti,btj->bij", aligned[:, :-1], aligned[:, 1:])
    return Expectations(score_of_path(emissions, tags, mask, scores), chosen, first, moves, last)


def with_expected_gradient(
    expect: Callable[..., Expectations], emissions: Tensor, mask: Tensor, scores: CRFScores, *others: Tensor
) -> Tensor:
    """The log-partition of `expect(emissions, mask, scores, *others)`, with the expectations as its gradient.

    The derivative of a log-sum-exp over paths by a score is how often the paths are expected to use that score. The
    mask and the others reach `expect` as floats and have no gradient.
    """

    @custom_gradient
    def partition(
        emissions: Tensor, mask: Tensor, start: Tensor, transitions: Tensor, end: Tensor, *others: Tensor
    ) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]]]:
        expected = expect(emissions, mask, CRFScores(start, transitions, end), *others)

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

    # All are arguments, and floats: JAX differentiates by every tensor that the function uses.
    return partition(*map(as_float, (emissions, mask, *scores, *others)))
