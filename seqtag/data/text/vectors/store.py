"""Word vectors in a folder: the words, a matrix that is mapped into memory, and what they were made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from seqtag.data.text.vectors.forms import MISSING, SUBWORDS, forms_of
from seqtag.data.text.vectors.parsed import Subwords

WORDS, MATRIX, ABOUT = "words.txt", "vectors.npy", "about.json"
# NumPy leaves room in the header for any number of rows, so that it can be written last.
HEADER_BYTES = 128


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: distinct words; the vector of word n is row n of the matrix.
        matrix: `(words, width)` float32; of fastText models also a row for each bucket of n-grams, after the words.
        subwords: how vectors of other words are made of these; None where they are not.
    """

    words: Sequence[str]
    matrix: np.ndarray
    subwords: Subwords | None = None

    @property
    def width(self) -> int:
        """The numbers of a vector."""
        return int(self.matrix.shape[1])

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    def find(self, word: str) -> tuple[str, int]:
        """How a word is found, one of `KINDS`, and in which row; -1 where no row is its own."""
        for kind, form in forms_of(word):
            row = self.rows.get(form)
            if row is not None:
                return kind, row
        return (SUBWORDS if self.subwords else MISSING), -1

    def save(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Writes these vectors into a folder, from which `load` reads them; `about` goes with them, as JSON."""
        with VectorWriter(folder, self.width) as writer:
            writer.add(self.words, self.matrix[: len(self.words)])
            writer.add((), self.matrix[len(self.words) :])
            writer.finish(self.subwords, about)

    @classmethod
    def load(cls, folder: Path) -> tuple[WordVectors, dict[str, Any]]:
        """The vectors in a folder, whose matrix is mapped into memory, and what is told about them.

        Raises:
            ValueError, OSError, KeyError: there are none, or they are damaged.
        """
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        # As bytes, since a word may hold what Python takes for the end of a line.
        words = (folder / WORDS).read_bytes().decode("utf-8").split("\n")[:-1]
        matrix = np.load(folder / MATRIX, mmap_mode="r", allow_pickle=False)
        subwords = Subwords.read(about.pop("subwords"))
        if matrix.shape != tuple(about.pop("shape")) or len(words) + (subwords.buckets if subwords else 0) != len(
            matrix
        ):
            raise ValueError(f"{folder}: expected as many words as vectors")
        return cls(words, matrix, subwords), about


class VectorWriter:
    """Writes words and vectors into a folder as they come. Of a word that comes twice, the first vector counts.

    Args:
        folder: an empty one.
        width: the numbers of a vector.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self.folder = folder
        self.width = width
        self.known: set[str] = set()
        self.rows = 0

    def __enter__(self) -> Self:
        self._words = (self.folder / WORDS).open("w", encoding="utf-8", newline="\n")
        self._matrix = (self.folder / MATRIX).open("wb")
        self._matrix.write(bytes(HEADER_BYTES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._words.close()
        self._matrix.close()

    def add(self, words: Sequence[str | None], vectors: np.ndarray) -> None:
        """Adds words and their vectors; without any words, vectors of n-grams."""
        if len(words):
            kept = list(self._new(words))
            if len(kept) < len(words):
                vectors = vectors[kept]
            self._words.writelines(f"{words[n]}\n" for n in kept)
        self._matrix.write(np.ascontiguousarray(vectors, "<f4").data)
        self.rows += len(vectors)

    def _new(self, words: Sequence[str | None]) -> Iterable[int]:
        for n, word in enumerate(words):
            if word is not None and word not in self.known:
                self.known.add(word)
                yield n

    def finish(self, subwords: Subwords | None, about: Mapping[str, Any]) -> None:
        """Writes what the folder holds."""
        header = {"descr": "<f4", "fortran_order": False, "shape": (self.rows, self.width)}
        self._matrix.seek(0)
        np.lib.format.write_array_header_1_0(self._matrix, header)
        if self._matrix.tell() != HEADER_BYTES:
            raise ValueError(f"expected a header of {HEADER_BYTES} bytes, found {self._matrix.tell()}")
        told = {**about, "subwords": subwords, "shape": (self.rows, self.width)}
        (self.folder / ABOUT).write_text(json.dumps(told), encoding="utf-8")
