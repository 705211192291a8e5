"""The negative log-likelihood of a linear-chain CRF, step by step, so that steps can be weighted.

See `seqtag.ops.crf` for the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from seqtag.keras_internals import custom_gradient
from seqtag.ops.crf.alignment import Alignment
from seqtag.ops.crf.arguments import check_chain, check_tags
from seqtag.ops.crf.likelihood import add_costs, log_odds
from seqtag.ops.crf.scores import IMPOSSIBLE, CRFScores, compatible_tags, constrain, with_extra_step

Tensor = Any


def token_losses(
    emissions: Tensor,
    tags: Tensor,
    mask: Tensor,
    scores: CRFScores,
    constraints: Sequence[Tensor] | None = None,
    tag_costs: Tensor | None = None,
) -> Tensor:
    """`-log p(y_t | the known tags before t)` of each step: `(batch, time)`, 0 at masked steps.

    Their sum over time is `seqtag.ops.crf.negative_log_likelihood`, whose arguments these are, also with constraints,
    costs and tags that are not known. A step whose tag is not known has the loss 0.

    >>> import numpy as np
    >>> scores = CRFScores(np.zeros(2), np.log(np.array([[3.0, 1.0], [1.0, 1.0]])), np.zeros(2))
    >>> losses = token_losses(np.zeros((1, 2, 2)), np.array([[0, 1]]), np.ones((1, 2), bool), scores)
    >>> np.exp(-np.asarray(losses)).round(4).tolist()  # 4 of 6, then 1 of 4
    [[0.6667, 0.25]]
    """
    chain = check_chain(emissions, mask, scores)
    tags, possible = check_tags(tags, chain, unknown=True)
    legal_scores = constrain(chain.scores, constraints)
    losses = _legal_losses(add_costs(chain.emissions, tags, tag_costs), tags, chain.mask, legal_scores)
    if constraints is not None:
        losses = _beside_true_paths(losses, *log_odds(chain, tags, constraints, tag_costs))
    losses = ops.maximum(losses, 0.0)  # Only rounding makes them negative.
    return ops.where(possible, losses, float("inf"))


def _beside_true_paths(losses: Tensor, odds: Tensor, legal: Tensor) -> Tensor:
    """The losses in rows where no legal path has the known tags: the paths that have them then count beside the legal.

    The log-odds of the legal paths against them fall with each step by the loss among legal paths, and
    `log(1 + odds)` by the loss.
    """
    left = odds[:, None] - ops.cumsum(losses, axis=1)
    before = ops.concatenate([odds[:, None], left[:, :-1]], axis=1)
    return ops.where(legal[:, None], losses, ops.logaddexp(before, 0.0) - ops.logaddexp(left, 0.0))


def _legal_losses(emissions: Tensor, tags: Tensor, mask: Tensor, scores: CRFScores) -> Tensor:
    """The losses among the paths that the scores allow; a step that none of them can take costs `-IMPOSSIBLE`."""
    emissions, mask = with_extra_step(emissions, mask)
    known = compatible_tags(ops.pad(tags, ((0, 0), (0, 1))), emissions.shape[-1])
    alignment = Alignment(mask)

    def aligned(x: Tensor) -> Tensor:
        x = alignment.gather(ops.cast(x, emissions.dtype), alignment.order)
        return ops.transpose(x, (1, 0, *range(2, len(x.shape))))

    lengths = alignment.lengths[None]
    real = ops.cast(ops.arange(ops.shape(mask)[1], dtype="int32")[:, None] < lengths, emissions.dtype)
    clipped = (ops.maximum(x, IMPOSSIBLE) for x in (aligned(emissions), *scores))
    losses = _steps(next(clipped), aligned(known), real, *clipped)
    return ops.where(mask, alignment.gather(ops.transpose(losses), alignment.rank), 0.0)[:, :-1]


@custom_gradient
def _steps(
    emissions: Tensor, known: Tensor, real: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]]]:
    """The losses `(time, batch)` of aligned rows, from emissions and known tags `(time, batch, tags)`.

    With `a_t`, the log-sum of the paths with the known tags before step t that arrive at each tag, and `b_t`, that of
    what may follow, the loss is `logsumexp(a_t + b_t)` over all tags less that over the known ones. The gradient is
    written out, because XLA cannot differentiate loops of any length.
    """
    real_tags = real[..., None]

    def arrive(before: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        emission, known_now = now
        at_tag = ops.where(known_now > 0, before + emission, IMPOSSIBLE)
        return _relative(ops.logsumexp(at_tag[..., None] + transitions, axis=1)), before

    def follow(after: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        emission, is_real = now
        before = _relative(ops.logsumexp(transitions + (emission + after)[:, None, :], axis=2))
        return ops.where(is_real > 0, before, end), after

    nothing = ops.zeros_like(emissions[0])
    _, arrived = ops.scan(arrive, nothing + start, (emissions, known))
    _, after = ops.scan(follow, nothing + end, (emissions, real_tags), reverse=True)
    arrived = arrived + emissions
    paths = arrived + after
    kept = ops.where(known > 0, paths, IMPOSSIBLE)
    losses = ops.where(real > 0, ops.logsumexp(paths, axis=-1) - ops.logsumexp(kept, axis=-1), 0.0)

    def gradient(*args: Tensor, upstream: Tensor = None) -> tuple[Tensor, ...]:
        weight = (args[0] if upstream is None else upstream) * real
        direct = weight[..., None] * (ops.softmax(paths) - ops.softmax(kept))
        # Row t: the paths with the known tags up to t - 1, and the tags that lead into step t.
        earlier = ops.concatenate([nothing[None], ops.where(known > 0, arrived, IMPOSSIBLE)[:-1]], axis=0)
        earlier_known = ops.concatenate([nothing[None], known[:-1]], axis=0)
        later = ops.where(real_tags > 0, emissions + after, 0.0)

        def back(into: Tensor, now: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            direct_now, earlier_now, known_now = now
            total = direct_now + into
            shares = ops.softmax(earlier_now[..., None] + transitions, axis=1)
            return known_now * ops.sum(shares * total[:, None, :], axis=2), total

        def onward(before: Tensor, now: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            direct_now, later_now, is_real = now
            shares = ops.softmax(transitions + later_now[:, None, :], axis=2)
            total = direct_now + is_real * ops.sum(before[..., None] * shares, axis=1)
            return total, total

        _, by_arrival = ops.scan(back, nothing, (direct, earlier, earlier_known), reverse=True)
        _, by_rest = ops.scan(onward, nothing, (direct, later, real_tags))

        def add_moves(step: Tensor, moves: Tensor) -> Tensor:
            earlier_now, later_now = (ops.take(x, step, axis=0) for x in (earlier, later))
            arriving = ops.softmax(earlier_now[..., None] + transitions, axis=1)
            leaving = ops.softmax(transitions + later_now[:, None, :], axis=2)
            into = ops.take(by_arrival, step, axis=0)[:, None, :]
            out = (ops.take(by_rest, step - 1, axis=0) * ops.take(real_tags, step, axis=0))[..., None]
            return moves + ops.sum(arriving * into + leaving * out, axis=0)

        moves = ops.fori_loop(1, ops.shape(emissions)[0], add_moves, ops.zeros_like(transitions))
        next_real = ops.concatenate([real_tags[1:], ops.zeros_like(real_tags[:1])], axis=0)
        return (
            by_arrival + by_rest - direct,
            ops.zeros_like(known),
            ops.zeros_like(real),
            ops.sum(by_arrival[0], axis=0),
            moves,
            ops.sum(by_rest * real_tags * (1 - next_real), axis=(0, 1)),
        )

    return losses, gradient


def _relative(scores: Tensor) -> Tensor:
    """Scores relative to the best of each row."""
    return scores - ops.max(scores, axis=-1, keepdims=True)
