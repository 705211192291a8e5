"""One sequence of frames of numbers, as every reader gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

# What has a label: nothing, each sequence as a whole, or each of its steps.
Labelled = Literal["nothing", "sequences", "steps"]


@dataclass(frozen=True, eq=False)
class FrameSequence:
    """A sequence of frames, each of the same numbers.

    Attributes:
        id: its name; the number of a sequence that has none, from 1 in a file and from 0 in Python objects.
        frames: float64 `(time, features)`, NaN where a number is missing; time is 1 at least.
        label: of the whole sequence; None without one.
        step_labels: one a step; None without any.
        path: the file, for messages; None for Python objects.
        line: the 1-based line where it begins; of Python objects the 0-based number.
        lines: the line of each step, where a step is a line of its own; else empty.
        rows: these lines as they stand in the file, without their ends.

    Example:

        >>> sequence = FrameSequence("a", np.array([[1.0], [2.0]]), line=2, lines=(2, 3), path="a.csv")
        >>> len(sequence), sequence.width, sequence.place(1)
        (2, 1, {'path': 'a.csv', 'line': 3})
    """

    id: str
    frames: np.ndarray
    label: str | None = None
    step_labels: tuple[str, ...] | None = None
    path: str | None = None
    line: int = 0
    lines: Sequence[int] = ()
    rows: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def width(self) -> int:
        """How many numbers a frame has."""
        return self.frames.shape[1]

    def place(self, step: int | None = None) -> dict[str, Any]:
        """Where it stands, or one of its steps, as keyword arguments of a `DataError`."""
        if self.path is None:
            return {"path": place_of(self.line, step), "line": None}
        return {"path": self.path, "line": self.line if step is None or not self.lines else self.lines[step]}


def place_of(sequence: int, step: int | None = None) -> str:
    """Where something stands in Python objects, for messages.

    >>> place_of(3), place_of(3, 0)
    ('sequence 3', 'sequence 3, step 0')
    """
    return f"sequence {sequence}" + ("" if step is None else f", step {step}")
