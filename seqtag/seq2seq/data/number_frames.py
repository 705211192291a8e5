r"""Sources that are frames of numbers: a long table, a frame a row, and a file of targets, `id TAB target`.

The table has a header, a column `id`, a column of numbers for each feature, and maybe a column `time`. The rows of a
source stand together.

>>> import io
>>> rows = io.StringIO("id,x,y\na,1,2\na,3,4\nb,5,6\n")
>>> [(row.key, row.source.tolist()) for row in frame_sources(rows, DataConfig())]
[('a', [[1.0, 2.0], [3.0, 4.0]]), ('b', [[5.0, 6.0]])]
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqtag.data.frames.columns import ColumnKeys, FrameColumns
from seqtag.data.frames.files import read_frames
from seqtag.data.frames.table import TableRules
from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.pairs import Row

ID = "id"
KEYS = ColumnKeys(id="source_column")
# Sources have no missing numbers, and their rows are sorted by their times.
RULES = TableRules(may_miss=False, sorts=True)


def frame_sources(file: Source, data: DataConfig) -> Iterator[Row]:
    """Yields the sources of a file, one at a time, without targets; `key` is the id, `line` that of its first row.

    `data.source_column` is the column of ids, `id` unless set; `data.features` are the columns of numbers, all others
    unless set; `data.time_column` orders the rows of a source, which stay in the order of the file without one.

    Raises:
        DataError: see `read_frames`; a number is missing.
    """
    columns = FrameColumns(data.source_column or ID, data.time_column, features=data.features, keys=KEYS)
    for sequence in read_frames(file, columns, RULES, data.encoding).sequences:
        yield Row(sequence.line, sequence.frames.astype(np.float32), key=sequence.id)


def read_frame_pairs(frames: Source, targets: Source, data: DataConfig) -> Iterator[Row]:
    """Yields a pair for each target of each source of two files.

    Raises:
        DataError: see `frame_sources`; a line of the second file has another form, or an id stands in one file alone.
    """
    known = _targets(targets, data)
    names = (source_name(frames), source_name(targets))
    for row in frame_sources(frames, data):
        found = known.pop(str(row.key), None)
        if found is None:
            raise DataError(f"expected a target in {names[1]}, found none for {shown(row.key)}", names[0], row.line)
        for target, _ in found:
            yield row._replace(target=target)
    for name, found in known.items():
        raise DataError(f"expected an id of {names[0]}, found {shown(name)}", names[1], found[0][1])


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
