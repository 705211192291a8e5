"""The options of a scan over a sequence: order, mask and recurrent dropout, in the forward and the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import keras
from keras import ops

from seqtag.keras_internals import scan_with_trace
from seqtag.ops.recurrence import State, Tensor, checked_length

Kept = TypeVar("Kept")
Trace = TypeVar("Trace", bound=tuple)


class ScanOptions(NamedTuple):
    """How a recurrence runs over a sequence. All of it is time first, so that a step reads memory in one piece.

    Attributes:
        mask: bool `(time, batch, 1)`, True where a step is real; a masked step does not change the state.
        dropout_mask: factor on the hidden state that enters the recurrent product, `(1, batch, units)` for
            all steps or `(time, batch, units)`.
        reverse: whether time runs backwards; outputs stay at the step that they belong to.
        unroll: whether to write the steps out; needs a static time dimension.
        kernel_mask: factor on the recurrent kernel, of its shape; the same for all steps and rows.
    """

    mask: Tensor | None = None
    dropout_mask: Tensor | None = None
    reverse: bool = False
    unroll: bool = False
    kernel_mask: Tensor | None = None

    def run(
        self,
        step: Callable[[State, Tensor], tuple[State, Trace]],
        state: State,
        inputs: Tensor,
        widths: Trace,
        *,
        backward: bool = False,
    ) -> tuple[State, Trace]:
        """The last state of `(state, trace) = step(state, t)` over the steps of `inputs`, and all traces, time first.

        `widths` are those of the trace's tensors. `backward` runs in the opposite order, as gradients do.
        """
        reverse = self.reverse != backward
        if not self.unroll:
            return scan_with_trace(step, state, ops.shape(inputs)[0], widths, reverse)
        length = checked_length(inputs.shape[0])
        traces: list[Any] = [None] * length
        for t in reversed(range(length)) if reverse else range(length):
            state, traces[t] = step(state, t)
        return state, keras.tree.map_structure(lambda *values: ops.stack(values), *traces)

    def of_rows(self, rows: slice) -> ScanOptions:
        """The options of some rows of the batch."""
        mask, dropout_mask = (None if value is None else value[:, rows] for value in (self.mask, self.dropout_mask))
        return self._replace(mask=mask, dropout_mask=dropout_mask)

    def dropout_at(self, t: Tensor) -> Tensor | None:
        """The dropout mask `(batch, units)` of step t."""
        if self.dropout_mask is None:
            return None
        return self.dropout_mask[0 if self.dropout_mask.shape[0] == 1 else t]

    def keep_masked(self, t: Tensor, new: Kept, old: Kept) -> Kept:
        """The new tensors where step t is real, the old ones elsewhere."""
        if self.mask is None:
            return new
        real = self.mask[t]
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
        return hidden if self.dropout_mask is None else hidden * self.dropout_mask

    def zero_masked(self, values: Tensor) -> Tensor:
        """Values `(time, batch, units)`, zero at masked steps."""
        return self._fill_masked(values, 0.0)

    def one_masked(self, values: Tensor) -> Tensor:
        """Values `(time, batch, units)`, one at masked steps."""
        return self._fill_masked(values, 1.0)

    def _fill_masked(self, values: Tensor, fill: Any) -> Tensor:
        if self.mask is None:
            return values
        return ops.where(self.mask, values, ops.cast(fill, values.dtype))
