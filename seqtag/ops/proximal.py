"""Proximal operators of sparse penalties. The zeros that they make are exact, and never -0.0."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any


def soft_threshold(weights: Tensor, threshold: Tensor | float) -> Tensor:
    """Moves every weight towards zero by `threshold`, but not past zero.

    The proximal operator of t |w|_1 (Parikh and Boyd 2014, section 6.5.2):

        argmin_x  t |x|_1 + |x - w|_2^2 / 2  =  sign(w) max(|w| - t, 0).

    Args:
        weights: of any shape.
        threshold: t, zero or more; a tensor must broadcast against `weights`.

    Returns:
        The same shape. A threshold of zero changes nothing.

    Example:

        >>> soft_threshold(ops.array([-3.0, -0.5, 0.25, 2.0]), 0.5).numpy().tolist()
        [-2.5, 0.0, 0.0, 1.5]
    """
    # Subtracts a small weight from itself, so that the zero is exact and has no sign.
    return weights - ops.clip(weights, -threshold, threshold)


def group_soft_threshold(rows: Tensor, threshold: Tensor | float) -> Tensor:
    """Makes every row shorter by `threshold`; a row that is not longer than that becomes zero.

    The proximal operator of t sum_r |w_r|_2 (Parikh and Boyd 2014, section 6.5.4), the penalty of the group lasso
    (Yuan and Lin 2006) with rows as groups:

        w_r  <-  w_r max(0, 1 - t / |w_r|_2).

    Args:
        rows: `(..., rows, width)`; a group is a vector along the last axis.
        threshold: t, zero or more, one for all or `(..., rows)`.

    Returns:
        The same shape. A threshold of zero changes nothing.

    Example:

        >>> group_soft_threshold(ops.array([[3.0, 4.0], [-0.3, 0.4]]), 1.0).numpy().tolist()
        [[2.4000000953674316, 3.200000047683716], [0.0, 0.0]]
    """
    norms = ops.sqrt(ops.sum(ops.square(rows), axis=-1, keepdims=True))
    threshold = ops.expand_dims(ops.convert_to_tensor(threshold, rows.dtype), -1)
    # t / max(|w|, t) is min(t / |w|, 1): exactly 1 for a row that becomes zero, and 0 where t is 0.
    share = ops.divide_no_nan(threshold, ops.maximum(norms, threshold))
    return rows - rows * share
