"""Files to be tagged: their first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from seqtag.data.text.lines import Source, read_lines
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput
from seqtag.tagging.data.sentences import Sentence

T = TypeVar("T")

TOKENS_AHEAD = 40_000
CHARACTERS_AHEAD = 200_000


@dataclass(frozen=True)
class FileInput(Generic[T]):
    """A file that is being read.

    Attributes:
        items: its sentences or lines, each once.
        encoding: of its bytes.
        size: in bytes, which is about its number of characters; None for a stream.
    """

    items: Iterator[T]
    encoding: str
    size: int | None


def read_columns(source: Source, options: ReadingOptions) -> FileInput[tuple[Sentence, TaggerInput]]:
    """The sentences of a column file, with what a model reads of them; the file may lack tags.

    Raises:
        DataError: the file is at fault; for faults further down it is raised when `items` come to them.
    """
    reader = options.reader(source, tags_required=False)
    sentences = ((s, TaggerInput(s.tokens, [s.column(name) for name in options.features])) for s in reader)
    ahead = read_ahead(sentences, lambda sentence: len(sentence[1].tokens), TOKENS_AHEAD)
    return FileInput(ahead, options.encoding, _size(source))


def read_raw(source: Source, encoding: str = "utf-8") -> FileInput[str]:
    """The lines of a file of raw text.

    Raises:
        DataError: as `read_columns`.
    """
    return FileInput(read_ahead(read_lines(source, encoding), len, CHARACTERS_AHEAD), encoding, _size(source))


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


def _all_of(first: deque[T], others: Iterator[T]) -> Iterator[T]:
    while first:
        yield first.popleft()
    yield from others


def _size(source: Source) -> int | None:
    return os.path.getsize(source) if isinstance(source, str | os.PathLike) and os.path.isfile(source) else None
