"""The highest values of each row of a table, and the values at given places of each row."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any

# Rows are searched in blocks of so many places, where a row has more than a few blocks for each value to be found.
_BLOCK = 32


def best(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest values of each row, highest first, and their places, as `keras.ops.top_k` gives them.

    On a CPU `top_k` costs ten times what a maximum does. A long row is cut into blocks, and only the `count` blocks
    with the highest maxima are looked through: no other block has a value among the highest.

    Args:
        values: `(rows, places)`.
        count: how many.
    """
    places = ops.shape(values)[-1]
    if not isinstance(places, int) or places < 4 * count * _BLOCK:
        return ops.top_k(values, count)
    rows = ops.shape(values)[0]
    blocks = -(-places // _BLOCK)
    values = ops.pad(values, ((0, 0), (0, blocks * _BLOCK - places)), constant_values=-float("inf"))
    values = ops.reshape(values, (rows, blocks, _BLOCK))
    _, chosen = ops.top_k(ops.max(values, axis=-1), count)
    # In the order of their places: the first of equal values comes first.
    chosen = ops.sort(chosen, axis=-1)
    numbers = ops.reshape(chosen + blocks * ops.arange(rows, dtype="int32")[:, None], (-1,))
    candidates = ops.take(ops.reshape(values, (-1, _BLOCK)), numbers, axis=0)
    found, within = ops.top_k(ops.reshape(candidates, (rows, count * _BLOCK)), count)
    return found, take_within(chosen, within // _BLOCK) * _BLOCK + within % _BLOCK


def take_within(values: Tensor, places: Tensor) -> Tensor:
    """Of each row of `values (rows, n)` those at its `places (rows, k)`.

    `keras.ops.take_along_axis` does the same by a dozen operations where a graph does not know the shapes.
    """
    rows, count = ops.shape(values)
    offsets = ops.arange(rows, dtype="int32")[:, None] * count
    return ops.take(ops.reshape(values, (-1,)), places + offsets)
