r"""Lines as fastText reads them: labels that begin with ``__label__``, then the text.

>>> import io
>>> [(row.source, row.labels) for row in read_fasttext(io.StringIO("__label__pos a fine film\n"), DataConfig())]
[('a fine film', ('pos',))]
"""

from __future__ import annotations

from collections.abc import Iterator

from seqtag.classification.config import DataConfig
from seqtag.classification.data.examples import Row
from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError, shown

PREFIX = "__label__"


def read_fasttext(file: Source, data: DataConfig, several: bool = False) -> Iterator[Row]:
    """Yields the texts of a file; blank lines are skipped.

    Raises:
        DataError: the file cannot be read, or a line has no label, or more than one where one is expected.
    """
    path = source_name(file)
    for number, line in enumerate(read_lines(file, data.encoding), 1):
        labels, text = split_line(line)
        if not labels and not text:
            continue
        if len(labels) != 1 and not several:
            found = shown(text) if not labels else f"{len(labels)} labels"
            raise DataError(f"expected one label that begins with {PREFIX}, found {found}", path, number)
        yield Row(number, text, labels)


def split_line(line: str) -> tuple[tuple[str, ...], str]:
    """The labels at the beginning of a line, and the text after them.

    >>> split_line("__label__a __label__b to be")
    (('a', 'b'), 'to be')
    """
    text = line.removeprefix("\ufeff").strip()
    labels: dict[str, None] = {}
    while text.startswith(PREFIX):
        first, _, rest = text.partition(" ") if " " in text else text.partition("\t")
        labels[first.removeprefix(PREFIX).strip()] = None
        text = rest.strip()
    return tuple(label for label in labels if label), text
