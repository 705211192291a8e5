"""The options of a scan over a sequence: order, mask and recurrent dropout, in the forward and the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import keras
from keras import ops

from seqtag.ops.recurrence import State, Tensor, iterate, swap_time

Kept = TypeVar("Kept")


class ScanOptions(NamedTuple):
    """How a recurrence runs over a sequence.

    Attributes:
        mask: bool `(batch, time)`, True where a step is real; a masked step does not change the state.
        dropout_mask: factor on the hidden state that enters the recurrent product, `(batch, 1, units)` for
            all steps or `(batch, time, units)`.
        reverse: whether time runs backwards; outputs stay at the step that they belong to.
        unroll: whether to write the steps out; needs a static time dimension.
    """

    mask: Tensor | None = None
    dropout_mask: Tensor | None = None
    reverse: bool = False
    unroll: bool = False

    def run(
        self, step: Callable[[State, Tensor], State], state: State, inputs: Tensor, *, backward: bool = False
    ) -> tuple[State, State]:
        """The last of the states `step(state, t)`, and all of them, time first.

        `backward` runs in the opposite order, as gradients do.
        """
        times = ops.arange(ops.shape(inputs)[1])
        return iterate(step, state, times, reverse=self.reverse != backward, unroll=self.unroll)

    def dropout_at(self, t: Tensor) -> Tensor | None:
        """The dropout mask `(batch, units)` of step t."""
        if self.dropout_mask is None:
            return None
        return self.dropout_mask[:, 0 if self.dropout_mask.shape[1] == 1 else t]

    def keep_masked(self, t: Tensor, new: Kept, old: Kept) -> Kept:
        """The new tensors where step t is real, the old ones elsewhere."""
        if self.mask is None:
            return new
        real = self.mask[:, t][:, None]
        return keras.tree.map_structure(lambda n, o: ops.where(real, n, o), new, old)

    def back_to_hidden(self, d_gates: Tensor, transposed_kernel: Tensor, t: Tensor, d_hidden: Tensor) -> Tensor:
        """The gradient by h_{t-1} through the recurrent product; at a masked step t, that by h_t."""
        product = ops.matmul(ops.cast(d_gates, transposed_kernel.dtype), transposed_kernel)
        product = ops.cast(product, d_hidden.dtype)
        if self.dropout_mask is not None:
            product = product * self.dropout_at(t)
        return self.keep_masked(t, product, d_hidden)

    def before(self, states: Tensor, initial: Tensor) -> Tensor:
        """The states before each step, from those after it, `(time, batch, units)`."""
        if self.reverse:
            return ops.concatenate([states[1:], initial[None]], axis=0)
        return ops.concatenate([initial[None], states[:-1]], axis=0)

    def drop(self, hidden: Tensor) -> Tensor:
        """The hidden states `(time, batch, units)` as they enter the recurrent product, after dropout."""
        return hidden if self.dropout_mask is None else hidden * swap_time(self.dropout_mask)

    def zero_masked(self, values: Tensor) -> Tensor:
        """Values `(time, batch, units)`, zero at masked steps."""
        return self._fill_masked(values, 0.0)

    def one_masked(self, values: Tensor) -> Tensor:
        """Values `(time, batch, units)`, one at masked steps."""
        return self._fill_masked(values, 1.0)

    def _fill_masked(self, values: Tensor, fill: Any) -> Tensor:
        if self.mask is None:
            return values
        return ops.where(ops.transpose(self.mask)[..., None], values, ops.cast(fill, values.dtype))
