"""Long sequences cut into chunks of equal length, several sequences side by side; NumPy only.

A batch has a fixed number of rows, and each row goes through one sequence, a chunk at a time. When a sequence ends
within a chunk, the rest of that chunk repeats the sequence's last step, which is valid input for the model and counts
in no loss. The row takes another sequence with the next chunk.
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

    Steps at the end that do not fill a row are left out. An array that is contiguous, such as a `numpy.memmap`, is not
    copied.

    Raises:
        ValueError: `rows` is below 1 or above the number of steps.

    Example:
        >>> parallel_streams(np.arange(7), 2)
        array([[0, 1, 2],
               [3, 4, 5]])
    """
    if not 1 <= rows <= len(sequence):
        raise ValueError(f"expected rows to be from 1 to the {len(sequence)} steps of the sequence, found {rows}")
    steps = len(sequence) // rows
    return sequence[: rows * steps].reshape(rows, steps, *sequence.shape[1:])


class UnrollShape(NamedTuple):
    """The steps that one update of truncated backpropagation runs: `chunks` chunks of `k1` steps.

    Gradients flow back over the last `k2` of these steps.

    Example:
        >>> shape = UnrollShape(k1=4, k2=10)
        >>> shape.chunks, shape.lead, shape.loss_steps
        (3, 2, 4)
        >>> shape.cuts(), shape.cuts(at_chunks=True)
        ((0, 2, 4, 12), (0, 2, 4, 8, 12))
    """

    k1: int
    k2: int

    @property
    def chunks(self) -> int:
        """The number of chunks that the last `k2` steps need."""
        return -(-self.k2 // self.k1)

    @property
    def steps(self) -> int:
        """The number of steps of all chunks."""
        return self.chunks * self.k1

    @property
    def lead(self) -> int:
        """The number of steps of the first chunk before the last `k2`; they only carry the state."""
        return self.steps - self.k2

    @property
    def loss_steps(self) -> int:
        """The number of steps of the newest chunk that count in the loss: those within the last `k2`."""
        return min(self.k1, self.k2)

    def cuts(self, at_chunks: bool = False) -> tuple[int, ...]:
        """Where calls of the model start and end: at the lead, the first chunk, and with `at_chunks` at every chunk."""
        ends = range(self.k1, self.steps, self.k1) if at_chunks else (self.k1,)
        return tuple(sorted({0, self.lead, *ends, self.steps}))


class Chunk(NamedTuple):
    """The steps in each row of a chunk; all fields are `(rows,)`.

    Attributes:
        sequence: the number of the sequence in the row.
        start: the step of the sequence at which the chunk starts.
        real: the number of the chunk's steps that the sequence has; 0 in a row when no sequence is left.
        fresh: whether the sequence starts with this chunk.
    """

    sequence: np.ndarray
    start: np.ndarray
    real: np.ndarray
    fresh: np.ndarray


def plan_chunks(lengths: np.ndarray, rows: int, size: int, order: Iterable[int] | None = None) -> Iterator[Chunk]:
    """The chunks of one pass over sequences of these lengths, each at least 1; there are at least `rows` sequences.

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


class Unroll(NamedTuple):
    """The data of one update.

    Attributes:
        x: the inputs of all chunks, `(rows, chunks * k1, ...)`, or a dict of them.
        y: the targets that count, `(rows, loss_steps, ...)`, or a dict of them.
        sample_weight: their weights, `(rows, loss_steps)`, or None.
        real: whether each of these targets is one of a sequence, bool `(rows, loss_steps)`.
        fresh: whether a sequence starts with a chunk in a row, bool `(chunks, rows)`.
    """

    x: Any
    y: Any
    sample_weight: Any
    real: np.ndarray
    fresh: np.ndarray


@dataclass(frozen=True)
class Sequences:
    """Inputs and targets of the same lengths; each is an array, a list of arrays, or a dict of these.

    Attributes:
        x: `(sequences, time, ...)`, or sequences `(time, ...)` of any lengths.
        y: the same, with a target for every step.
        sample_weight: the same, with a number for every step; or None.
        lengths: the number of steps of each sequence, `(sequences,)`.
    """

    x: Any
    y: Any
    sample_weight: Any
    lengths: np.ndarray

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any = None, lengths: Sequence[int] | None = None) -> Sequences:
        """Checks that all parts fit; without `lengths` every step of a sequence counts.

        Raises:
            ValueError: the parts differ in their number of sequences or in their lengths; an array has no time axis; a
                sequence has no steps; `lengths` are beyond the data.
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

    def unrolls(self, plan: Iterable[Chunk], shape: UnrollShape) -> Iterator[Unroll]:
        """The unroll that ends with each chunk of `plan`, if that chunk has a target that counts.

        Copies of the first chunk come before it, so that all unrolls have one shape. They change nothing: with the
        first chunk itself, every row starts from a state of zeros.
        """
        inputs: deque = deque(maxlen=shape.chunks)
        fresh: deque = deque(maxlen=shape.chunks)
        for chunk in plan:
            cut = _map(partial(self._cut, chunk=chunk, size=shape.k1), self.x)
            for _ in range(1 if inputs else shape.chunks):
                inputs.append(cut)
                fresh.append(chunk.fresh)
            if counts(chunk, shape):
                yield self._unroll(chunk, shape, list(inputs), np.stack(list(fresh)))

    def beginnings(self, rows: int, steps: int) -> Any:
        """The first steps of the longest sequences: inputs `(rows, steps, ...)`, or a dict of them."""
        longest = np.argsort(-self.lengths, kind="stable")[:rows]
        chunk = Chunk(longest, np.zeros(rows, int), self.lengths[longest], np.ones(rows, bool))
        return _map(partial(self._cut, chunk=chunk, size=steps), self.x)

    def _unroll(self, chunk: Chunk, shape: UnrollShape, inputs: list, fresh: np.ndarray) -> Unroll:
        uncounted = shape.k1 - shape.loss_steps

        def cut(leaf: Any) -> np.ndarray:
            return self._cut(leaf, chunk, shape.k1)[:, uncounted:]

        weight = None if self.sample_weight is None else _map(cut, self.sample_weight)
        real = np.arange(uncounted, shape.k1) < chunk.real[:, None]
        return Unroll(_join(inputs), _map(cut, self.y), weight, real, fresh)

    def _cut(self, leaf: Any, chunk: Chunk, size: int) -> np.ndarray:
        """The steps of a chunk, `(rows, size, ...)`."""
        return np.stack([self._steps(leaf, *place, size) for place in zip(chunk.sequence, chunk.start, strict=True)])

    def _steps(self, leaf: Any, number: int, start: int, size: int) -> np.ndarray:
        end = self.lengths[number]
        steps = leaf[number][min(start, end - 1) : min(start + size, end)]
        return np.concatenate([steps, np.repeat(steps[-1:], size - len(steps), axis=0)])


def counts(chunk: Chunk, shape: UnrollShape) -> bool:
    """Whether a target of this chunk counts; where k2 < k1, all its sequences may end before the steps that do."""
    return bool(chunk.real.max() > shape.k1 - shape.loss_steps)


def _map(function: Callable[[Any], Any], part: Any) -> Any:
    return {key: function(leaf) for key, leaf in part.items()} if isinstance(part, dict) else function(part)


def _join(parts: list[Any]) -> Any:
    """The parts one after another in time, leaf by leaf."""
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
