"""The forward and backward recursions of a linear-chain CRF, in one loop over time.

Arrays are time-major here and aligned: the real steps of each row come first, so that the loop needs no mask.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from seqtag.ops.crf.alignment import Alignment
from seqtag.ops.crf.scores import IMPOSSIBLE, CRFScores

Tensor = Any

# A float32 sum of at least this size is exact enough: terms below 1.2e-38, which become 0, do not count in it.
_SMALLEST = 1e-30


class Sums(NamedTuple):
    """What the recursions give."""

    log_partition: Tensor  # (batch,)
    marginals: Tensor  # (time, batch, tags), aligned
    transitions: Tensor  # (batch, tags, tags): expected number of steps from tag i to tag j
    backward: Tensor  # (time, batch, tags), aligned: log-sum of the rest of each path, up to a constant


class _Directions:
    """Time-major indices that put the real steps in a row's order and, within each row's length, in reverse."""

    def __init__(self, alignment: Alignment) -> None:
        order = alignment.order
        batch, time = ops.shape(order)[0], ops.shape(order)[1]
        step = ops.arange(time, dtype="int32")[:, None]
        lengths = alignment.lengths[None]
        self.real = step < lengths
        self.last = step == lengths - 1
        mirror = ops.where(self.real, lengths - 1 - step, step)
        self._mirror = mirror * batch + ops.arange(batch, dtype="int32")[None]
        forward = ops.transpose(order + ops.arange(batch, dtype="int32")[:, None] * time)
        backward = ops.take(ops.reshape(forward, (-1,)), self._mirror)
        self._both = ops.stack([forward, backward], axis=-1)

    def both(self, x: Tensor) -> Tensor:
        """`(batch, time, n)` as `(time, batch, 2, n)`: each row forwards and backwards."""
        return ops.take(ops.reshape(x, (-1, x.shape[-1])), self._both, axis=0)

    def mirror(self, x: Tensor) -> Tensor:
        """`x (time, batch, n)` from backward order to forward order."""
        return ops.take(ops.reshape(x, (-1, x.shape[-1])), self._mirror, axis=0)


def forward_backward(emissions: Tensor, scores: CRFScores, alignment: Alignment) -> Sums:
    """Run both recursions over emissions that are 0 at masked steps; `time` must not be 0.

    They run as products of probabilities with matrices (Rabiner 1989, section V.A), which cost a third of a
    log-sum-exp. There a state 69 nats below the best one begins to lose digits, and it may be the only state that the
    constraints allow. So every sum is checked, and a batch with a sum that is too small is computed again by
    log-sum-exp.
    """
    directions = _Directions(alignment)
    certain, fast = _by_products(emissions, scores, alignment, directions)
    return Sums(*ops.cond(certain, lambda: tuple(fast), lambda: tuple(_by_log_sums(emissions, scores, directions))))


def _by_products(
    emissions: Tensor, scores: CRFScores, alignment: Alignment, directions: _Directions
) -> tuple[Tensor, Sums]:
    """Whether all sums were large enough, and the result if so."""
    top, start_top, end_top = map(_top, (emissions, scores.start, scores.end))
    move_top = ops.max(_top(scores.transitions))
    moves = ops.exp(scores.transitions - move_top)
    boundary = ops.concatenate([ops.exp(scores.start - start_top), ops.exp(scores.end - end_top)])
    weights = directions.both(ops.exp(emissions - top))
    before = _scan_products(boundary, _both_moves(moves), weights)

    sums = before * weights
    scales = ops.max(sums, axis=-1, keepdims=True)
    forward, scale = sums[:, :, 0], scales[:, :, 0]
    after, backward = directions.mirror(before[:, :, 1]), directions.mirror(sums[:, :, 1])
    joint = forward * after
    norm = ops.sum(joint, axis=-1, keepdims=True)

    log_steps = ops.log(ops.where(directions.last[..., None], norm, scale))
    tops = ops.sum(top, axis=(1, 2)) + start_top[0] + end_top[0]
    moved = ops.cast(alignment.lengths - 1, top.dtype) * move_top
    log_z = ops.sum(ops.where(directions.real[..., None], log_steps, 0.0), axis=(0, 2)) + tops + moved
    later = directions.real[1:, :, None]
    departing = ops.where(later, (forward / scale)[:-1], 0.0)
    arriving = ops.where(later, (backward / norm)[1:], 0.0)
    result = Sums(
        ops.where(alignment.lengths > 0, log_z, 0.0),
        joint / norm,
        moves * ops.einsum("tbi,tbj->bij", departing, arriving),
        ops.log(backward),
    )
    real = directions.real[:, :, None]
    enough = (before >= _SMALLEST) | ops.logical_not(_reachable(emissions, scores, directions))
    enough = ops.all(enough, axis=-1) & (scales[..., 0] >= _SMALLEST) & (norm >= _SMALLEST)
    return ops.all(enough | ops.logical_not(real)), result


def _scan_products(boundary: Tensor, moves: Tensor, weights: Tensor) -> Tensor:
    """`before[t] = normalised(before[t-1] * weights[t-1]) @ moves`, from `before[0] = boundary`.

    One row holds both directions, and `moves` is block-diagonal: on a CPU one plain product is many times as fast as a
    batch of two.
    """
    tags = weights.shape[-1]
    first = ops.zeros_like(ops.reshape(weights[0], (-1, 2 * tags))) + boundary

    def step(before: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        sums = ops.reshape(before * weight, (-1, 2, tags))
        shares = sums / ops.max(sums, axis=-1, keepdims=True)
        after = ops.matmul(ops.reshape(shares, (-1, 2 * tags)), moves)
        return after, after

    flat = ops.reshape(weights, (*ops.shape(weights)[:2], 2 * tags))
    _, after = ops.scan(step, first, flat)
    before = ops.concatenate([first[None], after[:-1]], axis=0)
    return ops.reshape(before, ops.shape(weights))


def _both_moves(moves: Tensor) -> Tensor:
    """The block-diagonal matrix of moves: forwards in the first half of a row, backwards in the second."""
    zeros = ops.zeros_like(moves)
    return ops.concatenate(
        [ops.concatenate([moves, zeros], axis=1), ops.concatenate([zeros, ops.transpose(moves)], axis=1)],
        axis=0,
    )


def _reachable(emissions: Tensor, scores: CRFScores, directions: _Directions) -> Tensor:
    """The tags that an allowed tag of the step before (in each direction) may lead to: `(time, batch, 2, tags)`."""
    dtype, tags = emissions.dtype, emissions.shape[-1]
    allowed = directions.both(ops.cast(emissions > IMPOSSIBLE, dtype))
    moves = _both_moves(ops.cast(scores.transitions > IMPOSSIBLE, dtype))
    paths = ops.matmul(ops.reshape(allowed, (-1, 2 * tags)), moves)
    later = ops.reshape(paths, ops.shape(allowed))[:-1] > 0
    first = ops.stack([scores.start, scores.end]) > IMPOSSIBLE
    return ops.concatenate([ops.zeros_like(later[:1]) | first, later], axis=0)


def _by_log_sums(emissions: Tensor, scores: CRFScores, directions: _Directions) -> Sums:
    """The same in log space: `before[t] = logsumexp(before[t-1] + emissions[t-1] + transitions)`."""
    emissions = directions.both(ops.maximum(emissions, IMPOSSIBLE))
    transitions = ops.maximum(scores.transitions, IMPOSSIBLE)
    moves = ops.stack([transitions, ops.transpose(transitions)])
    first = ops.zeros_like(emissions[0]) + ops.maximum(ops.stack([scores.start, scores.end]), IMPOSSIBLE)

    def step(before: Tensor, emission: Tensor) -> tuple[Tensor, Tensor]:
        sums = before + emission
        shares = sums - ops.max(sums, axis=-1, keepdims=True)
        after = ops.logsumexp(shares[..., None] + moves, axis=2)
        return after, after

    _, after = ops.scan(step, first, emissions)
    before = ops.concatenate([first[None], after[:-1]], axis=0)
    sums = before + emissions
    forward, backward = sums[:, :, 0], directions.mirror(sums[:, :, 1])
    scale = ops.max(forward, axis=-1, keepdims=True)
    joint = forward + directions.mirror(before[:, :, 1])
    norm = ops.logsumexp(joint, axis=-1, keepdims=True)

    real = directions.real[..., None]
    log_steps = ops.where(real, ops.where(directions.last[..., None], norm, scale), 0.0)
    log_z = ops.sum(log_steps, axis=(0, 2))
    arriving = ops.where(real, backward - norm, IMPOSSIBLE)
    counts = _count_moves(forward - scale, transitions, arriving)
    none = log_z < IMPOSSIBLE / 2  # no path is allowed
    return Sums(
        ops.where(none, -float("inf"), log_z),
        ops.where(none[None, :, None], 0.0, ops.exp(joint - norm)),
        ops.where(none[:, None, None], 0.0, counts),
        backward,
    )


def _count_moves(departing: Tensor, transitions: Tensor, arriving: Tensor) -> Tensor:
    """Sum over time of the probabilities of each transition: `(batch, tags, tags)`."""

    def add(step: Tensor, counts: Tensor) -> Tensor:
        before, after = ops.take(departing, step - 1, axis=0), ops.take(arriving, step, axis=0)
        return counts + ops.exp(before[:, :, None] + transitions + after[:, None, :])

    nothing = ops.zeros_like(departing[0][:, :, None] + transitions)
    return ops.fori_loop(1, ops.shape(departing)[0], add, nothing)


def _top(x: Tensor) -> Tensor:
    """Largest entry of the last axis, kept as an axis of 1; 0 where all are impossible."""
    top = ops.max(x, axis=-1, keepdims=True)
    return ops.where(top > IMPOSSIBLE, top, 0.0)
