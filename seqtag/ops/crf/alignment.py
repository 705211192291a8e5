"""Where the real steps of each row are, so that loops over time need no mask."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any


class Alignment:
    """A `mask (batch, time)` turned into indices. In aligned arrays the real steps of each row come first.

    Attributes:
        lengths: `(batch,)`, how many real steps each row has.
        order: `(batch, time)`, the step that each aligned place comes from; masked steps come last.
        rank: `(batch, time)`, the aligned place of each real step; a masked step has that of the real one before it.

    >>> import numpy as np
    >>> found = Alignment(np.array([[False, True, False, True]]))
    >>> [np.asarray(x).tolist() for x in (found.lengths, found.order, found.rank)]
    [[2], [[1, 3, 0, 2]], [[0, 0, 0, 1]]]
    """

    def __init__(self, mask: Tensor) -> None:
        batch, time = ops.shape(mask)[0], ops.shape(mask)[1]
        steps = ops.arange(time, dtype="int32")[None]
        ones = ops.cast(mask, "int32")
        self.lengths = ops.sum(ones, axis=1)
        self.order = ops.cast(ops.argsort(ops.where(mask, steps, steps + time), axis=1), "int32")
        self.rank = ops.maximum(ops.cumsum(ones, axis=1) - 1, 0)
        self._offsets = ops.arange(batch, dtype="int32")[:, None] * time

    def gather(self, x: Tensor, index: Tensor) -> Tensor:
        """`x (batch, time, ...)` at the steps `index (batch, n)` of each row."""
        return ops.take(ops.reshape(x, (-1, *x.shape[2:])), index + self._offsets, axis=0)

    def ends(self, aligned: Tensor) -> tuple[Tensor, Tensor]:
        """First and last real entry of each row of `aligned (batch, time, ...)`."""
        return aligned[:, 0], self.gather(aligned, ops.maximum(self.lengths - 1, 0)[:, None])[:, 0]
