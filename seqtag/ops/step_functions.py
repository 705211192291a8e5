"""Step functions, which say how likely each symbol is to come next, and what searches over them share.

`step(symbols, state) -> (log_probabilities, state)` reads the last symbol of every row, `(rows,)` int32, and gives
log-probabilities `(rows, vocabulary)` of any floating dtype. The state is a nested structure of tensors
`(rows, ...)`. A language model and the decoder of a sequence-to-sequence model are both of this form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

Tensor = Any
State = Any
Step = Callable[[Tensor, State], tuple[Tensor, State]]

IMPOSSIBLE = -float("inf")


def repeat_rows(structure: State, times: int) -> State:
    """Every row of the tensors of a structure, one after the other, so often: `(batch, ...)` to `(batch * times, ...)`.

    Example:
        >>> ops.convert_to_numpy(repeat_rows({"hidden": ops.array([[1.0], [2.0]])}, 2)["hidden"]).tolist()
        [[1.0], [1.0], [2.0], [2.0]]
    """

    def repeat(tensor: Tensor) -> Tensor:
        return ops.repeat(tensor, times, axis=0) if times > 1 else ops.convert_to_tensor(tensor)

    return keras.tree.map_structure(repeat, structure)


def take_rows(structure: State, rows: Tensor) -> State:
    """The rows with these numbers, of every tensor of a structure."""
    return keras.tree.map_structure(lambda tensor: ops.take(tensor, rows, axis=0), structure)


def keep_known_shapes(after: State, before: State) -> State:
    """What a loop carries on after a step, with sizes that its graph knew before and lost: loops refuse to lose one."""

    def keep(new: Tensor, old: Tensor) -> Tensor:
        lost = any(n is None and o is not None for n, o in zip(new.shape, old.shape, strict=True))
        return ops.reshape(new, ops.shape(old)) if lost else new

    return keras.tree.map_structure(keep, after, before)


def forbid(log_probabilities: Tensor, forbidden: Tensor | None) -> Tensor:
    """Log-probabilities `(rows, vocabulary)`, `-inf` for the symbols that `forbidden (vocabulary,)` names."""
    if forbidden is None:
        return log_probabilities
    return ops.where(forbidden, ops.cast(IMPOSSIBLE, log_probabilities.dtype), log_probabilities)
