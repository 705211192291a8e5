"""Norms of gradients, and the rules that clip them: pure functions on lists of tensors.

A rule takes gradients and returns gradients of the same shapes, in the same order. Each rule has three properties: what
it bounds is at most the threshold afterwards, what was below the threshold does not change, and applying the rule again
changes nothing. All rules except `clip_by_value` keep directions. Gradients that are not finite stay so: clipping
cannot repair them, and a rule that hid them would hide the fault.
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
    """The sum of squares over all elements, in float32 or better: float16 overflows at the square of 256."""
    gradient = _at_least_single(gradient)
    flat = ops.reshape(gradient, (-1,))
    return ops.sum(flat * flat)


def global_norm(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients as one vector.

    >>> print(float(global_norm([ops.array([3.0]), ops.array([[4.0]])])))
    5.0
    """
    return ops.sqrt(ops.sum(ops.stack([squared_norm(gradient) for gradient in gradients])))


def clip_by_value(gradients: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """Clips every element to `[-threshold, threshold]`; the direction may change.

    >>> print(ops.convert_to_numpy(clip_by_value([ops.array([3.0, -0.5])], 1.0)[0]))
    [ 1.  -0.5]
    """
    return [ops.clip(g, -ops.cast(threshold, g.dtype), ops.cast(threshold, g.dtype)) for g in gradients]


def clip_by_norm(gradients: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """Scales each gradient by itself to a norm of at most `threshold`.

    >>> print(ops.convert_to_numpy(clip_by_norm([ops.array([3.0, 4.0])], 1.0)[0]))
    [0.6 0.8]
    """
    return [_scale(gradient, shrinkage(norm(gradient), threshold)) for gradient in gradients]


def clip_by_global_norm(gradients: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """Scales all gradients by one factor to a global norm of at most `threshold` (Pascanu, Mikolov and Bengio 2013,
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
    """Scales the gradient of each unit to a norm of at most `threshold` times the norm of the unit's weights.

    This is adaptive gradient clipping (Brock, De, Smith and Simonyan 2021, section 4).

    Args:
        gradients: one for each variable.
        weights: the variables, each with the shape of its gradient.
        threshold: the greatest ratio of the two norms.
        floor: the smallest norm of weights to reckon with, so that a unit that starts at zero can move.

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
    """The norm of each unit, with axes kept: over all axes but the last of a kernel, over the whole of a vector."""
    values = _at_least_single(values)
    axes = tuple(range(max(1, len(values.shape) - 1))) if len(values.shape) else ()
    return ops.sqrt(ops.sum(values * values, axis=axes, keepdims=True))


def shrinkage(size: Tensor, threshold: Tensor) -> Tensor:
    """The factor, at most 1, that brings `size` to `threshold`.

    The factor is exactly 1 within a millionth of the threshold: rounding may leave a shrunk size just above it, and a
    second clipping must not change it.

    >>> print(float(shrinkage(ops.array(4.0), 1.0)), float(shrinkage(ops.array(0.0), 1.0)))
    0.25 1.0
    """
    threshold = ops.cast(threshold, size.dtype)
    # In the order of `tf.clip_by_global_norm`, so that both give the same bits.
    factor = threshold * ops.minimum(1 / size, 1 / threshold)
    return ops.where(size > threshold * (1 + 1e-6), factor, ops.ones_like(factor))


def percentile(values: Tensor, count: Tensor, share: float) -> Tensor:
    """The value below which `share` percent of the first `count` of `values` are, interpolated linearly.

    Args:
        values: `(capacity,)`, of which the first `count` are set.
        count: at least 1.
        share: 0 to 100.

    >>> print(float(percentile(ops.array([3.0, 1.0, 2.0, 9.0]), 3, 50.0)))
    2.0
    """
    capacity = values.shape[0]
    unset = ops.arange(capacity) >= ops.cast(count, "int32")
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
