r"""Sequences of frames from files: long tables, and the `.ts` form of the time-series archives.

>>> import io
>>> rows = io.StringIO("id,x,y,label\na,1,2,up\na,3,?,down\nb,5,6,up\n")
>>> file = read_frames(rows, rules=TableRules("steps"))
>>> file.features, [(one.id, one.frames.tolist(), one.step_labels) for one in file.sequences]
(('x', 'y'), [('a', [[1.0, 2.0], [3.0, nan]], ('up', 'down')), ('b', [[5.0, 6.0]], ('up',))])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from seqtag.data.frames.archive import MARKS, archive_sequences, read_archive_header
from seqtag.data.frames.columns import FrameColumns, separator_of
from seqtag.data.frames.sequence import FrameSequence
from seqtag.data.frames.table import Header, TableRules, read_header, table_sequences
from seqtag.data.text.fields import stripped_fields
from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError


@dataclass(frozen=True)
class FrameFile:
    """A file of frames that is being read; its header is read already.

    Attributes:
        path: its name, for messages.
        header: of a table; None for `.ts`.
        sequences: what it holds, each once; what is wrong is raised when they come to it.
    """

    path: str
    header: Header | None
    sequences: Iterator[FrameSequence]

    @property
    def features(self) -> tuple[str, ...] | None:
        """The names of the columns of numbers; None where the file has no names."""
        return None if self.header is None else self.header.features


def read_frames(
    source: Source, columns: FrameColumns = FrameColumns(), rules: TableRules = TableRules(), encoding: str = "utf-8"
) -> FrameFile:
    """Opens a file of frames: `.ts` where it begins with `#` or `@`, else a table.

    Args:
        source: a path, `"-"`, or a stream.
        columns: of a table.
        rules: how it is read; of `.ts`, which has no times, what is said of labels.
        encoding: of its bytes.

    Raises:
        DataError: the file cannot be read, or is empty, or its header is at fault; see also `table_sequences` and
            `archive_sequences`.
    """
    path = source_name(source)
    lines = _numbered(source, encoding)
    first = next(lines, None)
    if first is None:
        raise DataError("expected a header and frames of numbers, found an empty file", path)
    if first[1].startswith(MARKS):
        lines = chain([first], lines)
        header = read_archive_header(lines, path)
        sequences = archive_sequences(lines, header, rules.labelled, rules.needs_labels, path)
        return FrameFile(path, None, _some(sequences, path))
    of_table = read_header(first[1], columns, rules, path, first[0])
    return FrameFile(path, of_table, _some(table_sequences(lines, of_table, rules, path), path))


def frames_header(line: str, id_column: str = "id") -> bool:
    """Whether a line is the header of a table of frames: of several columns one is that of ids.

    >>> frames_header("id,time,x"), frames_header("id"), frames_header("Go, now")
    (True, False, False)
    """
    names = stripped_fields(line.removeprefix("\ufeff").strip(), separator_of(line))
    return len(names) > 1 and id_column.casefold() in map(str.casefold, names)


def _numbered(source: Source, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers, without their ends and a byte order mark."""
    for number, line in enumerate(read_lines(source, encoding), 1):
        text = line.removeprefix("\ufeff").rstrip("\r\n") if number == 1 else line.rstrip("\r\n")
        if text.strip():
            yield number, text


def _some(sequences: Iterator[FrameSequence], path: str) -> Iterator[FrameSequence]:
    """The sequences, of which there must be one."""
    first = next(sequences, None)
    if first is None:
        raise DataError("expected frames of numbers below the header, found none", path)
    yield first
    yield from sequences
