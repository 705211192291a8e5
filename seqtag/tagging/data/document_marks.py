"""Where documents begin, as files say it: by a line above a sentence, by blank lines, or by a column."""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from seqtag.errors import ConfigError, DataWarning
from seqtag.tagging.data.detection import BLANK
from seqtag.tagging.data.one_line import BOM
from seqtag.tagging.data.table_header import find_column

if TYPE_CHECKING:
    from seqtag.tagging.config import TaggingConfig
    from seqtag.tagging.data.corpus import TaggedCorpus
    from seqtag.tagging.data.sentences import Sentence

# The key of JSON lines, and the column of tables and DataFrames, compared as `find_column` does.
DOCUMENT_NAMES = ("document", "documentid", "docid", "doc")
_BEGIN = re.compile(rf"{BOM}?(-DOCSTART-|#\s*(newdoc|begin document)\b)")

MARKS = "-DOCSTART-, # newdoc, two blank lines or a column 'document'"

# What the documents of a file are: what it marks, what stands between two blank lines or more, or so many sentences in
# a row; auto: what the file has of the first two.
Documents = Literal["auto", "marked", "sections"] | int


class Mark(Enum):
    """What stands before a sentence.

    Attributes:
        NONE: nothing that tells documents.
        SECTION: two blank lines or more.
        DOCUMENT: the beginning of a document.
    """

    NONE = 0
    SECTION = 1
    DOCUMENT = 2


def marks_of(sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, Mark]]:
    """Each sentence of a file with what stands before it.

    `-DOCSTART-`, `# newdoc` and `#begin document` begin a document, and so does another value of the column or key
    `document` (`document_id`, `doc_id`, `doc`). Once there was a value, a sentence without one is alone.
    """
    below: list[str] | None = None
    values = _Values()
    for sentence in sentences:
        begins = values.begin(sentence.document)
        # Which of two sentences the lines between them belong to, layouts differ in.
        between = sentence.lines_above if below is None else below + sentence.lines_above
        if begins or any(map(_BEGIN.match, between)):
            yield sentence, Mark.DOCUMENT
        else:
            yield sentence, Mark.NONE if below is None or not _is_gap(between) else Mark.SECTION
        below = sentence.lines_below


class _Values:
    """Says of each value of a column of documents, None for none, whether a document begins there."""

    def __init__(self) -> None:
        self._before: Hashable | None = None
        self._told = False

    def begin(self, value: Hashable | None) -> bool:
        """Whether one begins at the sentence of this value."""
        begins = self._told if value is None else value != self._before
        self._before, self._told = value, self._told or value is not None
        return begins


def _is_gap(lines: Sequence[str]) -> bool:
    return len(lines) > 1 and sum(not line.strip(BLANK) for line in lines) > 1


def marks_of_values(documents: Iterable[Hashable | None]) -> list[Mark]:
    """The marks of sentences with these values of a column of documents, None for a sentence alone.

    >>> [mark.name for mark in marks_of_values([None, "a", "a", "b", None])]
    ['NONE', 'DOCUMENT', 'NONE', 'DOCUMENT', 'DOCUMENT']
    """
    values = _Values()
    return [Mark.DOCUMENT if values.begin(value) else Mark.NONE for value in documents]


@lru_cache(maxsize=1000)
def document_column(names: tuple[str, ...]) -> int | None:
    """The index of the column of documents, of columns with these names.

    >>> document_column(("token", "Doc ID"))
    1
    """
    return find_column(names, DOCUMENT_NAMES)


def resolved(documents: Documents, marks: Sequence[Mark]) -> Documents:
    """What `documents` are in a file with these marks, where that is left to the file.

    >>> resolved("auto", [Mark.NONE, Mark.SECTION]), resolved("auto", [Mark.NONE]), resolved(10, [Mark.DOCUMENT])
    ('sections', 'marked', 10)
    """
    if documents != "auto":
        return documents
    return "sections" if Mark.SECTION in marks and Mark.DOCUMENT not in marks else "marked"


def document_numbers(marks: Iterable[Mark], documents: Documents) -> Iterator[int | None]:
    """The number of each sentence's document; None where no document has begun.

    >>> marks = [Mark.NONE, Mark.DOCUMENT, Mark.NONE, Mark.SECTION]
    >>> [list(document_numbers(marks, kind)) for kind in ("marked", "sections", 3)]
    [[None, 0, 0, 0], [0, 1, 1, 2], [0, 0, 0, 1]]
    """
    number: int | None = None if documents == "marked" else 0
    for place, mark in enumerate(marks):
        if isinstance(documents, int):
            number = place // documents
        elif mark is Mark.DOCUMENT or (mark is Mark.SECTION and documents == "sections"):
            number = 0 if number is None or not place else number + 1
        yield number


def check_documents(train: TaggedCorpus, config: TaggingConfig) -> None:
    """Says so where the network is to read documents and training has none: it then learns nothing from them.

    Raises:
        ConfigError: they were to be marked. Where that was left to the file, it is a `DataWarning`.
    """
    if not config.model.document_context or any(number is not None for number in train.documents):
        return
    if config.data.documents != "auto":
        raise ConfigError(f"expected documents in the training data ({MARKS}), found none", setting="data.documents")
    message = f"no documents are marked ({MARKS}): each sentence is read alone; data.documents may be a number of them"
    warnings.warn(DataWarning(message, train.path), stacklevel=2)
