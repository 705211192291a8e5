"""Norms of gradients, and the rules that clip them: pure functions on lists of tensors.

A rule takes gradients and gives gradients of the same shapes, in the same order. Each keeps to three properties: the
measure that it bounds is at or under the threshold afterwards, what was under it is untouched, and applying it again
changes nothing. All but `clip_by_value` keep directions. Gradients that are not finite stay so: clipping cannot mend
them, and a rule that hid them would hide the fault.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from seqtag.ops.recurrence import Tensor


def norm(gradient: Tensor) -> Tensor:
    """The Euclidean norm over all elements, in float32 or better."""
    return ops.sqrt(squared_norm(gradient))


def squared_norm(gradient: Tensor) -> Tensor:
    """The sum of squares over all elements; half-precision squares would overflow at 256."""
    gradient = _at_least_single(gradient)
    flat = ops.reshape(gradient, (-1,))
    return ops.sum(flat * flat)


def global_norm(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients as one vector.

    >>> print(float(global_norm([ops.array([3.0]), ops.array([[4.0]])])))
    5.0
    """
    return ops.sqrt(sum(squared_norm(gradient) for gradient in gradients))


def clip_by_value(gradients: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """Every element into `[-threshold, threshold]`; the direction may change.

    >>> print(ops.convert_to_numpy(clip_by_value([ops.array([3.0, -0.5])], 1.0)[0]))
    [ 1.  -0.5]
    """
    return [ops.clip(g, -ops.cast(threshold, g.dtype), ops.cast(threshold, g.dtype)) for g in gradients]


def clip_by_norm(gradients: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """Every gradient alone scaled to a norm of at most `threshold`.

    >>> print(ops.convert_to_numpy(clip_by_norm([ops.array([3.0, 4.0])], 1.0)[0]))
    [0.6 0.8]
    """
    return [_scale(gradient, shrinkage(norm(gradient), threshold)) for gradient in gradients]


def clip_by_global_norm(gradients: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """All gradients scaled by one factor to a global norm of at most `threshold` (Pascanu, Mikolov and Bengio 2013,
    algorithm 1).

    >>> clipped = clip_by_global_norm([ops.array([3.0]), ops.array([4.0])], 2.5)
    >>> print([float(gradient[0]) for gradient in clipped])
    [1.5, 2.0]
    """
    factor = shrinkage(global_norm(gradients), threshold)
    return [_scale(gradient, factor) for gradient in gradients]


def clip_adaptive(
    gradients: Sequence[Tensor], weights: Sequence[Tensor], threshold: Tensor, floor: float = 1e-3
) -> list[Tensor]:
    """Adaptive gradient clipping (Brock, De, Smith and Simonyan 2021, section 4): each unit's gradient scaled to a
    norm of at most `threshold` times the norm of the unit's weights.

    Args:
        gradients: of each variable.
        weights: the variables, each of its gradient's shape.
        threshold: the greatest ratio.
        floor: weights of a smaller norm count as of this one, so that a unit that starts at zero can move.

    >>> clipped = clip_adaptive([ops.array([[3.0], [4.0]])], [ops.array([[0.0], [2.0]])], 0.5)
    >>> print([round(float(value), 3) for value in clipped[0][:, 0]])
    [0.6, 0.8]
    """
    clipped = []
    for gradient, weight in zip(gradients, weights, strict=True):
        allowed = threshold * ops.maximum(unit_norms(weight), floor)
        clipped.append(_scale(gradient, shrinkage(unit_norms(gradient), allowed)))
    return clipped


def unit_norms(values: Tensor) -> Tensor:
    """The norm of each unit, with axes kept: over all axes but the last of a kernel, over all of a vector."""
    values = _at_least_single(values)
    axes = tuple(range(max(1, len(values.shape) - 1))) if len(values.shape) else ()
    return ops.sqrt(ops.sum(values * values, axis=axes, keepdims=True))


def shrinkage(size: Tensor, threshold: Tensor) -> Tensor:
    """The factor, at most 1, that brings `size` to `threshold`.

    Where rounding would leave a shrunk size a hair above, a second clipping would move it again; the factor is
    therefore exactly 1 within a millionth of the threshold.

    >>> print(float(shrinkage(ops.array(4.0), 1.0)), float(shrinkage(ops.array(0.0), 1.0)))
    0.25 1.0
    """
    threshold = ops.cast(threshold, size.dtype)
    factor = threshold / ops.maximum(size, threshold)
    return ops.where(size > threshold * (1 + 1e-6), factor, ops.ones_like(factor))


def percentile(values: Tensor, count: Tensor, share: float) -> Tensor:
    """The value under which `share` percent of the first `count` of `values` lie, interpolated linearly.

    Args:
        values: `(window,)`, of which the first `count` are set.
        count: at least 1.
        share: 0 to 100.

    >>> print(float(percentile(ops.array([3.0, 1.0, 2.0, 9.0]), 3, 50.0)))
    2.0
    """
    window = values.shape[0]
    unset = ops.arange(window) >= ops.cast(count, "int32")
    ordered = ops.sort(ops.where(unset, ops.full_like(values, float("inf")), values))
    position = ops.cast(count - 1, values.dtype) * (share / 100)
    below = ops.cast(ops.floor(position), "int32")
    above = ops.cast(ops.ceil(position), "int32")
    low, high = ops.take(ordered, below), ops.take(ordered, above)
    return low + (high - low) * (position - ops.cast(below, values.dtype))


def _scale(gradient: Tensor, factor: Tensor) -> Tensor:
    return gradient * ops.cast(factor, gradient.dtype)


def _at_least_single(values: Tensor) -> Tensor:
    half = keras.backend.standardize_dtype(values.dtype) in ("float16", "bfloat16")
    return ops.cast(values, "float32") if half else values
