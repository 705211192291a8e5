"""Vectors as text, a word and its numbers a line: GloVe's files, and those of word2vec and fastText with a header."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from seqtag.data.text.vectors.byte_source import ByteSource
from seqtag.data.text.vectors.parsed import Block, Parsed, check_finite, decoded
from seqtag.errors import DataError, shown

CHUNK, LONGEST_LINE, FIRST_LINES = 1 << 22, 1 << 21, 9
_TABS = bytes.maketrans(b"\t", b" ")


class Header(NamedTuple):
    """The first line of a file that says how many words it has and how wide their vectors are."""

    words: int
    width: int


def header_of(line: bytes) -> Header | None:
    r"""What the first line says, if it is a header.

    >>> header_of(b"400000 300\n"), header_of(b"the 0.1 0.2\n")
    (Header(words=400000, width=300), None)
    """
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) < 12 for field in fields):
        return Header(*map(int, fields))
    return None


def is_text_line(line: bytes) -> bool:
    """Whether a line is a word and numbers, also if its end is cut off.

    >>> is_text_line(b"the 0.1 -2e-3"), is_text_line(b". . . 0.1 0.2"), is_text_line(b"the cat")
    (True, True, False)
    """
    fields = line.split()
    return len(fields) > 1 and b"\0" not in line and _are_numbers(fields[-1:])


def parse_text(source: ByteSource, header: Header | None) -> Parsed:
    """Reads a text file, after its header if it has one.

    Words and numbers are separated by spaces or TABs. A word may hold spaces itself, as some of GloVe's do.

    Raises:
        DataError: a line has more or fewer numbers than the first one, or the header, says; a number is none, or is
            not finite; the file has more or fewer words than the header says. The message has the line.
    """
    width = _usual_width(source.peek(LONGEST_LINE)) if header is None else header.width
    return Parsed(width, _blocks(source, width, header))


def _usual_width(head: bytes) -> int:
    """How many numbers most of the first lines have: a word of one of them may hold spaces."""
    lines = head.split(b"\n")[: FIRST_LINES + 1]
    whole = lines[:-1] or lines
    return statistics.mode(len(line.split()) - 1 for line in whole)


def _blocks(source: ByteSource, width: int, header: Header | None) -> Iterator[Block]:
    number = 1 if header is None else 2
    words = 0
    for lines in _lines(source, number):
        block = _Lines(source.name, number, width).parse(lines)
        words += len(block[0])
        if header is not None and words > header.words:
            raise DataError(f"expected {header.words} words as in the header, found more", source.name, number)
        yield block
        number += len(lines)
    if header is not None and words < header.words:
        message = f"expected {header.words} words as in the header, found {words}; the file may be cut off"
        raise DataError(message, source.name, number - 1)


def _lines(source: ByteSource, number: int) -> Iterator[list[bytes]]:
    """The lines of each part of a file, without their ends."""
    rest = b""
    while chunk := source.read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise DataError(f"expected lines of at most {LONGEST_LINE} bytes, found more", source.name, number)
        if lines:
            yield lines
            number += len(lines)
    if rest:
        yield [rest]


class _Lines:
    """Parses some lines of a file.

    Args:
        name: of the file.
        first: the number of the first line.
        width: how many numbers a line has.
    """

    def __init__(self, name: str, first: int, width: int) -> None:
        self.name = name
        self.first = first
        self.width = width

    def parse(self, lines: list[bytes]) -> Block:
        """The words, and their numbers `(words, width)`; empty lines are passed over."""
        words, rows, places = [], [], []
        for place, line in enumerate(lines, self.first):
            word, _, rest = line.translate(_TABS).rstrip(b" \r").partition(b" ")
            if not (word or rest):
                continue
            if rest.count(b" ") != self.width - 1 or not rest:
                word, rest = self._unusual(line, place)
            words.append(decoded(word))
            rows.append(rest)
            places.append(place)
        values = self._numbers(rows, places)
        check_finite(values, words, self.name, places)
        return words, values

    def _numbers(self, rows: list[bytes], places: list[int]) -> np.ndarray:
        try:
            # Faster by far than a float for each field.
            values = np.fromstring(b" ".join(rows), np.float32, sep=" ")
        except ValueError:
            values = np.zeros(0, np.float32)
        if len(values) != len(rows) * self.width:
            # Something is wrong, or is what Python takes for a number and NumPy does not.
            values = np.array([self._floats(row, place) for row, place in zip(rows, places, strict=True)], np.float32)
        return values.reshape(len(rows), self.width)

    def _floats(self, row: bytes, place: int) -> list[float]:
        fields = row.split()
        for field in fields:
            if not _are_numbers([field]):
                found = shown(field.decode("utf-8", "replace"))
                raise DataError(f"expected a number, found {found}", self.name, place)
        return [float(field) for field in fields]

    def _unusual(self, line: bytes, place: int) -> tuple[bytes, bytes]:
        """The word and the numbers of a line that has more or fewer single spaces than numbers."""
        fields = line.split()
        extra = len(fields) - 1 - self.width
        if extra < 0 or (extra > 0 and _are_numbers(fields[1 : 1 + extra])):
            cut = "; the file may be cut off" if extra < 0 else ""
            message = f"expected a word and {self.width} numbers, found {max(0, len(fields) - 1)}{cut}"
            raise DataError(message, self.name, place)
        return b" ".join(fields[: extra + 1]), b" ".join(fields[extra + 1 :])


def _are_numbers(fields: list[bytes]) -> bool:
    try:
        return all(float(field) is not None for field in fields)
    except ValueError:
        return False
