"""Sequences and their labels in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from seqtag.errors import DataError

# A text; or frames of numbers, (time, features).
Source: TypeAlias = Any
# Files have texts as labels; Python's lists may have whole numbers.
Label: TypeAlias = str | int


class Kind(NamedTuple):
    """What sequences are, and how many labels they have.

    Attributes:
        source: `"text"` or `"frames"`.
        several: whether a sequence may have several labels, or none.
    """

    source: str = "text"
    several: bool = False

    @property
    def is_frames(self) -> bool:
        """Whether sequences are frames of numbers."""
        return self.source == "frames"


class Row(NamedTuple):
    """One sequence, as readers find it.

    Attributes:
        line: the 1-based line of a file, or the 0-based number of a Python object.
        source: a text, which may be empty, or frames of numbers.
        labels: its labels; None where the data have none.
        path: the file, where it is not that of all rows.
    """

    line: int
    source: Source
    labels: tuple[Label, ...] | None = None
    path: str | None = None


@dataclass(frozen=True)
class Examples:
    """Sequences and the labels of each.

    Attributes:
        sources: texts, or arrays `(time, features)`.
        labels: for each its labels; empty where the data have none.
        path: the file or files, for messages; None for Python objects.
        places: the file and the line of each; of Python objects None and its number.
        what: what a Python object is called in messages.

    Example:

        >>> examples = Examples(["good", "bad"], [("pos",), ("neg",)])
        >>> len(examples), examples.subset([1]).sources
        (2, ['bad'])
    """

    sources: list[Source]
    labels: list[tuple[Label, ...]] = field(default_factory=list)
    path: str | None = None
    places: Sequence[tuple[str | None, int]] = ()
    what: str = "text"

    @classmethod
    def of_rows(cls, rows: Iterable[Row], path: str | None, what: str = "text") -> Examples:
        """The sequences that a reader yields.

        Raises:
            DataError: there are none; readers raise it for what is wrong in them.
        """
        found = list(rows)
        if not found:
            raise DataError(f"expected {what}s, found none", path)
        labels = [] if found[0].labels is None else [row.labels or () for row in found]
        places = [(row.path or path, row.line) for row in found]
        return cls([row.source for row in found], labels, path, places, what)

    def __len__(self) -> int:
        return len(self.sources)

    def subset(self, numbers: Iterable[int]) -> Examples:
        """The sequences with these numbers, in their order."""
        chosen = list(numbers)
        return replace(
            self,
            sources=[self.sources[n] for n in chosen],
            labels=[self.labels[n] for n in chosen] if self.labels else [],
            places=[self.places[n] if self.places else (None, n) for n in chosen],
        )

    def place(self, number: int) -> dict[str, Any]:
        """Where a sequence stands, as keyword arguments of a `DataError` or a `DataWarning`.

        >>> Examples(["a", "b"]).subset([1]).place(0)
        {'path': 'text 1', 'line': None}
        """
        path, line = self.places[number] if self.places else (None, number)
        return {"path": f"{self.what} {line}", "line": None} if path is None else {"path": path, "line": line}
