"""Files whose first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from seqtag.data.text.lines import Source

T = TypeVar("T")


@dataclass(frozen=True)
class FileInput(Generic[T]):
    """A file that is being read.

    Attributes:
        items: what it holds, such as sentences or lines, each once.
        encoding: of its bytes.
        size: in bytes, which is about its number of characters; None for a stream.
    """

    items: Iterator[T]
    encoding: str
    size: int | None


def read_ahead(items: Iterable[T], size: Callable[[T], int], most: int) -> Iterator[T]:
    """Reads the first items at once, until their sizes sum up to `most`, and the others when they are asked for.

    >>> numbers = iter([2, 3, 4, 5])
    >>> ahead = read_ahead(numbers, size=int, most=5)
    >>> next(numbers), list(ahead)
    (4, [2, 3, 5])
    """
    iterator = iter(items)
    first: deque[T] = deque()
    total = 0
    while total < most:
        try:
            first.append(next(iterator))
        except StopIteration:
            break
        total += size(first[-1])
    return _all_of(first, iterator)


def file_size(source: Source) -> int | None:
    """The bytes of a file; None for a stream."""
    return os.path.getsize(source) if isinstance(source, str | os.PathLike) and os.path.isfile(source) else None


def _all_of(first: deque[T], others: Iterator[T]) -> Iterator[T]:
    while first:
        yield first.popleft()
    yield from others
