"""Long sequences cut into chunks of equal length, several sequences side by side; NumPy only.

A batch has a fixed number of rows, and each row works through one sequence, a chunk at a time. When a sequence ends,
its row takes the next one at the next chunk. What such a row still has left of its chunk repeats the sequence's last
step: values that the model can surely read, and that no loss counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np


def parallel_streams(sequence: np.ndarray, rows: int) -> np.ndarray:
    """One long sequence `(time, ...)` as `rows` streams side by side, `(rows, time // rows, ...)`.

    The steps that do not fill a row are left off. Nothing is copied where the array lies in one piece, a
    `numpy.memmap` included.

    Raises:
        ValueError: `rows` is below 1, or beyond the sequence.

    Example:
        >>> parallel_streams(np.arange(7), 2)
        array([[0, 1, 2],
               [3, 4, 5]])
    """
    if not 1 <= rows <= len(sequence):
        raise ValueError(f"expected rows to be from 1 to the {len(sequence)} steps of the sequence, found {rows}")
    steps = len(sequence) // rows
    return sequence[: rows * steps].reshape(rows, steps, *sequence.shape[1:])


class WindowShape(NamedTuple):
    """What one update of truncated backpropagation sees: `chunks` chunks of `k1` steps, of which `k2` get a gradient.

    Example:
        >>> shape = WindowShape(k1=4, k2=10)
        >>> shape.chunks, shape.lead, shape.loss_steps
        (3, 2, 4)
        >>> shape.cuts(), shape.cuts(at_chunks=True)
        ((0, 2, 4, 12), (0, 2, 4, 8, 12))
    """

    k1: int
    k2: int

    @property
    def chunks(self) -> int:
        """How many chunks hold the last `k2` steps."""
        return -(-self.k2 // self.k1)

    @property
    def steps(self) -> int:
        """The steps of all chunks."""
        return self.chunks * self.k1

    @property
    def lead(self) -> int:
        """How many steps of the first chunk come before the last `k2`: they only carry the state."""
        return self.steps - self.k2

    @property
    def loss_steps(self) -> int:
        """How many steps of the newest chunk count in the loss: its own, as far as they are within the last `k2`."""
        return min(self.k1, self.k2)

    def cuts(self, at_chunks: bool = False) -> tuple[int, ...]:
        """Where the model is called anew: after the lead, after the first chunk, and maybe after every chunk."""
        ends = range(self.k1, self.steps, self.k1) if at_chunks else (self.k1,)
        return tuple(sorted({0, self.lead, *ends, self.steps}))


class Chunk(NamedTuple):
    """Which steps stand in each row of a chunk; all fields are `(rows,)`.

    Attributes:
        sequence: number of the sequence in this row.
        start: its first step in this chunk.
        real: how many of the chunk's steps the sequence has; 0 in a row that has run out of sequences.
        fresh: whether the sequence begins here.
    """

    sequence: np.ndarray
    start: np.ndarray
    real: np.ndarray
    fresh: np.ndarray


def plan_chunks(lengths: np.ndarray, rows: int, size: int, order: Iterable[int] | None = None) -> Iterator[Chunk]:
    """The chunks of one pass over sequences of these lengths, each at least 1; there are as many rows or more.

    Example:
        >>> for chunk in plan_chunks(np.array([5, 2, 3]), rows=2, size=2):
        ...     print(chunk.sequence, chunk.start, chunk.real, chunk.fresh)
        [0 1] [0 0] [2 2] [ True  True]
        [0 2] [2 0] [2 2] [False  True]
        [0 2] [4 2] [1 1] [False False]
    """
    waiting = deque(range(len(lengths)) if order is None else order)
    sequence = np.array([waiting.popleft() for _ in range(rows)])
    start, fresh = np.zeros(rows, int), np.ones(rows, bool)
    while True:
        real = np.clip(lengths[sequence] - start, 0, size)
        if not real.any():
            return
        yield Chunk(sequence.copy(), start.copy(), real, fresh)
        start += size
        fresh = np.zeros(rows, bool)
        for row in np.flatnonzero(start >= lengths[sequence])[: len(waiting)]:
            sequence[row], start[row], fresh[row] = waiting.popleft(), 0, True


class Window(NamedTuple):
    """What one update works on.

    Attributes:
        x: inputs of all chunks, `(rows, chunks * k1, ...)`, or a dict of them.
        y: targets of the steps that count, `(rows, loss_steps, ...)`, or a dict of them.
        sample_weight: of these targets, `(rows, loss_steps)`, or None.
        real: which of these targets a sequence has, bool `(rows, loss_steps)`.
        fresh: in which rows a sequence begins with a chunk, bool `(chunks, rows)`.
    """

    x: Any
    y: Any
    sample_weight: Any
    real: np.ndarray
    fresh: np.ndarray


@dataclass(frozen=True)
class Sequences:
    """Inputs and targets of equal lengths: each an array, a list of arrays, or a dict of these.

    Attributes:
        x: `(sequences, time, ...)`, or sequences `(time, ...)` of any lengths.
        y: the same, a target a step.
        sample_weight: the same, a number a step; or None.
        lengths: `(sequences,)`, how many steps of each sequence there are.
    """

    x: Any
    y: Any
    sample_weight: Any
    lengths: np.ndarray

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any = None, lengths: Sequence[int] | None = None) -> Sequences:
        """Checks that all parts fit; without `lengths` the sequences are as long as they are.

        Raises:
            ValueError: parts that differ in their number of sequences or in their lengths, an array without a time
                axis, a sequence without steps, `lengths` beyond the data.
        """
        parts = {"x": x, "y": y} if sample_weight is None else {"x": x, "y": y, "sample_weight": sample_weight}
        parts = {name: _map(_as_arrays, part) for name, part in parts.items()}
        found = {
            name if key is None else f"{name}[{key!r}]": _lengths(name, leaf)
            for name, part in parts.items()
            for key, leaf in (part.items() if isinstance(part, dict) else [(None, part)])
        }
        first, *others = found
        for name in others:
            _check_equal(first, found[first], name, found[name])
        checked = found[first] if lengths is None else _checked_lengths(np.asarray(lengths), found[first])
        if not len(checked) or checked.min() < 1:
            raise ValueError("expected sequences of at least one step, found an empty one or none at all")
        return cls(parts["x"], parts["y"], parts.get("sample_weight"), checked)

    def windows(self, plan: Iterable[Chunk], shape: WindowShape) -> Iterator[Window]:
        """The window of each chunk of `plan` that has a target to count.

        Before the first chunk stand copies of it: every row begins anew with the first chunk, so that nothing of them
        counts, and all windows have one shape.
        """
        inputs: deque = deque(maxlen=shape.chunks)
        fresh: deque = deque(maxlen=shape.chunks)
        for chunk in plan:
            cut = _map(partial(self._cut, chunk=chunk, size=shape.k1), self.x)
            for _ in range(1 if inputs else shape.chunks):
                inputs.append(cut)
                fresh.append(chunk.fresh)
            if counts(chunk, shape):
                yield self._window(chunk, shape, list(inputs), np.stack(list(fresh)))

    def _window(self, chunk: Chunk, shape: WindowShape, inputs: list, fresh: np.ndarray) -> Window:
        unseen = shape.k1 - shape.loss_steps

        def cut(leaf: Any) -> np.ndarray:
            return self._cut(leaf, chunk, shape.k1)[:, unseen:]

        weight = None if self.sample_weight is None else _map(cut, self.sample_weight)
        real = np.arange(unseen, shape.k1) < chunk.real[:, None]
        return Window(_join(inputs), _map(cut, self.y), weight, real, fresh)

    def _cut(self, leaf: Any, chunk: Chunk, size: int) -> np.ndarray:
        """The steps of a chunk, `(rows, size, ...)`."""
        return np.stack([self._steps(leaf, *place, size) for place in zip(chunk.sequence, chunk.start, strict=True)])

    def _steps(self, leaf: Any, number: int, start: int, size: int) -> np.ndarray:
        end = self.lengths[number]
        steps = leaf[number][min(start, end - 1) : min(start + size, end)]
        return np.concatenate([steps, np.repeat(steps[-1:], size - len(steps), axis=0)])


def counts(chunk: Chunk, shape: WindowShape) -> bool:
    """Whether a target of this chunk is within the last k2 steps; where k2 < k1, sequences may end before them."""
    return bool(chunk.real.max() > shape.k1 - shape.loss_steps)


def _map(function: Callable[[Any], Any], part: Any) -> Any:
    return {key: function(leaf) for key, leaf in part.items()} if isinstance(part, dict) else function(part)


def _join(parts: list[Any]) -> Any:
    """Parts one after the other in time, leaf by leaf."""
    if isinstance(parts[0], dict):
        return {key: _join([part[key] for part in parts]) for key in parts[0]}
    return np.concatenate(parts, axis=1)


def _as_arrays(leaf: Any) -> Any:
    return leaf if isinstance(leaf, np.ndarray) else [np.asarray(sequence) for sequence in leaf]


def _lengths(name: str, leaf: Any) -> np.ndarray:
    axes = leaf.ndim if isinstance(leaf, np.ndarray) else 1 + min((sequence.ndim for sequence in leaf), default=1)
    if axes < 2:
        raise ValueError(
            f"expected {name} to be (batch, time, ...) or a list of sequences, found {axes} axis; "
            "parallel_streams makes rows of one long sequence"
        )
    return np.array([len(sequence) for sequence in leaf])


def _check_equal(name: str, lengths: np.ndarray, other: str, found: np.ndarray) -> None:
    if len(lengths) != len(found):
        raise ValueError(f"expected {other} to have the {len(lengths)} sequences of {name}, found {len(found)}")
    for number in np.flatnonzero(lengths != found)[:1]:
        raise ValueError(
            f"expected sequence {number} of {other} to have the {lengths[number]} steps of {name}, "
            f"found {found[number]}"
        )


def _checked_lengths(lengths: np.ndarray, available: np.ndarray) -> np.ndarray:
    if lengths.shape != available.shape:
        raise ValueError(f"expected lengths to be of {len(available)} sequences, found shape {lengths.shape}")
    for number in np.flatnonzero(lengths > available)[:1]:
        raise ValueError(
            f"expected length {number} to be at most the {available[number]} steps of x, found {lengths[number]}"
        )
    return lengths
