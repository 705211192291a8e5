"""Pairs of a source and its target in memory."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from seqtag.errors import DataError

# A text, or frames of numbers, float32 (time, features).
Source: TypeAlias = Any


class Row(NamedTuple):
    """One pair, as readers find it.

    Attributes:
        line: the 1-based line of a file, or the 0-based number of a Python object.
        source: a text, or frames of numbers `(time, features)`.
        target: a text; None where the data have no targets.
        features: the further columns of the source.
        key: what decides on which side of a split it stands; None for the source itself.
    """

    line: int
    source: Source
    target: str | None = None
    features: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True)
class Pairs:
    """Sources and their targets; a source with several right targets stands in several pairs.

    Attributes:
        sources: texts, or float32 arrays `(time, features)`.
        targets: texts; empty where the data have none.
        features: for each source its further columns, such as its part of speech; empty tuples without any.
        path: the file, for messages; None for Python objects.
        lines: the 1-based line of each pair; of Python objects the 0-based number. None: the pairs are numbered from 0.
        keys: for each pair the text that decides on which side of a split it stands; None for its source.
        what: what a Python object is called in messages.

    Example:

        >>> pairs = Pairs(["ABBY", "A", "A"], ["AE B IY", "AH", "EY"])
        >>> len(pairs), pairs.subset([2]).targets
        (3, ['EY'])
    """

    sources: list[Source]
    targets: list[str] = field(default_factory=list)
    features: list[tuple[str, ...]] = field(default_factory=list)
    path: str | None = None
    lines: Sequence[int] | None = None
    keys: list[str] | None = None
    what: str = "pair"

    def __post_init__(self) -> None:
        if not self.features:
            object.__setattr__(self, "features", [()] * len(self.sources))

    @classmethod
    def of_rows(cls, rows: Iterable[Row], path: str | None, what: str = "pair") -> Pairs:
        """The pairs that a reader yields.

        Raises:
            DataError: there are none; readers raise it for what is wrong in them.
        """
        found = list(rows)
        if not found:
            raise DataError(f"expected {what}s, found none", path)
        lines, sources, targets, features, keys = map(list, zip(*found, strict=True))
        return cls(
            sources,
            [] if targets[0] is None else targets,
            features,
            path,
            lines,
            None if keys[0] is None else keys,
            what,
        )

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def has_frames(self) -> bool:
        """Whether the sources are frames of numbers."""
        return bool(self.sources) and isinstance(self.sources[0], np.ndarray)

    def check_kind(self, width: int) -> None:
        """Checks that sources are frames of a width, or texts where it is 0.

        Raises:
            DataError: they are of another kind.
        """
        found = self.sources[0].shape[1] if isinstance(self.sources[0], np.ndarray) else 0
        if found != width:
            raise DataError(f"expected {kind_of(width)}, found {kind_of(found)}", **self.place(0))

    def subset(self, indices: Iterable[int]) -> Pairs:
        """The pairs with these numbers, in their order."""
        chosen = list(indices)
        return replace(
            self,
            sources=[self.sources[n] for n in chosen],
            targets=[self.targets[n] for n in chosen] if self.targets else [],
            features=[self.features[n] for n in chosen],
            lines=chosen if self.lines is None else [self.lines[n] for n in chosen],
            keys=None if self.keys is None else [self.keys[n] for n in chosen],
        )

    def place(self, number: int) -> dict[str, Any]:
        """Where a pair stands, as keyword arguments of a `DataError`.

        >>> Pairs(["a", "b"], ["x", "y"]).subset([1]).place(0)
        {'path': 'pair 1', 'line': None}
        """
        line = number if self.lines is None else self.lines[number]
        if self.path is None:
            return {"path": f"{self.what} {line}", "line": None}
        return {"path": self.path, "line": line}

    def identity(self, number: int) -> Hashable:
        """What two pairs share whose source and further columns are the same."""
        return (content(self.sources[number]), self.features[number])


def kind_of(width: int) -> str:
    """What a source is: frames of a width, or a text where it is 0."""
    return f"frames of {width} numbers" if width else "a text"


def content(source: Source) -> str | bytes:
    """A source as a value that can be compared and hashed: a text as it is, the shape and the bytes of frames."""
    return source if isinstance(source, str) else b"%d:" % source.shape[-1] + source.tobytes()
