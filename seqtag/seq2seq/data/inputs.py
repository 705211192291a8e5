"""Files to be answered: their first part is read at once, so that faults in it are told before TensorFlow is imported.

Memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from seqtag.data.text.fields import stripped_fields
from seqtag.data.text.lines import Source as File
from seqtag.data.text.lines import read_lines, source_name
from seqtag.data.text.read_ahead import FileInput, file_size, read_ahead
from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.columns import (
    SourceColumns,
    feature_columns,
    has_source_header,
    separator_name,
    source_columns,
)
from seqtag.seq2seq.data.conllu import ConlluBlock, read_blocks
from seqtag.seq2seq.data.number_frames import frame_sources
from seqtag.seq2seq.data.pairs import Source

CHARACTERS_AHEAD = 200_000
NUMBERS_AHEAD = 1_000_000
WORDS_AHEAD = 40_000


class SourceInput(NamedTuple):
    """A source to be answered.

    Attributes:
        source: a text, which may be empty, or frames `(time, features)`.
        features: its further columns.
        id: of frames, their id; None for a text.
        size: how many characters of the file it takes.
    """

    source: Source
    features: tuple[str, ...] = ()
    id: str | None = None
    size: int = 0


def read_sources(file: File, data: DataConfig) -> FileInput[SourceInput]:
    """The sources of a file of any layout but CoNLL-U, one a line; a blank line is an empty source.

    Of `tsv`, a line is a source alone, or has the columns of training; with features it has these columns, or the
    source and its features in the first ones. Of `parallel`, a line is a source. Of `frames`, see `frame_sources`.

    Raises:
        DataError: the file is at fault; for faults further down it is raised when `items` come to them.
    """
    if data.layout == "frames":
        frames = (SourceInput(row.source, (), row.key, row.source.size) for row in frame_sources(file, data))
        return FileInput(read_ahead(frames, lambda item: item.size, NUMBERS_AHEAD), data.encoding, None)
    items = _lines_alone(file, data) if data.layout == "parallel" else _columns(file, data)
    return FileInput(read_ahead(items, lambda item: item.size, CHARACTERS_AHEAD), data.encoding, file_size(file))


def read_conllu_blocks(file: File, data: DataConfig) -> FileInput[ConlluBlock]:
    """The lines of a CoNLL-U file in blocks, with the words in them.

    Raises:
        DataError: as `read_sources`.
    """
    blocks = read_blocks(read_lines(file, data.encoding), data, source_name(file))
    ahead = read_ahead(blocks, lambda block: len(block.words), WORDS_AHEAD)
    return FileInput(ahead, data.encoding, file_size(file))


def _lines_alone(file: File, data: DataConfig) -> Iterator[SourceInput]:
    for line in read_lines(file, data.encoding):
        yield SourceInput(line.removeprefix("\ufeff").strip(), size=len(line))


def _columns(file: File, data: DataConfig) -> Iterator[SourceInput]:
    path = source_name(file)
    features = len(feature_columns(data))
    own: SourceColumns | None = None
    is_first = True
    for number, line in enumerate(read_lines(file, data.encoding), 1):
        fields = stripped_fields(line.removeprefix("\ufeff").rstrip("\r\n"), data.separator)
        if not any(fields):
            yield SourceInput("", ("",) * features, size=len(line))
            continue
        if is_first:
            is_first = False
            if has_source_header(fields, data):
                own = source_columns(data, fields)
                continue
            own = _numbered(data)
        yield SourceInput(*_chosen(fields, own, features, data, path, number), size=len(line))


def _numbered(data: DataConfig) -> SourceColumns | None:
    """The columns of training in a file without header; None where they have names, which only a header could place."""
    try:
        return source_columns(data, None)
    except DataError:
        return None


def _chosen(
    fields: list[str], own: SourceColumns | None, features: int, data: DataConfig, path: str, line: int
) -> tuple[str, tuple[str, ...]]:
    """The source of a line and its features: in the columns of training, or in the first where there are no others."""
    if own is not None and len(fields) >= own.needed:
        return fields[own.source], tuple(fields[n] for n in own.features)
    if len(fields) == 1 + features:
        return fields[0], tuple(fields[1:])
    expected = "a source" if not features else f"a source and {features} further columns"
    found = "one field" if len(fields) == 1 else f"{len(fields)} fields"
    separated = f" separated by {separator_name(data.separator)}" if features else ""
    raise DataError(f"expected {expected}{separated}, found {found}", path, line)
