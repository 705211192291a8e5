r"""Pairs in two files, a source a line in one and its target in the same line of the other.

>>> import io
>>> sources, targets = io.StringIO("Go.\nRun!\n"), io.StringIO("Kör!\nSpring!\n")
>>> [(row.source, row.target) for row in read_parallel(sources, targets, DataConfig())]
[('Go.', 'Kör!'), ('Run!', 'Spring!')]
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.pairs import Row

SOURCE, TARGET = (None, "source", 1, "1"), ("target", 2, "2")


def read_parallel(sources: Source, targets: Source, data: DataConfig) -> Iterator[Row]:
    """Yields the pairs of two files; lines that are blank in both are skipped.

    `data.split_column` may be `source` or `target`, or 1 or 2.

    Raises:
        DataError: a file cannot be read, one has fewer lines than the other, or a line is blank in one of them.
    """
    if data.split_column not in SOURCE + TARGET:
        found = shown(data.split_column)
        raise DataError(f"expected source or target, as of two files, found {found}", setting="data.split_column")
    paths = (source_name(sources), source_name(targets))
    files = (read_lines(file, data.encoding) for file in (sources, targets))
    for number, lines in enumerate(zip_longest(*files), 1):
        source, target = (None if line is None else line.removeprefix("\ufeff").strip() for line in lines)
        if not source and not target:
            continue
        for text, path, other in ((source, *paths), (target, *paths[::-1])):
            if not text:
                found = "the end of the file" if text is None else "a blank one"
                raise DataError(f"expected a line as in {other}, found {found}", path, number)
        yield Row(number, source, target, key=target if data.split_column in TARGET else None)
