r"""Sources that are frames of numbers: a long CSV file, a frame a row, and a file of targets, `id TAB target`.

The CSV file has a header, a column `id`, a column of numbers for each feature, and maybe a column `time`. The rows of a
source stand together.

>>> import io
>>> rows = io.StringIO("id,x,y\na,1,2\na,3,4\nb,5,6\n")
>>> [(row.key, row.source.tolist()) for row in read_frames(rows, DataConfig())]
[('a', [[1.0, 2.0], [3.0, 4.0]]), ('b', [[5.0, 6.0]])]
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import numpy as np

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import Column, DataConfig
from seqtag.seq2seq.data.columns import fields_of, number_of
from seqtag.seq2seq.data.pairs import Row

ID, TIME = "id", "time"
SEPARATORS = ("\t", ";", ",")


@dataclass(frozen=True)
class _Header:
    """The columns of a file of frames."""

    names: list[str]
    separator: str
    id: int
    time: int | None
    numbers: list[int]


@dataclass(frozen=True)
class _Frame:
    """One row: its line, the id of its source, its time as it is written, and its numbers."""

    line: int
    id: str
    time: str
    numbers: list[float]


def read_frames(file: Source, data: DataConfig) -> Iterator[Row]:
    """Yields the sources of a file, one at a time, without targets; `key` is the id, `line` that of its first row.

    `data.source_column` is the column of ids, `id` unless set; `data.features` are the columns of numbers, all others
    unless set; `data.time_column` orders the rows of a source, which stay in the order of the file without one.

    Raises:
        DataError: the file cannot be read, the header lacks a column, a cell is no finite number, a time is neither a
            number nor a date, or the rows of a source do not stand together.
    """
    path = source_name(file)
    seen: set[str] = set()
    for name, group in groupby(_frames(read_lines(file, data.encoding), data, path), key=lambda frame: frame.id):
        frames = list(group)
        if name in seen:
            raise DataError(f"expected the rows of id {shown(name)} together, found more", path, frames[0].line)
        seen.add(name)
        yield Row(frames[0].line, _array(_ordered(frames, path), path), key=name)


def read_frame_pairs(frames: Source, targets: Source, data: DataConfig) -> Iterator[Row]:
    """Yields a pair for each target of each source of two files.

    Raises:
        DataError: see `read_frames`; a line of the second file has another form, or an id stands in one file alone.
    """
    known = _targets(targets, data)
    names = (source_name(frames), source_name(targets))
    for row in read_frames(frames, data):
        found = known.pop(str(row.key), None)
        if found is None:
            raise DataError(f"expected a target in {names[1]}, found none for {shown(row.key)}", names[0], row.line)
        for target, _ in found:
            yield row._replace(target=target)
    for name, found in known.items():
        raise DataError(f"expected an id of {names[0]}, found {shown(name)}", names[1], found[0][1])


def frames_header(line: str) -> bool:
    """Whether a line is the header of a file of frames: of several columns one is `id`.

    >>> frames_header("id,time,x"), frames_header("id"), frames_header("Go, now")
    (True, False, False)
    """
    names = fields_of(line.removeprefix("\ufeff").strip(), _separator(line))
    return len(names) > 1 and ID in map(str.casefold, names)


def _frames(lines: Iterable[str], data: DataConfig, path: str) -> Iterator[_Frame]:
    header: _Header | None = None
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff").rstrip("\r\n")
        if not text.strip():
            continue
        if header is None:
            header = _header(text, data, path, number)
            continue
        fields = fields_of(text, header.separator)
        if len(fields) != len(header.names):
            raise DataError(f"expected {len(header.names)} columns, found {len(fields)}", path, number)
        if not fields[header.id]:
            raise DataError(f"expected an id in column {header.names[header.id]}, found nothing", path, number)
        time = "" if header.time is None else fields[header.time]
        yield _Frame(number, fields[header.id], time, _numbers(fields, header, path, number))


def _header(text: str, data: DataConfig, path: str, line: int) -> _Header:
    separator = _separator(text)
    names = fields_of(text, separator)

    def place(column: Column, setting: str) -> int:
        number = number_of(column)
        places = [n for n, name in enumerate(names) if name.casefold() == str(column).casefold()]
        if number is not None and 1 <= number <= len(names):
            places.append(number - 1)
        if not places:
            message = f"expected a column {shown(column)}, found columns {', '.join(names)}"
            raise DataError(message, path, line, f"data.{setting}")
        return places[0]

    ids = place(data.source_column or ID, "source_column")
    has_time = data.time_column is not None or TIME in map(str.casefold, names)
    time = place(data.time_column or TIME, "time_column") if has_time else None
    others = [n for n in range(len(names)) if n not in (ids, time)]
    numbers = others if data.features is None else [place(column, "features") for column in data.features]
    if not numbers:
        raise DataError(f"expected columns of numbers beside the id, found columns {', '.join(names)}", path, line)
    return _Header(names, separator, ids, time, numbers)


def _separator(header: str) -> str:
    """What separates the fields: of TAB, semicolon and comma the one that the header has most of."""
    return max(SEPARATORS, key=header.count)


def _numbers(fields: Sequence[str], header: _Header, path: str, line: int) -> list[float]:
    try:
        return [float(fields[n]) for n in header.numbers]
    except ValueError:
        n = next(n for n in header.numbers if not _is_number(fields[n]))
        found = shown(fields[n]) if fields[n] else "nothing"
        raise DataError(f"expected a number in column {header.names[n]}, found {found}", path, line) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ordered(frames: list[_Frame], path: str) -> list[_Frame]:
    """The rows of a source by their times, where they have some."""
    if not frames[0].time and not any(frame.time for frame in frames):
        return frames
    times = [_time(frame, path) for frame in frames]
    try:
        return [frame for _, frame in sorted(zip(times, frames, strict=True), key=itemgetter(0))]
    except TypeError:
        message = f"expected numbers or dates alone as times of id {shown(frames[0].id)}, found both"
        raise DataError(message, path, frames[0].line) from None


def _time(frame: _Frame, path: str) -> float | datetime:
    if _is_number(frame.time) and math.isfinite(number := float(frame.time)):
        return number
    try:
        return datetime.fromisoformat(frame.time)
    except ValueError:
        pass
    raise DataError(f"expected a time as a number or a date, found {shown(frame.time)}", path, frame.line)


def _array(frames: list[_Frame], path: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        array = np.array([frame.numbers for frame in frames]).astype(np.float32)
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        found = frames[row].numbers[int(np.argmin(np.isfinite(array[row])))]
        raise DataError(f"expected finite numbers of float32, found {found}", path, frames[row].line)
    return array


def _targets(file: Source, data: DataConfig) -> dict[str, list[tuple[str, int]]]:
    """The targets of each id with their lines; a first line that begins with `id` is a header."""
    path = source_name(file)
    found: dict[str, list[tuple[str, int]]] = {}
    for number, line in enumerate(read_lines(file, data.encoding), 1):
        text = line.removeprefix("\ufeff").strip()
        name, _, target = (part.strip() for part in text.partition("\t"))
        if not text or (number == 1 and name.casefold() == ID):
            continue
        if not name or not target:
            raise DataError("expected an id and a target separated by a TAB, found one field", path, number)
        found.setdefault(name, []).append((target, number))
    return found
